"""Addresses of the dashboard that are no pages of Streamlit's."""

SIGN_IN, SIGN_OUT = "/signin", "/signout"
