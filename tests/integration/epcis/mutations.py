"""Systematic damage to a JSON document: at every place, everything that is likely to be got wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# What a value may be replaced by: every JSON type, and texts that are nearly right.
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.5, 1e300, "", " ", "x", "no uri", "a:b", "urn:", "http://",
    "https://a b", "%",
    "https://id.gs1.org/01/04012345111118/21/1", "urn:epc:id:sgtin:4012345.011111.1",
    "urn:epcglobal:cbv:disp:active",
    "https://ns.gs1.org/cbv/BizStep-shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "https://gs1.org/voc/Mass",
    "http://www.gs1.org/voc/Mass", "cbv:BizStep-shipping", "shipping", "SHIPPING", "active", "po", "location",
    "Temperature", "ALARM_CONDITION", "latitude", "incorrect_data", "OBSERVE", "ADD", "DELETE", "add",
    "KGM", "KGM\n",
    "kgm", "KGMM", "2.0", "2.", "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01T00:00:00",
    "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01t00:00:00z", "+14:00", "+14:01", "-13:59",
    "0100",
    "f0f0", "f0g0", "http://[::1]", "http://[::1", "ObjectEvent", "AggregationEvent", "TransactionEvent",
    "TransformationEvent", "AssociationEvent", "EPCISDocument", "EPCISQueryDocument", "example:MyEvent",
    "MyEvent",
    [], [None], [[]], ["x"], ["a:b"], ["a:b", "a:b"], ["active"], ["active", "active"], [{}], {}, {"a": 1},
    {"a:b": 1}, {"id": "a:b"}, {"id": "x"}, {"id": "a:b", "x": 1}, {"set": ["active"]}, {"unset": []},
    {"set": None},
)  # fmt: skip
# Members added to every object: unknown, extensions, and the standard's own where they may not belong.
_ADDED: tuple[tuple[str, Any], ...] = (
    ("unknown", 1), ("example:extension", {"deep": [1]}), ("bad name:x", 1), ("a b", 1), ("", 1),
    ("https://x.org/y", 1),
    ("@context", "https://x.org/y"), ("@context", 5), ("@context", ["https://x.org/y", "https://x.org/y"]),
    ("id", "x"), ("type", 5), ("epcList", []), ("epcList", ["a:b"]), ("childEPCs", ["a:b"]), ("childEPCs",
    []),
    ("quantityList", []), ("quantityList", [{"epcClass": "a:b"}]), ("childQuantityList",
    [{"epcClass": "a:b"}]),
    ("inputEPCList", ["a:b"]), ("outputEPCList", ["a:b"]), ("inputQuantityList", [{"epcClass": "a:b"}]),
    ("parentID", "a:b"), ("transformationID", "a:b"), ("ilmd", {}), ("ilmd", {"x": 1}), ("ilmd", {"a:b": 1}),
    ("action", "ADD"), ("action", "DELETE"), ("eventID", "x"), ("recordTime", "x"), ("event_time_text", "x"),
    ("bizRules", "a:b"), ("sensorElementList", []), ("persistentDisposition", {"set": ["active"]}),
    ("certificationInfo", ["a:b", "x"]), ("certificationInfo", "a:b"), ("bizTransactionList", []),
    ("errorDeclaration", {"declarationTime": "2024-01-01T00:00:00Z", "x": 1}),
    ("errorDeclaration", {"declarationTime": "2024-01-01T00:00:00Z", "reason": "incorrect_data"}),
    ("epcisHeader", {"epcisMasterData": {"vocabularyList": [{"type": "a:b", "vocabularyElementList": [
        {"id": "a:b", "attributes": [{"id": "a:b", "attribute": True}]}]}]}}),
    ("epcisHeader", {"epcisMasterData": {"vocabularyList": [{"type": "a:b", "vocabularyElementList": [
        {"id": "a:b", "attributes": [{"id": "a:b", "attribute": 1.5}], "children": ["a:b"]}]}]}}),
    ("epcisHeader", {"x": 1}), ("epcisHeader", {"epcisMasterData": {"vocabularyList": [{"type": "x"}]}}),
    ("vocabularyList", [{"type": "a:b"}]), ("vocabularyList", [{}]), ("subscriptionID", 5),
    ("sender", 5), ("receiver", None), ("instanceIdentifier", "1"),
)  # fmt: skip


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """(what was done, the damaged document): always the same object, mended again before the next one."""
    holder = {"": document}
    yield from ((what, holder[""]) for what in _mutate(holder, "", ""))


def _mutate(holder: Any, key: Any, where: str) -> Iterator[str]:
    original = holder[key]
    for value in _VALUES:
        holder[key] = value
        yield f"{where} = {value!r}"
    holder[key] = original
    if isinstance(original, dict):
        yield from _mutate_object(original, where)
    elif isinstance(original, list):
        yield from _mutate_list(original, where)


def _mutate_object(original: dict[str, Any], where: str) -> Iterator[str]:
    for name, value in _ADDED:
        if name not in original:
            original[name] = value
            yield f"{where}/{name} added: {value!r}"
            del original[name]
    for name in list(original):
        members = dict(original)
        del original[name]
        yield f"{where}/{name} removed"
        original.clear()
        original.update(members)
        yield from _mutate(original, name, f"{where}/{name}")


def _mutate_list(original: list[Any], where: str) -> Iterator[str]:
    if original:
        original.append(original[0])
        yield f"{where}: first element twice"
        original.pop()
    for place in range(min(len(original), 3)):
        yield from _mutate(original, place, f"{where}/{place}")
