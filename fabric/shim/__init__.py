"""Chaincode as a service: Fabric's chaincode protocol for contracts written in Python.

>>> from fabric.shim import ChaincodeServer, FabricStub
>>> from fabric.words.response import Response, ok
>>> class Colours:
...     def init(self, stub: FabricStub) -> Response:
...         return ok()
...     def invoke(self, stub: FabricStub) -> Response:
...         function, (name, value) = stub.get_function_and_parameters()
...         stub.put_state(name.decode(), value)
...         return ok(b"done")
>>> with ChaincodeServer(Colours(), package_id="colours_1.0:3f1a", address="127.0.0.1:0") as server:
...     server.port > 0  # and server.wait() serves until server.stop(); `serve` does all that as its environment says
True
"""

from fabric.shim.errors import ChaincodeError, PeerError, StreamClosedError
from fabric.shim.server import ChaincodeServer, TLSFiles
from fabric.shim.serving import serve
from fabric.shim.stub import FabricStub

__all__ = ["ChaincodeError", "ChaincodeServer", "FabricStub", "PeerError", "StreamClosedError", "TLSFiles", "serve"]
