"""Chaincode as a service: Fabric's chaincode protocol for contracts written in Python.

>>> from fabric.shim import ChaincodeServer
>>> with ChaincodeServer(contract, package_id="lotline:3f…", address="127.0.0.1:9999") as server:
...     server.wait()
"""

from fabric.shim.errors import ChaincodeError, PeerError, StreamClosedError
from fabric.shim.server import ChaincodeServer, TLSFiles
from fabric.shim.serving import serve
from fabric.shim.stub import FabricStub

__all__ = ["ChaincodeError", "ChaincodeServer", "FabricStub", "PeerError", "StreamClosedError", "TLSFiles", "serve"]
