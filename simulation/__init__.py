"""A supply network that makes events with known truth."""
