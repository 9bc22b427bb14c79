"""What can go wrong between a contract and its peer."""

from __future__ import annotations


class ChaincodeError(Exception):
    """Base of the errors a contract can meet while it talks to its peer."""


class PeerError(ChaincodeError):
    """The peer answered a request with an error; its text is the message."""


class StreamClosedError(ChaincodeError):
    """The stream to the peer ended while a request was waiting for its answer."""
