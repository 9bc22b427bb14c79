"""The ledger port on a Fabric network."""
