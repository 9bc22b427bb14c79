"""Releases and acceptances of quantities of lots: the handoffs, balances and exceptions that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chaincode import keys
from chaincode.claims import Claim
from chaincode.context import Context
from chaincode.endorsement import endorsed_as
from chaincode.exceptions import close_exception
from chaincode.facts import Fact
from chaincode.handoffs import lane_name
from chaincode.history import short_name
from chaincode.lots import contradictions, legacy, views
from chaincode.lots.account import Account, Group, claim_entry
from chaincode.lots.balances import Balances, Moved, Tally
from chaincode.lots.claims import MOST_NAMED, RANKS, RECEIVE, AccountName, Answer, Release, Said, number
from chaincode.lots.faults import update
from chaincode.lots.header import Lot
from chaincode.lots.lane import Lane
from chaincode.lots.sequence import Place
from chaincode.lots.views import Party, View
from chaincode.state import Record
from epcis.identity import hash_hex
from epcis.units import code_of

RELEASE = "release"


class Handoffs:
    """The handoffs of a lot to one consignee. ``cause`` is the event that changes them."""

    def __init__(self, context: Context, cause: Fact, uri: str, consignee: str, lot: Lot | None, base: str) -> None:
        self._context, self._cause, self.uri, self.consignee = context, cause, uri, consignee
        self._endorsed = (
            lot.endorsed if lot is not None else endorsed_as(context.state.get(keys.claims(uri, consignee)))
        )
        self._uom = code_of(lot.unit if lot is not None and lot.unit is not None else base)
        self._balances = Balances(context, cause, uri, lot, base)
        self._before, self._after = Tally(), Tally()
        """What statements moved before, and what they move now."""
        self._name = lane_name(uri, consignee)
        self._lane = Lane(context, uri, consignee, self._endorsed)
        self._accounts: dict[tuple[str, str], Account] = {}
        self._seen: dict[str, View | None] = {}
        """Handoffs that may have changed, by id; None: there is no such handoff."""
        self._found = contradictions.Leftovers(context, cause)
        self._convert(context.state.get(keys.claims(uri, consignee)), lot.unit if lot is not None else None)

    def say(self, claim: Claim, event_hex: str) -> None:
        """Take a claim in. Raises Rejection."""
        said = _said(claim)
        if claim.documents:
            self._into_account(claim, said, event_hex, asked=True)
        else:
            self._into_lane(claim, said, event_hex, asked=True)
        self._finish()

    def unsay(self, claim: Claim, event_hex: str) -> bool:
        """Take a claim out again; whether it was there. Raises Rejection."""
        if claim.documents:
            found = self._out_of_account(claim, event_hex)
        else:
            found = self._out_of_lane((claim.time, RANKS[claim.kind], short_name(event_hex)))
        if found:
            self._finish()
        return found

    def _finish(self) -> None:
        """Apply and write everything."""
        for into, moved in ((self._before, self._lane.moved_before), (self._after, self._lane.moved_after)):
            for account, amount in moved.items():
                into[account] += amount
        self._balances.apply(self._before, self._after)
        self._note_touched()
        self._save()

    def _ship(self, said: Said, quantity: Decimal | None, *, asked: bool) -> None:
        if quantity is None:
            return
        if asked:
            self._balances.move((said.sender or "", said.at or ""), Moved(-quantity, 1), asked=True)
        else:
            self._after.add(said.sender, said.at, -quantity)

    # --- claims without document

    def _into_lane(self, claim: Claim, said: Said, event_hex: str, *, asked: bool) -> None:
        place = (claim.time, RANKS[claim.kind], short_name(event_hex))
        lane = self._lane
        known = lane.release(place) if claim.kind == RELEASE else lane.answer(place)
        quantity = _together(known.quantity if known is not None else None, claim.quantity)
        if claim.kind == RELEASE:
            lane.remove_release(place)
            lane.add_release(Release.new(place, said, quantity))
            self._ship(said, claim.quantity, asked=asked)
        else:
            lane.remove_answer(place)
            lane.add_answer(Answer(place, claim.kind, said, quantity))

    def _out_of_lane(self, place: Place) -> bool:
        lane = self._lane
        if place[1] != RANKS[RELEASE]:
            known = lane.answer(place)
            lane.remove_answer(place)
            return known is not None
        release = lane.release(place)
        if release is None:
            return False
        lane.remove_release(place)
        if release.quantity is not None:
            self._before.add(release.said.sender, release.said.at, -release.quantity)
        return True

    def _convert(self, record: Record | None, base: str | None) -> None:
        """What the first version of the contract kept of this lane becomes accounts and a lane."""
        claims = legacy.claims_of(record, base)
        if record is None or "v" in record:
            return
        self._seen |= dict.fromkeys(legacy.identities(record, self.uri, self.consignee))
        for account, moved in legacy.movements(claims).items():
            self._before[account] += moved
        for claim in sorted(claims, key=lambda one: one.order):
            into = self._into_account if claim.documents else self._into_lane
            into(claim, _said(claim), hash_hex(claim.event), asked=False)
        for document in sorted({claim.documents[0] for claim in claims if claim.documents}):
            for item, consignee, identity, side in legacy.leftovers(self._context.state, document):
                if (item, consignee) != (self.uri, self.consignee):
                    self._found.know(document, item, consignee, identity, side)

    # --- accounts

    def account(self, document: tuple[str, str]) -> Account:
        """The account of a document."""
        if document not in self._accounts:
            self._accounts[document] = Account(self._context, self.uri, self.consignee, document, self._endorsed)
        return self._accounts[document]

    def _into_account(self, claim: Claim, said: Said, event_hex: str, *, asked: bool) -> None:
        account = self.account(claim.documents[0])
        before = list(account.groups())
        account.add(claim_entry(claim.time, event_hex, claim.kind, said, claim.quantity), claim.sender)
        if claim.kind == RELEASE:
            self._ship(said, claim.quantity, asked=asked)
        elif claim.kind == RECEIVE and claim.quantity is not None:
            self._after.add(self.consignee, said.at, claim.quantity)
        self._pass_on(before, list(account.groups()))

    def _out_of_account(self, claim: Claim, event_hex: str) -> bool:
        account = self.account(claim.documents[0])
        before = list(account.groups())
        known = account.remove(claim.time, RANKS[claim.kind], short_name(event_hex))
        if known is None:
            return False
        said, quantity = Said.from_record(known[3]), number(known[3]["q"])
        if quantity is not None and claim.kind == RELEASE:
            self._before.add(said.sender, said.at, -quantity)
        elif quantity is not None and claim.kind == RECEIVE:
            self._before.add(self.consignee, said.at, quantity)
        self._pass_on(before, list(account.groups()))
        return True

    def _pass_on(self, before: list[Group], after: list[Group]) -> None:
        """Bring the lane, and balances, from what an account had left over to what it has."""
        for groups, tally in ((before, self._before), (after, self._after)):
            for group in groups:
                group.movements(tally, self.consignee)
        old = {group.name: group.leftover() for group in before}
        new = {group.name: group.leftover() for group in after}
        for name in sorted(old.keys() | new.keys()):
            self._replace(old.get(name), new.get(name))
        ids = {self._identity(group) for group in before} | {self._identity(group) for group in after}
        self._seen |= dict.fromkeys(ids)
        self._note_groups(after)

    def _replace(self, old: Release | Answer | None, new: Release | Answer | None) -> None:
        if old == new:
            return
        lane = self._lane
        if old is not None and new is not None and old.place == new.place and old.said == new.said:
            if isinstance(old, Release) and isinstance(new, Release):
                if old.exact == new.exact and lane.resize_release(new.place, new.quantity):
                    return
            elif isinstance(old, Answer) and isinstance(new, Answer) and lane.resize_answer(new.place, new.quantity):
                return
        if isinstance(old, Release):
            lane.remove_release(old.place)
        elif old is not None:
            lane.remove_answer(old.place)
        if isinstance(new, Release):
            lane.add_release(new)
        elif new is not None:
            lane.add_answer(new)

    # --- what is shown

    def _identity(self, group: Group) -> str:
        return f"{self._name}-{views.anchor(group.name, is_primary=group.is_primary)}"

    def _note_touched(self) -> None:
        """Work out the handoffs of what changed in the lane."""
        lane, documents = self._lane, set[tuple[str, str]]()
        for place in sorted(lane.touched):
            name = AccountName.of(place[2])
            if name is not None:
                documents.add((name.kind, name.document))
            else:
                self._seen[f"{self._name}-{place[2]}"] = self._view_of(place)
        for document in sorted(documents):
            self._note_groups(self.account(document).groups())

    def _view_of(self, place: Place) -> View | None:
        if place[1] == RANKS[RELEASE]:
            release = self._lane.release(place)
            if release is None:
                return None
            return views.of_release(release, self.consignee, self._answers_of(release), self._voids_of(release))
        answer = self._lane.answer(place)
        return None if answer is None else views.of_answer(answer, self.consignee)

    def _note_groups(self, groups: Iterable[Group]) -> None:
        for group in groups:
            left = group.leftover()
            fared: Release | Answer | None = None
            if isinstance(left, Release):
                fared = self._lane.release(left.place)
            elif left is not None:
                fared = self._lane.answer(left.place)
            more = self._answers_of(fared) if isinstance(fared, Release) else None
            voids = self._voids_of(fared) if isinstance(fared, Release) else ()
            view = views.of_group(group, self.consignee, fared, more, voids)
            self._seen[self._identity(group)] = view

    def _answers_of(self, release: Release) -> Party | None:
        """Those who answered a release in the lane."""
        if release.answer is None:
            return None
        first = self._lane.answer(release.answer)
        assert first is not None
        events = [event for name in release.answers for event in self._events(name)]
        return Party(first.place, first.said, tuple(dict.fromkeys(events))[:MOST_NAMED], release.count)

    def _voids_of(self, release: Release) -> tuple[str, ...]:
        """The events that took back what was released in the lane."""
        events = [event for name in release.voids for event in self._events(name, voids=True)]
        return tuple(dict.fromkeys(events))[:MOST_NAMED]

    def _events(self, entry_name: str, *, voids: bool = False) -> list[str]:
        name = AccountName.of(entry_name)
        if name is None:
            return [entry_name]
        groups = [group for group in self.account((name.kind, name.document)).groups() if group.name == name]
        return [event for group in groups for _, event in (group.void if voids else group.answers).events]

    def _save(self) -> None:
        """Write lane, accounts, handoffs and exceptions."""
        self._lane.save()
        for account in self._accounts.values():
            account.save()
        for identity, view in sorted(self._seen.items()):
            self._found.note(identity, self.uri, self.consignee, view)
        for identity, view in sorted(self._seen.items()):
            self._write(identity, view)
        self._found.patch(set(self._seen))

    def _write(self, identity: str, view: View | None) -> None:
        state, key = self._context.state, keys.handoff(identity)
        before: Record | None = state.get(key)
        was = before["faults"] if before is not None else []
        if view is None:
            if before is not None:
                for kind in was:
                    close_exception(self._context, self._cause, kind, identity)
                state.delete(key)
            return
        view = view.with_faults(self.uri, self._found.faults_of(self.uri, self.consignee, view))
        record = {**view.to_record(identity, self.uri, self._uom), **self._endorsed}
        if record != before:
            update(self._context, self._cause, identity, self.uri, view.shown, view.parties(), was, view.faults)
            state.file(key, record)


def _said(claim: Claim) -> Said:
    releasing = claim.kind == RELEASE
    return Said(
        claim.msp,
        claim.sender,
        claim.place,
        claim.documents,
        claim.damaged,
        claim.consignee_msp if releasing else None,
        claim.to_place,
        claim.promised,
    )


def _together(before: Decimal | None, more: Decimal | None) -> Decimal | None:
    """An event that names a lot twice means both together."""
    return more if before is None else before if more is None else before + more
