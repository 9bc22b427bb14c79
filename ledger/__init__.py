"""The client's side of the ledger: one port, its adapters, and the decoding of blocks."""
