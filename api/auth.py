"""Who may do what: a bearer token says who, the role it is bound to says what."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import ApiError
from instance.settings import ROLES, Role
from instance.tokens import Principal, TokenStore

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token made by `lotline token create`")


class Allow:
    """A dependency: the caller has one of these roles (admin always may). Gives the `Principal`.

    `check` is called by `api.routing.ApiRoute` before the body is read, so that strangers can't make us
    parse.
    """

    def __init__(self, *roles: Role) -> None:
        self.roles: tuple[Role, ...] = (*roles, "admin") if "admin" not in roles else roles

    async def __call__(
        self, request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> Principal:
        return cast(Principal, request.state.principal)

    def check(self, request: Request) -> None:
        """Sets ``request.state.principal``; raises the 401 or 403 problem."""
        tokens: TokenStore = request.app.state.tokens
        principal = _authenticate(tokens, request.headers.get("authorization"))
        request.app.state.rates.take(principal.token_id)
        if principal.role not in self.roles:
            raise ApiError(
                403,
                f"this needs the role {' or '.join(self.roles)}; your token has the role {principal.role}",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
            )
        request.state.principal = principal


class AllowAll(Allow):
    """Whoever asks; a token that is sent must be one. ``principal`` is None for those who send none."""

    async def __call__(  # type: ignore[override]
        self, request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> Principal | None:
        return cast("Principal | None", request.state.principal)

    def check(self, request: Request) -> None:
        """Sets ``request.state.principal``; raises the 401 problem for a token that is none."""
        header = request.headers.get("authorization")
        tokens: TokenStore = request.app.state.tokens
        request.state.principal = principal = None if header is None else _authenticate(tokens, header)
        if principal is not None:
            request.app.state.rates.take(principal.token_id)


def _authenticate(tokens: TokenStore, header: str | None) -> Principal:
    if header is None:
        raise _unauthenticated("send the header 'Authorization: Bearer <token>'", "Bearer")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("the Authorization header is not of the form 'Bearer <token>'", "Bearer")
    principal = tokens.find(token.strip())
    if principal is None:
        raise _unauthenticated("this token is unknown or revoked", 'Bearer error="invalid_token"')
    return principal


def _unauthenticated(detail: str, challenge: str) -> ApiError:
    return ApiError(401, detail, headers={"WWW-Authenticate": challenge})


MAY_CAPTURE = Allow("scanner")
MAY_SEE_THINGS = Allow("scanner", "analyst", "auditor")
MAY_QUERY = Allow("analyst", "auditor")
MAY_ADMINISTER = Allow("admin")
EVERYBODY = AllowAll()

assert set(MAY_SEE_THINGS.roles) == set(ROLES)
