"""A simulation: master data, uploads in their order, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from simulation import world
from simulation.config import SimulationConfig
from simulation.distribution import Distribution
from simulation.engine import Engine
from simulation.materials import Materials, opening_stock
from simulation.production import Production
from simulation.recall import Recall
from simulation.retail import Retail
from simulation.upload import Batch

_PLANTS_OPEN = timedelta(hours=6)
_LORRIES_ARE_LOADED = timedelta(hours=16, minutes=30)


class Simulation:
    """One run. ``batches`` can be read once; the truth is whole when they have been."""

    def __init__(self, config: SimulationConfig) -> None:
        self.config = config
        self._engine = Engine(config)

    @property
    def msp_ids(self) -> tuple[str, ...]:
        """The organisations that speak."""
        return world.MSPS

    @property
    def master_data(self) -> dict[str, list[dict[str, Any]]]:
        """``parties`` and ``places``: registration records, each with ``msp``, the organisation that registers it."""
        return {"parties": world.parties(), "places": world.places(len(self._engine.shops))}

    def batches(self) -> Iterator[Batch]:
        """What is uploaded, in the order of upload."""
        engine = self._engine
        in_the_morning = (Materials(engine), Production(engine), Recall(engine))
        in_the_evening = (Distribution(engine), Retail(engine))
        opening_stock(engine)
        for day in range(self.config.days):
            # nobody uses what has not arrived: each part of the day begins with what was there by then
            engine.do_until(engine.morning(day) + _PLANTS_OPEN)
            for part in in_the_morning:
                part.day(day)
            engine.do_until(engine.morning(day) + _LORRIES_ARE_LOADED)
            for later in in_the_evening:
                later.day(day)
            yield from engine.uploads.until(engine.morning(day + 1))

    def truth(self) -> dict[str, Any]:
        """What really happened, and by what configuration."""
        config = self.config
        asked = {"events": config.events, "days": config.days, "seed": config.seed, "end": config.end.isoformat()}
        return {"configuration": asked, "eventsMade": self._engine.uploads.said, **self._engine.truth.to_dict()}

    def write(self, directory: Path) -> int:
        """Write ``master-data.json``, ``events-NNNNN-MSP.jsonld`` (a document a batch) and ``truth.json``.

        Returns the number of events.
        """
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory / "master-data.json", self.master_data)
        count = 0
        for number, batch in enumerate(self.batches()):
            _write(directory / f"events-{number:05d}-{batch.msp_id}.jsonld", document(batch))
            count += len(batch.events)
        _write(directory / "truth.json", self.truth())
        return count


def simulate(config: SimulationConfig) -> Simulation:
    """A simulation that has not run yet."""
    return Simulation(config)


def document(batch: Batch) -> dict[str, Any]:
    """A batch as an EPCIS document."""
    bare = [{name: value for name, value in event.items() if name != "@context"} for event in batch.events]
    return {
        "@context": batch.events[0]["@context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": batch.recorded_at.isoformat().replace("+00:00", "Z"),
        "epcisBody": {"eventList": bare},
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
