"""The keys of the world state. They are an interface: the read model is made from them (docs/contract.md)."""

from __future__ import annotations

NUL = "\x00"


def key(kind: str, *attributes: str) -> str:
    """A composite key; Fabric's format, made here because it is made a thousand times a batch."""
    return f"\x00{kind}\x00" + "".join([attribute + NUL for attribute in attributes])


def event(hash_hex: str) -> str:
    """A captured event."""
    return f"\x00EV\x00{hash_hex}\x00"


def event_id(value: str) -> str:
    """The event that a client's own eventID names."""
    return f"\x00ID\x00{value}\x00"


def thing(uri: str) -> str:
    """An instance's state."""
    return f"\x00TH\x00{uri}\x00"


def trail(uri: str, writer: str) -> str:
    """The events of one writer that name a lot or another class."""
    return f"\x00TR\x00{uri}\x00{writer}\x00"


def inside(parent: str, child: str) -> str:
    """An instance in a parent."""
    return f"\x00IN\x00{parent}\x00{child}\x00"


def loose(parent: str, lot: str) -> str:
    """A loose quantity in a parent."""
    return f"\x00IQ\x00{parent}\x00{lot}\x00"


def lot(uri: str) -> str:
    """A lot's header."""
    return f"\x00LT\x00{uri}\x00"


def balance(lot_uri: str, holder: str, place: str) -> str:
    """How much of a lot a holder has at a place."""
    return f"\x00LB\x00{lot_uri}\x00{holder}\x00{place}\x00"


def unclaimed(lot_uri: str, place: str) -> str:
    """What lies at a place in nobody's name, while somebody else there is taken to hold it."""
    return f"\x00LU\x00{lot_uri}\x00{place}\x00"


def loose_history(parent: str, lot: str) -> str:
    """What was said of a loose quantity in a parent."""
    return f"\x00IL\x00{parent}\x00{lot}\x00"


def account(lot_uri: str, consignee: str, kind: str, document: str) -> str:
    """What was said of a lot's handoffs to a consignee under a document."""
    return f"\x00HA\x00{lot_uri}\x00{consignee}\x00{kind}\x00{document}\x00"


def handoff(identifier: str) -> str:
    """A handoff."""
    return f"\x00HO\x00{identifier}\x00"


def claims(item: str, consignee: str) -> str:
    """What was said of an item's handoffs (a lot's: to one consignee)."""
    return f"\x00HX\x00{item}\x00{consignee}\x00"


def shipment(event: str) -> str:
    """What was released together by one event."""
    return f"\x00HR\x00{event}\x00"


def counted(event: str) -> str:
    """How many things are known to have arrived with others of a shipment."""
    return f"\x00HC\x00{event}\x00"


def document(kind: str, identifier: str) -> str:
    """Lots released or accepted under a document, of which only one side has spoken."""
    return f"\x00HD\x00{kind}\x00{identifier}\x00"


def leftovers(kind: str, document: str, by: str, name: str) -> str:
    """Handoffs under a document of which only one side has spoken, by lot or by consignee and product."""
    return f"\x00HD\x00{kind}\x00{document}\x00{by}\x00{name}\x00"


def page(kind: str, name: str, number: int) -> str:
    """An older part of the history in a record of ``kind`` (``history.py``); ``number`` counts from the oldest."""
    return f"\x00HP\x00{kind}\x00{name}\x00{number}\x00"


def about(hash_hex: str) -> str:
    """What was said about a captured event: declarations of error, who else reported it."""
    return f"\x00EA\x00{hash_hex}\x00"


def exception(identifier: str) -> str:
    """An exception."""
    return f"\x00EX\x00{identifier}\x00"


def party(uri: str) -> str:
    """A party."""
    return f"\x00PY\x00{uri}\x00"


def place(uri: str) -> str:
    """A place."""
    return f"\x00PL\x00{uri}\x00"


def device(identifier: str) -> str:
    """A reading device."""
    return f"\x00DV\x00{identifier}\x00"


def device_chain(identifier: str) -> str:
    """How far a device counted what it signed."""
    return f"\x00DC\x00{identifier}\x00"


def device_scan(identifier: str, counter: int) -> str:
    """An event's place in the chain of its device; in their order."""
    return f"\x00DS\x00{identifier}\x00{counter:016}\x00"


def master_data(identifier: str, msp: str) -> str:
    """What an organisation says of something."""
    return f"\x00MD\x00{identifier}\x00{msp}\x00"


def published(kind: str, identifier: str) -> str:
    """A published digest."""
    return f"\x00PB\x00{kind}\x00{identifier}\x00"


CONFIG = key("CF", "channel")
