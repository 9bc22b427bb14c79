"""A slow model of lots that forgets nothing: it takes the whole set of statements and works everything out from the beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chaincode.context import decimal_text
from chaincode.facts import fact_of
from chaincode.history import short_name
from epcis import parse_value
from epcis.units import unit
from tests.unit.chaincode.peer import SITES, event, lot, pack, pallet, quantities, receive, ship, unpack

ORDER = ("desadv", "bol", "po", "inv", "recadv")
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Statement:
    """What one organisation says of a quantity. ``names``: whether an acceptance names its sender, and whom."""

    kind: str
    hour: float
    msp: str
    amount: Any
    of: int = 1
    uom: str | None = None
    to: str | None = None
    documents: tuple[tuple[str, str], ...] = ()
    sender: str | None = None
    damaged: bool = False
    parent: int = 1

    def event(self) -> dict[str, Any]:
        """As EPCIS."""
        site, uri = SITES[self.msp], lot(self.of)
        amounts = quantities({uri: self.amount} if self.amount is not None else {}, self.uom)
        amounts = amounts or [{"epcClass": uri}]
        if self.kind in ("pack", "unpack"):
            made = (pack if self.kind == "pack" else unpack)(self.hour, pallet(self.parent), site=site)
            made["childQuantityList"] = amounts
            return made
        if self.kind == "make":
            return event("ObjectEvent", self.hour, "commissioning", site, action="ADD", quantityList=amounts)
        if self.kind == "sell":
            return event("ObjectEvent", self.hour, "retail_selling", site, action="OBSERVE", quantityList=amounts)
        to = SITES[self.to] if self.to is not None else None
        made = ship(self.hour, site=site, to=to) if self.kind in ("ship", "void") else receive(self.hour, site=site)
        made["quantityList"] = amounts
        if self.kind in ("void", "accept"):
            made["bizStep"] = "void_shipping" if self.kind == "void" else "accepting"
        if self.sender is not None:
            made["sourceList"] = [{"type": "owning_party", "source": SITES[self.sender][1]}]
        if self.damaged:
            made["disposition"] = "damaged"
        if self.documents:
            made["bizTransactionList"] = [
                {"type": kind, "bizTransaction": f"urn:epcglobal:cbv:bt:9506000000018:{name}"}
                for kind, name in self.documents
            ]
        return made


@dataclass
class Claim:
    """A statement about a handoff, or what an account has left over."""

    kind: str
    place: tuple[str, int, str]
    quantity: Decimal | None
    sender: str | None
    at: str
    msp: str
    documents: tuple[tuple[str, str], ...]
    damaged: bool = False
    account: Account | None = None
    exact: bool = True
    open: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)
    got: Decimal | None = None
    answers: list[Claim] = field(default_factory=list)
    voids: list[Claim] = field(default_factory=list)
    met: list[Claim] = field(default_factory=list)
    rest: Decimal = Decimal(0)
    unconfirmed: Decimal = Decimal(0)
    confirms: bool = False
    counts: Decimal = Decimal(0)

    @property
    def is_open(self) -> bool:
        return not self.answers and not self.voids if self.quantity is None else self.open > 0

    def may_meet(self, other: Claim) -> bool:
        if None not in (self.sender, other.sender) and self.sender != other.sender:
            return False
        kinds = {kind for kind, _ in self.documents} & {kind for kind, _ in other.documents}
        return all(
            {one for one in self.documents if one[0] == kind} & {one for one in other.documents if one[0] == kind}
            for kind in kinds
        )

    def shares(self, other: Claim) -> bool:
        return bool(set(self.documents) & set(other.documents))


@dataclass
class Account:
    """What a sender released under a document, and what answers that."""

    name: tuple[str, str, str]
    claims: list[Claim] = field(default_factory=list)

    def side(self, *kinds: str) -> list[Claim]:
        return sorted((one for one in self.claims if one.kind in kinds), key=lambda one: one.place)

    @staticmethod
    def sum(claims: Iterable[Claim]) -> Decimal | None:
        known = [one.quantity for one in claims if one.quantity is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def released(self) -> Decimal | None:
        return self.sum(self.side("release"))

    @property
    def accepted(self) -> Decimal | None:
        sums = [self.sum(self.side(kind)) for kind in ("receive", "accept")]
        return max((one for one in sums if one is not None), default=None)

    @property
    def wanted(self) -> Decimal:
        voids = self.side("void")
        assert self.released is not None
        if any(one.quantity is None for one in voids):
            return self.released
        return self.sum(voids) or Decimal(0)

    @property
    def taken(self) -> Decimal:
        if self.released is None:
            return Decimal(0)
        return min(self.wanted, max(Decimal(0), self.released - (self.accepted or 0)))


Key = tuple[str, str]


class World:
    """All that follows from a set of statements."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.balances: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self.loose: dict[tuple[str, str], Decimal] = {}
        self.handoffs: list[tuple[Any, ...]] = []
        self.open: list[str] = []
        self._left: list[tuple[str, str, tuple[str, str], str, int]] = []
        self._accepted_only: dict[int, list[str]] = {}
        lanes: defaultdict[Key, list[Claim]] = defaultdict(list)
        packed: defaultdict[Key, list[tuple[Any, ...]]] = defaultdict(list)
        made, named = set[str](), set[str]()
        for said in statements:
            uri, (place, party) = lot(said.of), SITES[said.msp]
            fact = fact_of(parse_value(said.event()))
            quantity = None if said.amount is None else Decimal(str(said.amount)) * unit(said.uom).factor
            (made if said.kind == "make" else named).add(uri)
            if said.kind in ("make", "sell"):
                self._add(uri, party, place, (quantity or Decimal(0)) * (1 if said.kind == "make" else -1), quantity)
            elif said.kind in ("pack", "unpack"):
                if quantity is not None:
                    rank = 0 if said.kind == "pack" else 1
                    key = (pallet(said.parent), uri)
                    packed[key].append((fact.time, rank, short_name(fact.hex), quantity, party, place))
            else:
                self._claim(lanes, said, uri, fact.time, short_name(fact.hex), quantity)
        for key, entries in packed.items():
            self._unpack(key, sorted(entries))
        for key in sorted(lanes):
            self._lane(key, lanes[key])
        self._contradict()
        self.open += ["uncommissioned" for uri in named - made]
        self.open += ["overdrawn" for amount in self.balances.values() if amount < 0]
        self.open.sort()
        self.handoffs.sort(key=str)

    def _add(self, uri: str, party: str, place: str, amount: Decimal, said: Decimal | None = Decimal(0)) -> None:
        if said is not None:
            self.balances[uri, party, place] += amount

    def _claim(
        self,
        lanes: defaultdict[Key, list[Claim]],
        said: Statement,
        uri: str,
        time: str,
        name: str,
        quantity: Decimal | None,
    ) -> None:
        kind = {"ship": "release"}.get(said.kind, said.kind)
        rank = ("release", "receive", "accept", "void").index(kind)
        place, party = SITES[said.msp]
        if kind in ("release", "void"):
            consignee = SITES[said.to][1] if said.to is not None else ""
            sender: str | None = party
        else:
            consignee, sender = party, SITES[said.sender][1] if said.sender is not None else None
        documents = tuple(sorted(said.documents, key=lambda one: (ORDER.index(one[0]), one[1])))
        claim = Claim(kind, (time, rank, name), quantity, sender, place, said.msp, documents, said.damaged)
        lanes[uri, consignee].append(claim)
        if kind == "release":
            self._add(uri, party, place, -(quantity or Decimal(0)), quantity)

    def _unpack(self, key: Key, entries: list[tuple[Any, ...]]) -> None:
        inside = excess = Decimal(0)
        for _, rank, _, quantity, party, place in entries:
            if rank == 0:
                inside += quantity
                self._add(key[1], party, place, -quantity)
            else:
                taken = min(quantity, inside)
                inside, excess = inside - taken, excess + quantity - taken
                if taken:
                    self._add(key[1], party, place, taken)
        if inside:
            self.loose[key] = inside
        if excess:
            self.open.append("not_packed")

    # --- handoffs

    def _lane(self, key: Key, claims: list[Claim]) -> None:
        uri, consignee = key
        alone = [one for one in claims if not one.documents]
        accounts = self._accounts([one for one in claims if one.documents])
        for account in accounts:
            self._settle(uri, consignee, account)
        leftovers = [one for account in accounts if (one := self._leftover(account)) is not None]
        everything = [*alone, *leftovers]
        releases = sorted((one for one in everything if one.kind == "release"), key=lambda one: one.place)
        for one in releases:
            one.open = one.quantity or Decimal(0)
        answers = sorted((one for one in everything if one.kind != "release"), key=lambda one: one.place)
        self._answer_all(key, releases, answers)
        by_account = {one.account.name: one for one in leftovers if one.account is not None}
        for one in releases:
            if one.account is None:
                self._show_release(key, one)
        for one in answers:
            if one.account is None and not one.met and one.kind != "void" and not self._is_confirmation(one):
                self._show(key, None, [one], None, one.counts if one.quantity is not None else None, one.documents)
        for account in accounts:
            self._show_account(key, account, by_account.get(account.name))

    def _answer_all(self, key: Key, releases: list[Claim], answers: list[Claim]) -> None:
        uri, consignee = key
        for number, answer in enumerate(answers):
            if answer.kind == "void":
                self._take_back(uri, answer, releases)
                continue
            left = answer.quantity
            if answer.kind == "accept" and answer.account is None:
                left = self._confirm(answer, answers[:number])
            answer.unconfirmed = answer.quantity or Decimal(0)
            answer.counts = left or Decimal(0)
            if answer.account is None and answer.counts:
                self._add(uri, consignee, answer.at, answer.counts)
            if left is None or left > 0:
                self._fill(answer, left, releases)

    @staticmethod
    def _is_confirmation(answer: Claim) -> bool:
        return answer.kind == "accept" and answer.counts == 0 and answer.confirms

    @staticmethod
    def _accounts(claims: list[Claim]) -> list[Account]:
        found: list[Account] = []
        for document in sorted({one.documents[0] for one in claims}):
            here = [one for one in claims if one.documents[0] == document]
            senders = {one.sender for one in here if one.sender is not None}
            accounts = {sender: Account((*document, sender)) for sender in senders}
            nameless = [one for one in here if one.sender is None]
            for one in here:
                if one.sender is not None:
                    accounts[one.sender].claims.append(one)
            first = [
                (account.side("release")[0].place, name)
                for name, account in accounts.items()
                if account.side("release")
            ]
            if first:
                accounts[min(first)[1]].claims += nameless
            elif nameless:
                accounts[""] = Account((*document, ""), nameless)
            found += accounts.values()
        return found

    def _settle(self, uri: str, consignee: str, account: Account) -> None:
        releases = account.side("release")
        if account.taken and releases:
            self._add(uri, releases[0].sender or "", releases[0].at, account.taken)
        for one in account.side("receive"):
            self._add(uri, consignee, one.at, one.quantity or Decimal(0), one.quantity)
        more = (account.sum(account.side("accept")) or 0) - (account.sum(account.side("receive")) or 0)
        if more > 0:
            self._add(uri, consignee, account.side("accept")[0].at, Decimal(more))

    @staticmethod
    def _leftover(account: Account) -> Claim | None:
        releases, answers, voids = account.side("release"), account.side("receive", "accept"), account.side("void")
        name = "~" + "\t".join(account.name)

        def left(kind: str, first: Claim, quantity: Decimal | None, *, exact: bool = True) -> Claim | None:
            if quantity == 0:
                return None
            rank = ("release", "receive", "accept", "void").index(kind)
            here = (first.place[0], rank, name)
            return Claim(
                kind, here, quantity, first.sender, first.at, first.msp, first.documents, first.damaged, account, exact
            )

        if releases:
            if not answers:
                if voids and account.released is None:
                    return None
                quantity = None if account.released is None else account.released - account.taken
                return left("release", releases[0], quantity, exact=len(releases) == 1)
            if account.released is None or account.accepted is None:
                return None
            net = account.released - account.taken - account.accepted
            if net > 0:
                return left("release", releases[0], net, exact=len(releases) == 1)
            return left("receive", answers[0], -net)
        if answers:
            return left("receive", answers[0], account.accepted)
        known = None if any(one.quantity is None for one in voids) else account.sum(voids)
        return left("void", voids[0], known)

    @staticmethod
    def _confirm(answer: Claim, before: list[Claim]) -> Decimal | None:
        known = [
            one
            for one in before
            if one.kind == "receive"
            and one.account is None
            and one.unconfirmed > 0
            and one.msp == answer.msp
            and answer.may_meet(one)
        ]
        left = answer.quantity
        exact = [one for one in known if one.unconfirmed == left]
        answer.confirms = bool(known)
        for one in exact[:1] or known:
            if left is not None and left <= 0:
                break
            amount = one.unconfirmed if left is None else min(left, one.unconfirmed)
            one.unconfirmed -= amount
            if one.met:
                one.met[0].answers.append(answer)
            left = Decimal(0) if left is None else left - amount
        return left

    @staticmethod
    def _fill(answer: Claim, left: Decimal | None, releases: list[Claim]) -> None:
        moment = datetime.fromisoformat(answer.place[0])
        near = [one for one in releases if datetime.fromisoformat(one.place[0]) <= moment + DAY]
        there = [one for one in near if one.place[0] <= answer.place[0] and one.is_open and answer.may_meet(one)]
        named = [one for one in there if answer.shares(one)]
        exact = [one for one in named or there if one.exact and one.quantity is not None and one.open == left]
        answer.rest = left or Decimal(0)
        for one in exact[:1] or [*named, *near]:
            if not one.is_open or not answer.may_meet(one):
                continue
            if answer.quantity is None:
                if answer.met:
                    break
                one.open = Decimal(0)
            elif answer.rest <= 0:
                break
            else:
                amount = answer.rest if one.quantity is None else min(answer.rest, one.open)
                one.open = Decimal(0) if one.quantity is None else one.open - amount
                one.got = (one.got or Decimal(0)) + amount
                answer.rest -= amount
            one.answers.append(answer)
            answer.met.append(one)
        if answer.met and answer.rest > 0:
            last = answer.met[-1]
            last.got = (last.got or Decimal(0)) + answer.rest

    def _take_back(self, uri: str, answer: Claim, releases: list[Claim]) -> None:
        there = [
            one
            for one in reversed(releases)
            if one.place < answer.place and one.is_open and one.msp == answer.msp and answer.may_meet(one)
        ]
        named = [one for one in there if answer.shares(one)]
        exact = [
            one for one in named or there if one.exact and one.quantity is not None and one.open == answer.quantity
        ]
        left = answer.quantity
        for one in exact[:1] or named or there:
            if left is not None and left <= 0:
                return
            amount = one.open if left is None or one.quantity is None else min(left, one.open)
            one.open -= amount
            one.taken += amount
            one.voids.append(answer)
            answer.met.append(one)
            if amount:
                self._add(uri, one.sender or "", one.at, amount)
            if left is None or one.quantity is None:
                return
            left -= amount

    # --- what is shown

    def _show_release(self, key: Key, one: Claim) -> None:
        released = None if one.quantity is None else one.quantity - one.taken
        if one.voids and not one.answers and not released:
            self._void(key, one.sender)
            return
        self._show(key, one, one.answers, released, one.got, None)

    def _void(self, key: Key, sender: str | None) -> None:
        self.handoffs.append((key[0], sender, key[1] or None, "void", None, None, None, None, ()))

    def _show_account(self, key: Key, account: Account, left: Claim | None) -> None:
        releases, answers = account.side("release"), account.side("receive", "accept")
        accepted = account.accepted
        if not releases and (not answers or (left is not None and left.met)):
            return
        released = account.released
        voids = [*account.side("void")]
        if released is not None:
            released -= account.taken
        more: list[Claim] = []
        if left is not None and left.kind == "release":
            voids += left.voids
            more = left.answers
            if released is not None:
                released -= left.taken
            if left.got is not None:
                accepted = (accepted or Decimal(0)) + left.got
        elif left is not None and left.met and accepted is not None:
            accepted -= left.quantity or Decimal(0)
        everybody = sorted([*answers, *more], key=lambda one: one.place)
        if releases and not everybody and voids and not released:
            self._void(key, releases[0].sender)
            return
        contested = False
        if voids and answers and account.released is not None and account.side("void"):
            contested = min(account.wanted, account.released) > account.taken
        first = releases[0] if releases else None
        document = (account.name[0], account.name[1])
        self._show(key, first, everybody, released, accepted, (document,), contested=contested)

    def _show(
        self,
        key: Key,
        release: Claim | None,
        answers: list[Claim],
        released: Decimal | None,
        accepted: Decimal | None,
        documents: tuple[tuple[str, str], ...] | None,
        *,
        contested: bool = False,
    ) -> None:
        faults: list[str] = []
        answer = min(answers, key=lambda one: one.place) if answers else None
        gone = release is not None and released == 0
        if answer is not None:
            if release is None or gone:
                faults.append("unannounced")
            elif released is not None and accepted is not None and released != accepted:
                faults.append("shortage" if released > accepted else "overage")
            faults += ["damaged"] if any(one.damaged for one in answers) else []
            faults += ["taken_back"] if contested else []
        status = (
            "released"
            if answer is None
            else "accepted"
            if release is None or gone
            else "disputed"
            if faults
            else "complete"
        )
        sender = release.sender if release is not None else answer.sender if answer is not None else None
        number = len(self.handoffs)
        self.handoffs.append(
            (
                key[0],
                sender,
                key[1] or None,
                status,
                None if released is None else decimal_text(released),
                None if accepted is None else decimal_text(accepted),
                release.place[0] if release is not None else None,
                answer.place[0] if answer is not None else None,
                tuple(faults),
            )
        )
        if documents and (release is None) != (answer is None):
            side = "accepted" if release is None else "released"
            self._left.append((key[0], key[1], documents[0], side, number))

    def _contradict(self) -> None:
        for uri, consignee, document, side, number in self._left:
            if side != "accepted":
                continue
            rivals = [one for one in self._left if one[2] == document and one[3] == "released"]
            found = []
            if any(one[0] == uri and one[1] != consignee for one in rivals):
                found.append("wrong_consignee")
            if any(one[0] != uri and one[1] == consignee for one in rivals):
                found.append("wrong_lot")
            if found:
                shown = self.handoffs[number]
                self.handoffs[number] = (*shown[:3], "disputed", *shown[4:8], (*shown[8], *found))
        self.handoffs = [(*one[:8], tuple(sorted(one[8]))) for one in self.handoffs]
        self.open += [fault for one in self.handoffs for fault in one[8]]
