"""Digests of models and forecasts: committed once, never changed, so nobody can rewrite a forecast after the fact."""

from __future__ import annotations

import re

import orjson

from chaincode import keys, rules
from chaincode.context import Context
from chaincode.rejection import Malformed

KINDS = ("model", "forecast")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST = 65_536


def publish(context: Context, argument: bytes) -> bytes:
    """``{kind, id, digest, …}``, digest a SHA-256 in hexadecimal. The same again is no error, another digest is."""
    rules.has_role(context, rules.PUBLISH_ROLES, "publish")
    document = _read(argument)
    key = keys.published(document["kind"], document["id"])
    known = context.state.get(key)
    record = {**document, "msp": context.msp, "submitter": context.client.id}
    if known is None:
        context.state.put(key, record)
        context.state.flush()
    elif known["digest"] != document["digest"] or known["msp"] != context.msp:
        raise Malformed(f"{document['kind']} {document['id']} was published before with digest {known['digest']}", 409)
    return orjson.dumps(known or record, option=orjson.OPT_SORT_KEYS)


def _read(argument: bytes) -> dict[str, str]:
    if len(argument) > _LARGEST:
        raise Malformed(f"a publication is a digest and its description, at most {_LARGEST} bytes")
    try:
        document = orjson.loads(argument)
        kind, identifier, digest = document["kind"], document["id"], document["digest"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Malformed(f"a publication has kind, id and digest: {error!r}") from error
    if kind not in KINDS:
        raise Malformed(f"kind is {' or '.join(KINDS)}, not {kind!r}")
    if not isinstance(identifier, str) or not identifier or "\x00" in identifier:
        raise Malformed("id is a text that is not empty")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Malformed("digest is a SHA-256 in 64 hexadecimal digits")
    return dict(document)
