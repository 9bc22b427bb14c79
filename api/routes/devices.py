"""``/devices``: scanners and sensors that sign what they report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BeforeValidator, Field, model_validator

from api import problems
from api.answers import GLN, PGLN
from api.auth import MAY_ADMINISTER, MAY_SEE_THINGS
from api.commands import MANY, REGISTERED, Registered, Text, as_list, canonical, command, register
from api.models import Answer, Given, Page
from api.paging import PageSize, PageToken
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries import registry

router = APIRouter(route_class=ApiRoute, tags=["registry"])
DeviceId = Annotated[str, Path(alias="id", max_length=500)]
REVOKED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Revoked."},
    202: REGISTERED[202],
    **problems.responses(400, 401, 403, 404, 406, 413, 415, 503),
}

_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


class DeviceIn(Given):
    """A device of one of the caller's parties, with the key that checks its signatures."""

    id: Text = Field(examples=["dock-3-reader"])
    party: str = Field(max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    algorithm: Literal["Ed25519", "ES256"]
    public_key: str = Field(max_length=2000, description="PEM, SubjectPublicKeyInfo", examples=[_PEM])
    name: Text | None = Field(None, examples=["Reader at dock 3"])
    place: str | None = Field(None, max_length=500, description="Where it reads", examples=[GLN])
    chained: bool = Field(False, description="It signs in a chain from its first event", examples=[True])
    succeeds: Text | None = Field(None, description="The device whose place it takes", examples=[None])
    succession: Text | None = Field(
        None, description="That one's signature over `lotline-succeeds/1\\n{old}\\n{new}`", examples=[None]
    )

    @model_validator(mode="after")
    def _key_fits(self) -> DeviceIn:
        try:
            key = load_pem_public_key(self.public_key.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("publicKey is not a public key in PEM") from error
        ed25519 = isinstance(key, Ed25519PublicKey)
        p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        if not (ed25519 if self.algorithm == "Ed25519" else p256):
            raise ValueError(f"publicKey is not a key for {self.algorithm}")
        return self


Devices = Annotated[list[DeviceIn], BeforeValidator(as_list, json_schema_input_type=DeviceIn | list[DeviceIn]), MANY]


@router.post("/devices", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_devices(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Devices,
) -> Any:
    """Register one device or up to 1,000, or give them new keys."""
    records = [device.model_copy(update=_canonical(device)) for device in body]
    return await register(request, response, principal, "registerDevice", records)


def _canonical(device: DeviceIn) -> dict[str, str]:
    links = {"party": canonical(device.party, "/party", ("pgln",))}
    return links if device.place is None else {**links, "place": canonical(device.place, "/place", ("sgln",))}


class RevocationIn(Given):
    """The device whose key is lost or stolen."""

    id: Text = Field(examples=["dock-3-reader"])
    since: str | None = Field(
        None,
        max_length=40,
        description="When it was lost: what it signed before is still taken. None: nothing is any more",
        examples=["2026-05-04T09:12:33Z"],
    )
    why: Text | None = Field(None, examples=["stolen from the van"])


class ExplanationIn(Given):
    """What became of what is missing, or why there are two."""

    id: Text = Field(examples=["dock-3-reader"])
    why: Text = Field(examples=["its storage was cleared before it had sent all"])


@router.post("/devices/revoke", response_model=Registered, responses=REVOKED)
async def post_revoke(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: RevocationIn,
) -> Any:
    """Revoke a device and its token: its signatures are refused from now on. The device, and what it signed before, stay."""
    entry = body.model_dump(by_alias=True, exclude_none=True, mode="json")
    answer = await command(request, response, principal, "revokeDevice", [body.id], entry)
    request.app.state.tokens.revoke_labelled(principal.msp_id, body.id)
    return answer


@router.post("/devices/explain", response_model=Registered, responses=REVOKED)
async def post_explain(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: ExplanationIn,
) -> Any:
    """Explain what is odd about a device's chain: its open exceptions are closed with these words, which stay."""
    return await command(request, response, principal, "explainDevice", [body.id], body.model_dump())


class EarlierKey(Answer):
    """A key that a device had."""

    algorithm: str = Field(examples=["ES256"])
    public_key: str = Field(examples=[_PEM])
    since: datetime | None
    until: datetime
    status: str = Field(description="Of the device, with it", examples=["revoked"])


class DeviceOut(Answer):
    """A device whose signatures the ledger knows."""

    id: str = Field(examples=["dock-3-reader"])
    msp: str | None = Field(examples=["FarmMSP"])
    party: str | None = Field(examples=[PGLN])
    algorithm: str | None = Field(examples=["Ed25519"])
    public_key: str | None = Field(description="PEM")
    name: str | None = Field(examples=["Reader at dock 3"])
    status: str | None = Field(description="active, revoked or succeeded", examples=["active"])
    place: str | None = Field(description="Where it was enrolled to read", examples=[GLN])
    since: datetime | None = Field(description="When its key was registered")
    succeeds: str | None = Field(description="The device whose place it took", examples=[None])
    revoked_at: datetime | None
    revoked_since: datetime | None = Field(description="What it signed before is still taken")
    why: str | None = Field(description="It was revoked", examples=[None])
    keys: list[EarlierKey] = Field(description="Those it had before, the oldest first")
    counter: int | None = Field(description="How far it counted what it signed; null: not in a chain", examples=[204])
    missing: int | None = Field(description="How many of these did not arrive, unexplained", examples=[0])
    received_at: datetime | None = Field(description="When the latest of them came")


@router.get("/devices", response_model=Page[DeviceOut], responses=problems.responses(400, 401, 403, 406))
def get_devices(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Devices, by id."""
    with request.app.state.engine.connect() as connection:
        page = registry.devices(connection, per_page=per_page, token=next_page_token)
    return Page[DeviceOut](items=[_out(one) for one in page.items], next=page.next)


@router.get("/devices/{id:path}", response_model=DeviceOut, responses=problems.responses(401, 403, 404, 406))
def get_device(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    device_id: DeviceId,
) -> Any:
    """One device."""
    with request.app.state.engine.connect() as connection:
        found = registry.device(connection, device_id)
    if found is None:
        raise ApiError(404, f"no device {device_id} on the ledger")
    return _out(found)


def _out(found: registry.DeviceRecord) -> DeviceOut:
    detail = found.detail
    revoked = detail.get("revocation") or {}
    return DeviceOut(
        id=found.id,
        msp=found.msp,
        party=found.party,
        algorithm=found.algorithm,
        public_key=found.public_key,
        name=found.name,
        status=found.status,
        place=detail.get("place"),
        since=detail.get("since"),
        succeeds=detail.get("succeeds"),
        revoked_at=revoked.get("at"),
        revoked_since=revoked.get("since"),
        why=revoked.get("why"),
        keys=[
            EarlierKey(
                algorithm=key["algorithm"],
                public_key=key["publicKey"],
                since=key["since"],
                until=key["until"],
                status=key["status"],
            )
            for key in detail.get("before", ())
        ],
        counter=found.counter,
        missing=found.missing,
        received_at=found.received,
    )
