"""What can go wrong with an identifier."""

from __future__ import annotations


class InvalidIdentifier(ValueError):  # noqa: N818 (it says what the identifier is)
    """The text is not a GS1 identifier, or not one that the wanted form can express.

    ``code`` says why, for programs: ``no_key`` (there is no GS1 key in it), ``broken_identifier`` (there is one, with
    a wrong length or wrong characters), ``unknown_qualifier``, ``qualifier_order``, ``qualifier_twice``,
    ``check_digit``, ``compressed_link``, ``tag_uri``.
    """

    def __init__(self, message: str, code: str = "broken_identifier") -> None:
        super().__init__(message)
        self.code = code


class PrefixLengthUnknown(InvalidIdentifier):
    """An EPC URN shows where the company prefix ends; a Digital Link does not, and nobody said."""
