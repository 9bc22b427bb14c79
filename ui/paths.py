"""Addresses of the dashboard that are no pages of Streamlit's."""

SIGN_IN, SIGN_OUT = "/signin", "/signout"
FRONT = "/overview"
"""Also the address of the page in front."""
