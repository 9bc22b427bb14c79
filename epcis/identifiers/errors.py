"""What can go wrong with an identifier."""

from __future__ import annotations


class InvalidIdentifier(ValueError):  # noqa: N818 (it says what the identifier is)
    """The text is not a GS1 identifier, or not one that the wanted form can express."""


class PrefixLengthUnknown(InvalidIdentifier):
    """An EPC URN shows where the company prefix ends; a Digital Link does not, and nobody said."""
