"""Proofs that an answer is complete, and their verifier. It needs ``epcis`` and ``fabric`` only: no database and no network.

>>> from proofs import Roots, verify
>>> verify(open("proof.json", "rb").read(), Roots.read(Path("msp")), quorum=2)
"""

from proofs.faults import CODES, ProofError
from proofs.roots import Roots
from proofs.verifier import Verdict, verify

__all__ = ["CODES", "ProofError", "Roots", "Verdict", "verify"]
