"""``/enrolments`` and ``/enrol``: a device gets its name on the ledger and its token, by a one-time code that an admin shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api import problems
from api.answers import GLN, PGLN
from api.auth import EVERYBODY, MAY_ADMINISTER
from api.commands import Text, canonical, command
from api.models import Answer, Given
from api.problems import ApiError
from api.routing import ApiRoute
from chaincode.devices import id_of_key
from epcis.signatures import SignatureError, verify_value
from instance import enrolments
from instance.creation import create_token
from instance.enrolments import CodeError, Enrolment
from instance.settings import Settings, SettingsError
from instance.tokens import Principal, TokenStore

router = APIRouter(route_class=ApiRoute, tags=["registry"])
_IDENTITY = "scanner"
_MOST_MINUTES = 24 * 60
PAGE = "/scan"


class EnrolmentIn(Given):
    """Whose device it will be, and where it stands."""

    party: str = Field(max_length=500, examples=[PGLN])
    place: str = Field(max_length=500, description="Where it reads", examples=[GLN])
    name: Text = Field(description="What people call it", examples=["Handheld 3"])
    minutes: int = Field(10, ge=1, le=_MOST_MINUTES, description="How long the code can be used", examples=[10])


class EnrolmentOut(Answer):
    """A code, once. Show ``url`` as a QR code to the device's camera."""

    code: str = Field(examples=["enr_1u2v…"])
    url: str = Field(
        description="Of the page, with the code behind #, which no server sees", examples=["/scan#enrol=enr_1u2v…"]
    )
    expires_at: datetime


@router.post(
    "/enrolments",
    status_code=201,
    response_model=EnrolmentOut,
    responses=problems.responses(400, 401, 403, 406, 413, 415, 503),
)
def post_enrolments(
    request: Request, principal: Annotated[Principal, Depends(MAY_ADMINISTER)], body: EnrolmentIn
) -> Any:
    """Make a one-time code for a device of one of the caller's parties, at one of its places."""
    enrolment = Enrolment(
        msp_id=principal.msp_id,
        admin=principal.identity,
        identity=_IDENTITY,
        party=canonical(body.party, "/party", ("pgln",)),
        place=canonical(body.place, "/place", ("sgln",)),
        name=body.name,
        expires_at=enrolments.expiry(body.minutes),
    )
    code = enrolments.create(request.app.state.tokens, enrolment)
    return EnrolmentOut(code=code, url=f"{PAGE}#enrol={code}", expires_at=datetime.fromisoformat(enrolment.expires_at))


class EnrolIn(Given):
    """A code, and the key that the device made for itself."""

    code: str = Field(min_length=1, max_length=100, examples=["enr_1u2v…"])
    algorithm: Literal["Ed25519", "ES256"]
    public_key: str = Field(max_length=2000, description="PEM, SubjectPublicKeyInfo")
    proof: str = Field(
        max_length=200, description="Signature in base64 over `lotline-enrol/1\\n` and the code", examples=["MEUC…"]
    )
    succeeds: str | None = Field(None, max_length=200, description="The device whose place it takes", examples=[None])
    succession: str | None = Field(
        None,
        max_length=200,
        description="That one's signature over `lotline-succeeds/1\\n{old}\\n{new}`",
        examples=[None],
    )


class EnrolOut(Answer):
    """What the device needs to work: its name on the ledger, and its token, which is shown this once."""

    device: str = Field(examples=["dev:0123456789abcdef"])
    token: str = Field(examples=["lot_…"])
    party: str = Field(examples=[PGLN])
    place: str | None = Field(examples=[GLN])
    name: str = Field(examples=["Handheld 3"])
    server_time: datetime
    registered: bool = Field(description="False: the ledger takes longer, the device may work meanwhile")


@router.post(
    "/enrol",
    status_code=201,
    response_model=EnrolOut,
    responses=problems.responses(400, 401, 403, 406, 409, 413, 415, 422, 503),
)
async def post_enrol(
    request: Request, response: Response, _: Annotated[Principal | None, Depends(EVERYBODY)], body: EnrolIn
) -> Any:
    """Enrol a device. The code is good once; who lost the answer asks again with the same key."""
    device = _proved(body)
    tokens: TokenStore = request.app.state.tokens
    try:
        enrolment = enrolments.take(tokens, body.code, device)
    except CodeError as error:
        raise ApiError(403, str(error)) from error
    registered = await _register(request, response, body, device, enrolment)
    if "Location" in response.headers:
        del response.headers["Location"]
    settings: Settings = request.app.state.settings
    tokens.revoke_labelled(enrolment.msp_id, device)  # of an answer that was lost
    try:
        token = create_token(settings, enrolment.identity, "scanner", enrolment.msp_id, label=device)
    except SettingsError as error:
        raise ApiError(409, str(error)) from error
    return EnrolOut(
        device=device,
        token=token,
        party=enrolment.party,
        place=enrolment.place,
        name=enrolment.name,
        server_time=datetime.now(UTC),
        registered=registered,
    )


def _proved(body: EnrolIn) -> str:
    """The device's id; the 400 problem if it does not have the key."""
    try:
        device = id_of_key(body.algorithm, body.public_key)
        verify_value(body.algorithm, body.public_key, body.proof, f"lotline-enrol/1\n{body.code}".encode())
    except SignatureError as error:
        raise ApiError(400, f"the device does not show that the key is its own: {error}") from error
    return device


async def _register(request: Request, response: Response, body: EnrolIn, device: str, enrolment: Enrolment) -> bool:
    entry: dict[str, Any] = {
        "id": device,
        "party": enrolment.party,
        "algorithm": body.algorithm,
        "publicKey": body.public_key,
    }
    entry |= {"name": enrolment.name, "place": enrolment.place, "chained": True}
    if body.succeeds is not None:
        entry |= {"succeeds": body.succeeds, "succession": body.succession}
    admin = Principal("", enrolment.admin, enrolment.msp_id, "admin")
    try:
        answer = await command(request, response, admin, "registerDevice", [device], [entry])
    except ApiError:
        enrolments.give_back(request.app.state.tokens, body.code)
        raise
    return not isinstance(answer, Response)
