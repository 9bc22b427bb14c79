"""Parse, validate and hash: events a second on one core.

    python -m benchmarks.epcis_parse --events 20000

The events are what warehouses send: object events of three items with places, parties and a purchase order, and
packings of five items; every serial number is new, so that no cache helps with them. They come in documents of a
hundred, with identifiers as EPC URNs; the same events are then read back from the form in which Lotline stores them.

Baselines, measured on the same documents in the same run:

- ``json``: ``json.loads`` alone;
- ``schema``: ``json.loads`` and GS1's JSON Schema in jsonschema-rs, which neither models nor hashes anything
  (needs the shared data, ``LOTLINE_DATA``);
- ``reference``: the public reference hash generator, which hashes and does not validate. Install
  ``epcis-event-hash-generator`` in an environment of its own and name its interpreter: ``--reference PYTHON``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.report import report
from epcis import parse_document, parse_event
from epcis.context import STANDARD_CONTEXT

_TARGET = 10_000
_PER_DOCUMENT = 100
_START = datetime(2024, 3, 1, tzinfo=timezone(timedelta(hours=1)))
_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_REFERENCE = """
import json, sys, time
from epcis_event_hash_generator import hash_generator, json_to_py
documents = json.load(open(sys.argv[1]))
began = time.process_time()
for text in documents:
    hash_generator.epcis_hashes_from_events(json_to_py.event_list_from_epcis_document_str(text))
print(time.process_time() - began)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--reference", help="interpreter that has epcis-event-hash-generator installed")
    chosen = parser.parse_args()
    documents = make_documents(chosen.events)
    ours = timed("lotline: parse + validate + hash", chosen.events, lambda: hash_all(documents))
    stored = [event.to_stored() for text in documents for event in parse_document(text).events]
    timed("lotline: stored form, parse + validate + hash", chosen.events, lambda: hash_stored(stored))
    baselines = [timed("baseline json", chosen.events, lambda: each(json.loads, documents))]
    schema = schema_check()
    if schema is not None:
        baselines.append(timed("baseline schema", chosen.events, lambda: each(schema, documents)))
    if chosen.reference:
        baselines.append(reference(chosen.reference, documents[: len(documents) // 10 or 1]))
    for name, rate in baselines:
        print(f"ratio to {name}: {ours[1] / rate:.2f}")
    report("parse, validate and hash, one core", measured=ours[1], target=_TARGET, unit="events/s")
    return 0


def timed(name: str, events: int, work: Callable[[], Any]) -> tuple[str, float]:
    """Time ``work`` once, in seconds of one core, and print and return events a second."""
    began = time.process_time()
    work()
    rate = events / (time.process_time() - began)
    print(f"{name:<46} {rate:>10,.0f} events/s")
    return name, rate


def each(work: Callable[[bytes], Any], documents: list[bytes]) -> None:
    for text in documents:
        work(text)


def hash_all(documents: list[bytes]) -> list[str]:
    return [event.hash for text in documents for event in parse_document(text).events]


def hash_stored(stored: list[bytes]) -> list[str]:
    return [parse_event(text).hash for text in stored]


def schema_check() -> Callable[[bytes], bool] | None:
    """GS1's JSON Schema as a function of a document's text; None where it is not at hand."""
    data = Path(os.environ.get("LOTLINE_DATA", _DEFAULT_DATA)) / "epcis/gs1/EPCIS-JSON-Schema.json"
    if not data.exists():
        return None
    import jsonschema_rs

    validator = jsonschema_rs.Draft7Validator(json.loads(data.read_bytes()), validate_formats=True)
    return lambda text: validator.is_valid(json.loads(text))


def reference(interpreter: str, documents: list[bytes]) -> tuple[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([text.decode() for text in documents], file)
        file.flush()
        command = [interpreter, "-c", _REFERENCE, file.name]
        took = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    rate = len(documents) * _PER_DOCUMENT / took
    print(f"{'baseline reference':<46} {rate:>10,.0f} events/s")
    return "baseline reference", rate


def make_documents(events: int) -> list[bytes]:
    listed = [object_event(number) if number % 2 else aggregation_event(number) for number in range(events)]
    return [
        json.dumps(
            {
                "@context": [STANDARD_CONTEXT],
                "type": "EPCISDocument",
                "schemaVersion": "2.0",
                "creationDate": "2024-05-01T00:00:00Z",
                "epcisBody": {"eventList": listed[start : start + _PER_DOCUMENT]},
            }
        ).encode()
        for start in range(0, events, _PER_DOCUMENT)
    ]


def object_event(number: int) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": _time(number),
        "eventTimeZoneOffset": "+01:00",
        "epcList": [f"urn:epc:id:sgtin:4012345.011111.{number}-{item}" for item in range(3)],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
        "bizLocation": {"id": "urn:epc:id:sgln:4012345.00011.0"},
        "bizTransactionList": [{"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:4012345000009:{number}"}],
        "sourceList": [{"type": "possessing_party", "source": "urn:epc:id:pgln:4012345.00000"}],
        "destinationList": [{"type": "possessing_party", "destination": "urn:epc:id:pgln:4023333.00000"}],
    }


def aggregation_event(number: int) -> dict[str, Any]:
    return {
        "type": "AggregationEvent",
        "eventTime": _time(number),
        "eventTimeZoneOffset": "+01:00",
        "parentID": f"urn:epc:id:sscc:4012345.{number:010d}",
        "childEPCs": [f"urn:epc:id:sgtin:4012345.022222.{number}-{item}" for item in range(5)],
        "action": "ADD",
        "bizStep": "packing",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
    }


def _time(number: int) -> str:
    return (_START + timedelta(seconds=number)).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    sys.exit(main())
