"""The events of a trace: a table to look at, and a file that can be handed over."""

from __future__ import annotations

import pandas as pd

from ui import words
from ui.client import Json
from ui.graph import Name


def shown(events: list[Json], name: Name) -> pd.DataFrame:
    """For the page: short identifiers; what was declared wrong says so."""
    rows = [
        {
            "when": words.moment(event["eventTime"]),
            "step": _step(event),
            "where": name(event["bizLocation"] or event["readPoint"]),
            "who": name(event["party"]) if event["party"] else event["msp"],
            "what": words.listed(event["things"]),
            "how much": ", ".join(
                dict.fromkeys(words.quantity(one["quantity"], one["uom"]) for one in event["quantities"])
            ),
            "standing": _standing(event),
            "document": ", ".join(words.reference(document) for document in event["documents"]),
            "said by": event["msp"],
            "block": event["block"],
            "transaction": event["txId"][:12],
            "event": words.hash_text(event["hash"]),
        }
        for event in events
    ]
    frame = pd.DataFrame(rows)
    empty = [column for column in ("how much", "standing", "document") if len(frame) and not frame[column].any()]
    return frame.drop(columns=empty)


def _step(event: Json) -> str:
    step = str(event["bizStep"] or event["type"]).replace("_", " ")
    return f"✗ {struck(step)}" if event["declaredInError"] else step


def struck(text: str) -> str:
    """Struck through, where a table has no markup: a stroke on every letter."""
    return "".join(f"{letter}\u0336" for letter in text)


def _standing(event: Json) -> str:
    if event["declares"]:
        return f"declares {words.hash_text(event['declares'])} wrong"
    said = [
        f"{(one['reason'] or 'no reason given').replace('_', ' ')} ({one['msp']})" for one in event["declaredInError"]
    ]
    return f"declared wrong: {'; '.join(said)}" if said else ""


def handed_over(trace: Json, name: Name) -> pd.DataFrame:
    """For the file: a row for each thing that an event names, nothing shortened."""
    product_of = {node["id"]: node["product"] for node in trace["nodes"]}
    rows = []
    for event in trace["events"]:
        amounts = {one["thing"]: one for one in event["quantities"]}
        for thing in event["things"]:
            counted = amounts.get(thing)
            product = product_of.get(thing)
            rows.append(
                {
                    "eventTime": event["eventTime"],
                    "recordTime": event["recordTime"],
                    "type": event["type"],
                    "action": event["action"],
                    "bizStep": event["bizStep"],
                    "disposition": event["disposition"],
                    "thing": thing,
                    "product": product,
                    "productName": trace["names"].get(product),
                    "quantity": None if counted is None else words.exact(counted["quantity"]),
                    "uom": None if counted is None else counted["uom"],
                    "readPoint": event["readPoint"],
                    "bizLocation": event["bizLocation"],
                    "placeName": _named(event["bizLocation"] or event["readPoint"], name),
                    "party": event["party"],
                    "partyName": _named(event["party"], name),
                    "documents": " ".join(event["documents"]),
                    "declares": event["declares"],
                    "declaredInErrorBy": " ".join(one["event"] for one in event["declaredInError"]),
                    "organisation": event["msp"],
                    "block": event["block"],
                    "transaction": event["txId"],
                    "event": event["hash"],
                }
            )
    return pd.DataFrame(rows)


def _named(identifier: str | None, name: Name) -> str | None:
    return None if identifier is None else name(identifier)
