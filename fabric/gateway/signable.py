"""What must be signed before it is sent: here, or off-line and brought back."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fabric.gateway.session import Session


class UnsignedError(RuntimeError):
    """Nothing signed this and the gateway has no signer."""


class Signable(ABC):
    """Base of proposals, transactions, commits and event requests."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The whole, for carrying to where the key is."""

    @abstractmethod
    def _message(self) -> bytes:
        """What is signed."""

    @abstractmethod
    def _signature(self) -> bytes: ...

    @abstractmethod
    def _set_signature(self, signature: bytes) -> None: ...

    @property
    def digest(self) -> bytes:
        """What a signer must sign."""
        return self._session.hash(self._message())

    @property
    def is_signed(self) -> bool:
        """Whether a signature is there."""
        return bool(self._signature())

    def sign_with(self, signature: bytes) -> None:
        """Attach a signature made elsewhere."""
        self._set_signature(signature)

    def sign(self) -> None:
        """Sign with the gateway's own signer, unless a signature is there."""
        if self.is_signed:
            return
        if self._session.signer is None:
            raise UnsignedError(f"{type(self).__name__} is not signed, and the gateway has no signer")
        self._set_signature(self._session.signer(self.digest))
