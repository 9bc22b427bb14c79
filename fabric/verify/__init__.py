"""Is this chain what it says it is? Everything recomputed from the blocks, nothing believed.

from fabric.verify import verify_chain

for finding in verify_chain(blocks, genesis_hash):  # nothing, if every rule holds
    print(finding)
"""

from fabric.verify.verifier import Finding, Verifier, verify_chain

__all__ = ["Finding", "Verifier", "verify_chain"]
