"""Reassigning: an administrator gives what is registered to the organisation whose it is.

Who registers first has it, so a party or place can be squatted; and one of an organisation that has left is nobody's to change. Both
are for people to judge: no rule over numbers can (docs/contract.md says why). Who decided, whose it was and when stays in the record.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from chaincode import arguments, keys, parties, rules
from chaincode.context import Context
from chaincode.registered import Device, Party, Place, Reassignment
from chaincode.rejection import Malformed
from chaincode.state import Record
from epcis.identifiers import identity_of

_FORM = (
    "a reassignment is {'id': of a party, place or device, 'msp': organisation}; 'kind' says which, if several have it"
)
_KINDS = ("party", "place", "device")


def reassign(context: Context, argument: bytes) -> bytes:
    """``{id, msp, kind?}`` or a list of them: what has this id belongs to that organisation. ``kind`` is party, place or device.

    A party takes its places along. A place whose party is not its new organisation's is run by none until that registers it anew. A
    device is revoked: its key is in other hands until its new organisation registers one. Answers
    ``{"reassigned": [{"id", "kind", "from", "to"}]}``, one for each record that changed. Raises Malformed.
    """
    rules.has_role(context, rules.ADMIN_ROLES, "reassign")
    rules.administers(context, "reassign")
    changes = [change for found in arguments.each(argument, _Deciding(context).decide) for change in found]
    context.state.flush()
    return orjson.dumps({"reassigned": changes}, option=orjson.OPT_SORT_KEYS)


class _Deciding:
    """The decisions of one call."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._at = _text(context.now)

    def decide(self, entry: Record) -> list[Record]:
        """Give away what has an id; returns what changed."""
        kind = entry.get("kind")
        if entry.keys() - {"id", "msp", "kind"} or kind not in (None, *_KINDS):
            raise Malformed(_FORM)
        identifier, to = arguments.key_text(entry, "id"), arguments.msp(entry, "msp")
        deciding = {"party": self._party, "place": self._place, "device": self._device}
        asked = _KINDS if kind is None else (kind,)
        changes = [change for one in asked for change in deciding[one](identifier, to)]
        if not changes:
            what = kind or "party, place or device"
            raise Malformed(f"no {what} {identifier} is registered: whose it is can register it", 404)
        return changes

    def _party(self, identifier: str, to: str) -> list[Record]:
        uri = str(identity_of(identifier))
        known = Party.from_record(self._context.state.get(keys.party(uri)))
        if known is None:
            return []
        self._context.state.put(keys.party(uri), known.given_to(to, self._by(known.msp)).to_record())
        changes = [_change("party", uri, known.msp, to)]
        for place in self._places_of(uri):
            self._context.state.put(keys.place(place.id), place.given_to(to, uri, self._by(place.msp)).to_record())
            changes.append(_change("place", place.id, place.msp, to))
        return changes

    def _places_of(self, party: str) -> list[Place]:
        """The places that a party runs. An organisation that moves has hundreds, so all are read."""
        records = self._context.stub.get_state_by_partial_composite_key("PL", [])
        committed = (self._context.state.get(key) or orjson.loads(value) for key, value in records)
        found = (Place.from_record(record) for record in committed)
        return [place for place in found if place is not None and place.party == party]

    def _place(self, identifier: str, to: str) -> list[Record]:
        uri = str(identity_of(identifier))
        known = Place.from_record(self._context.state.get(keys.place(uri)))
        if known is None or (known.msp == to and known.reassigned is not None and known.reassigned.at == self._at):
            return []  # it went with its party
        owner = parties.party_record(self._context, known.party) if known.party is not None else None
        party = known.party if owner is not None and owner["msp"] == to else None
        self._context.state.put(keys.place(uri), known.given_to(to, party, self._by(known.msp)).to_record())
        return [_change("place", uri, known.msp, to)]

    def _device(self, identifier: str, to: str) -> list[Record]:
        known = Device.from_record(self._context.state.get(keys.device(identifier)))
        if known is None:
            return []
        self._context.state.put(keys.device(identifier), known.given_to(to, self._by(known.msp)).to_record())
        return [_change("device", identifier, known.msp, to)]

    def _by(self, before: str) -> Reassignment:
        return Reassignment(by=self._context.msp, of=before, at=self._at)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _change(kind: str, identifier: str, before: str, to: str) -> Record:
    return {"kind": kind, "id": identifier, "from": before, "to": to}
