"""The smart contract and the stub it speaks to. Deterministic: no clock, no random, no I/O but its stub."""
