"""Hyperledger Fabric for Python, nothing of Lotline in it.

``words``: identities, keys, proposals, transactions, blocks and configurations as Fabric writes, hashes and signs them.
``shim``: a server for chaincode as a service. ``gateway``: a client of the Gateway service. ``verify``: is this chain what it
says it is?
"""
