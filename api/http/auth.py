"""Who is asking: ``Authorization: Bearer dun_live_…``, of scope ``member`` or ``billing``.

401  no key, or one that is not valid (WWW-Authenticate says so): ``api.http.gate``, before all else
403  a valid key of the wrong scope, or a member who is no admin
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.http.database import Db
from backoffice.people.keys import BILLING, MEMBER, Principal
from store import tables as t

_bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="dun_live_…",
    description="A key of a member, or of the billing system. It is shown once, when it is made.",
    auto_error=False,
)


#: Where a request has its ``Principal``, put there by ``api.http.gate``.
PRINCIPAL = "dunning.principal"


#: What an endpoint may ask for: the scopes of keys, and a role of a key's member.
ADMIN = "admin"
_NEEDS = {
    BILLING: "this is for the billing system; use a key of scope 'billing'",
    MEMBER: "this is for members; use a member's own key",
    ADMIN: "this is for members with the role 'admin'",
}


async def principal(
    request: Request,
    needed: SecurityScopes,
    _shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """The principal that ``api.http.gate`` has found. Raises HTTPException 403 when a scope is
    missing. FastAPI writes the same scopes into the OpenAPI document."""
    found: Principal | None = request.scope.get(PRINCIPAL)
    if found is None:
        raise unauthorized("send a key as 'Authorization: Bearer dun_live_…'")
    for scope, detail in _NEEDS.items():
        if scope in needed.scopes and scope not in _scopes_of(found):
            raise _forbidden(detail, MEMBER if scope == ADMIN else scope)
    return found


def _scopes_of(who: Principal) -> set[str]:
    if who.scope != MEMBER or who.member is None:
        return {who.scope} - {MEMBER}
    return {MEMBER, ADMIN} if who.member.role == "admin" else {MEMBER}


def unauthorized(detail: str, error: str = "") -> HTTPException:
    more = f', error="{error}"' if error else ""
    return HTTPException(401, detail, {"WWW-Authenticate": f'Bearer realm="dunning"{more}'})


Anyone = Annotated[Principal, Depends(principal)]


def _forbidden(detail: str, scope: str) -> HTTPException:
    challenge = f'Bearer realm="dunning", error="insufficient_scope", scope="{scope}"'
    return HTTPException(403, detail, {"WWW-Authenticate": challenge})


async def _sender(who: Annotated[Principal, Security(principal, scopes=[MEMBER])]) -> t.Member:
    assert who.member is not None
    return who.member


#: The member of the key, in no session: for dependencies that read the body first.
Sender = Annotated[t.Member, Depends(_sender)]


async def _member(sender: Sender, db: Db) -> t.Member:
    """The same row in the session of the request, without another query."""
    return db.merge(sender, load=False)


Billing = Annotated[Principal, Security(principal, scopes=[BILLING])]
Member = Annotated[t.Member, Depends(_member)]
Admin = Annotated[t.Member, Security(_member, scopes=[ADMIN])]


def require_admin(member: t.Member) -> t.Member:
    """The member, if an admin; else HTTPException 403. For endpoints where only some requests need
    an admin."""
    if member.role != "admin":
        raise _forbidden(_NEEDS[ADMIN], MEMBER)
    return member
