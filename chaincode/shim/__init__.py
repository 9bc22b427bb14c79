"""Chaincode as a service: Fabric's chaincode protocol for contracts written in Python.

>>> from chaincode.shim import ChaincodeServer
>>> with ChaincodeServer(contract, package_id="lotline:3f…", address="127.0.0.1:9999") as server:
...     server.wait()
"""

from chaincode.shim.errors import ChaincodeError, PeerError, StreamClosedError
from chaincode.shim.server import ChaincodeServer, TLSFiles
from chaincode.shim.serving import serve
from chaincode.shim.stub import FabricStub

__all__ = ["ChaincodeError", "ChaincodeServer", "FabricStub", "PeerError", "StreamClosedError", "TLSFiles", "serve"]
