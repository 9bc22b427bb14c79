"""``/codes``: what a scanner read, in words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import lookup, problems
from api.answers import LOT
from api.auth import MAY_SEE_THINGS
from api.models import Answer
from api.problems import query_error
from api.routing import ApiRoute
from epcis.identifiers import UnreadableCode, read_code
from epcis.identifiers.code import LONGEST_CODE
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["trace"])


class ElementOut(Answer):
    """An application identifier and its value."""

    ai: str = Field(examples=["10"])
    value: str = Field(examples=["L42"])


class CodeOut(Answer):
    """What a code says."""

    text: str = Field(description="Its data, without what the reader put around it", examples=["010950600013435210L42"])
    symbology: str | None = Field(description="ISO/IEC 15424, where the reader sends it", examples=["d2"])
    id: str | None = Field(description="The canonical Digital Link of what it names", examples=[LOT])
    scheme: str | None = Field(description="sgtin, lgtin, sscc, gtin …", examples=["lgtin"])
    elements: list[ElementOut]
    things: list[str] = Field(
        description="What it may mean; of a bare text what carries it, at most twenty", examples=[[LOT]]
    )
    beginning: list[str] = Field(description="If nothing carries a bare text: what begins with it", examples=[[]])


@router.get("/codes", response_model=CodeOut, responses=problems.responses(400, 401, 403, 406))
def get_code(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    text: Annotated[
        str, Query(min_length=1, max_length=LONGEST_CODE, description="As the scanner sends it, percent-encoded")
    ],
    separators: Annotated[
        bool, Query(description="The reader is known to pass on FNC1 (GS): nothing was lost")
    ] = False,
) -> Any:
    """Read raw scanner output (symbology identifier, GS in any form), an element string, a Digital Link, an EPC or a bare number.

    A code that is damaged, of another system, or may mean two things is refused with 400 and the reason: nothing is guessed.
    """
    try:
        code = read_code(text, has_separators=separators)
    except UnreadableCode as error:
        raise query_error("text", str(error), error.code) from error
    with request.app.state.engine.connect() as connection:
        things = lookup.things_of(connection, code)
        beginning = [] if things else lookup.things_beginning(connection, code)
    return CodeOut(
        text=code.text,
        symbology=code.symbology,
        id=code.uri,
        scheme=None if code.identifier is None else code.identifier.scheme,
        elements=[ElementOut(ai=ai, value=value) for ai, value in code.elements],
        things=things,
        beginning=beginning,
    )
