"""USAID's SCMS Delivery History as parties, places, lots, releases and acceptances. See docs/scms.md."""
