"""The ledger port in one process and one file."""
