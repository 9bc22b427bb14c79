"""``/devices``: scanners and sensors that sign what they report."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BeforeValidator, Field, model_validator

from api import problems
from api.answers import PGLN
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
    records = [device.model_copy(update={"party": canonical(device.party, "/party", ("pgln",))}) for device in body]
    return await register(request, response, principal, "registerDevice", records)


class RevocationIn(Given):
    """The device whose key is lost or stolen."""

    id: Text = Field(examples=["dock-3-reader"])


@router.post("/devices/revoke", response_model=Registered, responses=REVOKED)
async def post_revoke(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: RevocationIn,
) -> Any:
    """Revoke a device: its signatures are refused from now on. The device, and what it signed before, stay."""
    return await command(request, response, principal, "revokeDevice", [body.id], {"id": body.id})


class DeviceOut(Answer):
    """A device whose signatures the ledger knows."""

    id: str = Field(examples=["dock-3-reader"])
    msp: str | None = Field(examples=["FarmMSP"])
    party: str | None = Field(examples=[PGLN])
    algorithm: str | None = Field(examples=["Ed25519"])
    public_key: str | None = Field(description="PEM")
    name: str | None = Field(examples=["Reader at dock 3"])
    status: str | None = Field(description="active or revoked", examples=["active"])


@router.get("/devices", response_model=Page[DeviceOut], responses=problems.responses(400, 401, 403, 406))
def get_devices(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Devices, by id."""
    with request.app.state.engine.connect() as connection:
        return registry.devices(connection, per_page=per_page, token=next_page_token)


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
    return found
