"""Two organisations on a ledger, and a story that the contract itself writes down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from fabric.words.identity import Identity
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.errors import Conflict, Unavailable
from ledger.port import Ledger
from tests.integration.readmodel.chain import at, object_event, pack, transform

MAKER, SHOP = "https://id.gs1.org/417/9506000111117", "https://id.gs1.org/417/9506000222226"
PLANT, STORE = "https://id.gs1.org/414/9506000111117", "https://id.gs1.org/414/9506000222226"
GTIN, RAW = "https://id.gs1.org/01/09506000134352", "https://id.gs1.org/01/09506000134369/10/R1"
LOT = f"{GTIN}/10/L1"
PALLET = "https://id.gs1.org/00/095060001343520017"
ITEMS = [f"{GTIN}/21/{n}" for n in range(1, 6)]


class Network:
    """Two organisations on a ledger. ``reader`` is a command that reads it in another process: ``catch_up`` says how."""

    def __init__(
        self, ledger: Ledger, people: dict[str, Identity], reader: Sequence[str], chaincode: str = "lotline"
    ) -> None:
        self.ledger = ledger
        self.chaincode = chaincode
        self.reader = list(reader)
        self._people = people

    @classmethod
    async def create(cls, home: Path) -> Network:
        """A new embedded ledger."""
        ledger = await EmbeddedLedger.create(home, ["MakerMSP", "ShopMSP"])
        people = {
            name: ca.issue(home / "organisations" / msp, name, "admin")
            for name, msp in (("maker", "MakerMSP"), ("shop", "ShopMSP"))
        }
        return cls(ledger, people, [sys.executable, "-m", "tests.integration.readmodel.catch_up", str(home)])

    async def register(self) -> None:
        for who, party, place, country in (("maker", MAKER, PLANT, "FR"), ("shop", SHOP, STORE, "DE")):
            await self._submit(who, "registerParty", {"id": party, "name": who.title()})
            site = {"id": place, "party": party, "name": f"{who}'s place", "country": country}
            await self._submit(who, "registerPlace", site)

    async def capture(self, who: str, *events: dict[str, Any]) -> None:
        batch = {"groups": [{"id": "g", "onError": "rollback", "events": list(events)}]}
        answer = await self._submit(who, "capture", batch)
        (group,) = answer["groups"]
        assert group["verdicts"] == []

    async def protect(self, who: str, what: dict[str, str], *organisations: str) -> None:
        await self._submit(who, "protect", {**what, "organisations": organisations})

    def msp(self, who: str) -> str:
        """Whose member somebody is."""
        return self._people[who].msp_id

    async def _submit(self, who: str, function: str, argument: dict[str, Any]) -> Any:
        """As every client does: on a network one peer may be a block behind the others, and they differ."""
        async with asyncio.timeout(30):
            while True:
                try:
                    done = await self.ledger.submit(function, [orjson.dumps(argument)], identity=self._people[who])
                except (Conflict, Unavailable):
                    await asyncio.sleep(0.01)
                else:
                    return orjson.loads(done.result)

    async def story(self) -> None:
        """A lot is made into items, which go to a shop on a pallet and are sold."""
        await self.register()
        here: dict[str, Any] = {"bizLocation": {"id": PLANT}}
        there: dict[str, Any] = {"bizLocation": {"id": STORE}}
        made = object_event(0, "ADD", "commissioning", quantityList=[{"epcClass": RAW, "quantity": 9}])
        await self.capture(
            "maker",
            {**made, **here},
            transform(1, [RAW], ITEMS, ilmd={"cbvmda:lotNumber": "L1"}, **here),
            pack(2, PALLET, ITEMS, **here),
        )
        between: dict[str, Any] = {
            "sourceList": [{"type": "possessing_party", "source": MAKER}],
            "destinationList": [{"type": "possessing_party", "destination": SHOP}],
            "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9506000111117:1"}],
        }
        promise: dict[str, Any] = {
            "lotline:promisedAt": at(50),
            "@context": [{"lotline": "https://ns.lotline.org/epcis/"}],
        }
        shipped = object_event(3, step="shipping", epcList=[PALLET], **between, **promise)
        await self.capture("maker", {**shipped, "readPoint": {"id": PLANT}})
        await self.capture("shop", object_event(30, step="receiving", epcList=[PALLET], **there, **between))
        await self.capture("shop", pack(31, PALLET, action="DELETE", **there))
        await self.capture("shop", object_event(40, "DELETE", "retail_selling", epcList=ITEMS[:2], **there))
