"""Is this chain what it says it is? Everything recomputed from the blocks, nothing believed.

    for finding in verify_chain(blocks, genesis_hash):  # nothing, if every rule holds
        print(finding)

What is no chain is told, and never an exception:

>>> from fabric_protos.common import common_pb2
>>> from fabric.verify import verify_chain
>>> block = common_pb2.Block(header=common_pb2.BlockHeader(number=7))
>>> [finding.rule for finding in verify_chain([block])]
['number', 'data_hash', 'malformed']
"""

from fabric.verify.verifier import Finding, Verifier, verify_chain

__all__ = ["Finding", "Verifier", "verify_chain"]
