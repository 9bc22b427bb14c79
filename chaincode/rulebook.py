"""Every reason for which the contract refuses something, in the order in which they are looked at (``rules`` says how).

docs/contract.md shows this list; a test holds it, and everything that raises a refusal, to it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

When = Literal["call", "always", "enforce"]
"""Refused is the whole call; or the event; or the event if the channel's custody policy is ``enforce``, while under ``flag`` it passes and opens
an exception."""

LANGUAGE = "the language's own"


class Rule(NamedTuple):
    """A reason for refusal: its code for programs, and what must hold for people."""

    number: int
    code: str
    when: When
    says: str


_RULES: tuple[tuple[str, When, str], ...] = (
    ("role", "call", "the submitter's certificate carries a role that allows the call"),
    ("administration", "call", "only organisations that administer the channel configure it, reassign and release"),
    (
        "registration",
        "call",
        "who registered a party, a place or a device has it; a part of a place is whose the place is",
    ),
    (
        "title",
        "call",
        "a thing is protected by who has title to it, a lot by who made it, and either by who has a say in it",
    ),
    ("say", "call", "a say in a thing ends by the word of who has it, or of an administrator"),
    (
        LANGUAGE,
        "always",
        "the event is valid EPCIS: [its checks](epcis.md), and `check_digit`, `parent_missing` and the like",
    ),
    ("negative_quantity", "always", "a quantity is not below zero"),
    ("future", "always", "`eventTime` is no later than the transaction plus the tolerance (300 s)"),
    ("event_id_reused", "always", "an `eventID` names one event for ever"),
    ("unknown_device", "always", "a device that signs is registered"),
    ("not_your_device", "always", "a device signs for the organisation that registered it"),
    ("device_revoked", "always", "a revoked device signs nothing but what it signed before it was lost"),
    ("bad_signature", "always", "the signature is the device's, over this event"),
    ("device_fork", "always", "a device signs one event in each place of its chain"),
    ("unsigned", "always", "from a place that demands signatures comes only what a device has signed"),
    ("not_your_place", "always", "nobody speaks from a place that another organisation has registered"),
    ("not_your_party", "always", "only the sender attests a release, only the consignee an acceptance"),
    ("not_your_event", "always", "only who said something declares that it was in error"),
    ("too_many_declarations", "always", "an event is declared in error at most 16 times"),
    ("already_commissioned", "always", "a thing begins once"),
    ("not_your_lot", "always", "only who made a lot makes more of it"),
    (
        "ended",
        "always",
        "nothing happens to a thing after its end, and it ends once; a stranger's word of its end binds only the stranger",
    ),
    ("cycle", "always", "nothing is in itself, however indirectly"),
    (
        "too_deep",
        "always",
        "what follows from statements about things that are in one another comes to an end (a safeguard: no such statements are known)",
    ),
    (
        "too_late",
        "always",
        "a parent that was loaded more than 2,000 times since it was empty is unpacked by naming what is taken out; a late claim about a lot"
        " that would match more than 4,000 others anew names the document of its shipment",
    ),
    (
        "unit_differs",
        "always",
        "a lot is counted in units that convert into one another: grams and kilograms add up, grams and pieces do not",
    ),
    (
        "quantity_range",
        "always",
        "a quantity is less than 10^12, of at most 15 digits, six of them after the point: nothing is rounded",
    ),
    ("not_in_your_custody", "enforce", "goods are handled and shipped by who holds them at that time"),
    ("already_packed", "enforce", "what is in a parent stays in it until somebody takes it out"),
    ("not_packed", "enforce", "what is taken out of a parent was in it"),
    ("insufficient_quantity", "enforce", "nobody gives away more of a lot than they have"),
    ("rolled_back", "always", "under `rollback`, no other event of the same group is rejected"),
)
RULES = tuple(Rule(number, *rule) for number, rule in enumerate(_RULES, start=1))
CODES = frozenset(rule.code for rule in RULES)
