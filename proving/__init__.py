"""Makes proofs (``proofs``) of what an instance answers, from its read model and its ledger."""

from proving.prover import NotProvenError, Prover

__all__ = ["NotProvenError", "Prover"]
