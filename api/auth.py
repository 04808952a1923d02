"""Who is asking: ``Authorization: Bearer dun_live_…``, of scope ``member`` or ``billing``.

401  no key, or one that is not valid (WWW-Authenticate says so): ``api.gate``, before all else
403  a good key of the wrong scope, or a member who is no admin
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.database import Db
from db import tables as t
from db.members import BILLING, MEMBER, Principal

_bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="dun_live_…",
    description="A key of a member, or of the billing system. It is shown once, when it is made.",
    auto_error=False,
)


#: Where a request has its ``Principal``, put there by ``api.gate``.
PRINCIPAL = "dunning.principal"


async def principal(
    request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Who was found when the request came, before its body."""
    found: Principal | None = request.scope.get(PRINCIPAL)
    if found is None:
        raise unauthorized("send a key as 'Authorization: Bearer dun_live_…'")
    return found


def unauthorized(detail: str, error: str = "") -> HTTPException:
    more = f', error="{error}"' if error else ""
    return HTTPException(401, detail, {"WWW-Authenticate": f'Bearer realm="dunning"{more}'})


Anyone = Annotated[Principal, Depends(principal)]


def _forbidden(detail: str, scope: str) -> HTTPException:
    challenge = f'Bearer realm="dunning", error="insufficient_scope", scope="{scope}"'
    return HTTPException(403, detail, {"WWW-Authenticate": challenge})


async def _billing(who: Anyone) -> Principal:
    if who.scope != BILLING:
        raise _forbidden("this is for the billing system; use a key of scope 'billing'", BILLING)
    return who


async def _sender(who: Anyone) -> t.Member:
    if who.scope != MEMBER or who.member is None:
        raise _forbidden("this is for members; use a member's own key", MEMBER)
    return who.member


#: A member whose body is still to come: read with the key, and in no session.
Sender = Annotated[t.Member, Depends(_sender)]


async def _member(sender: Sender, db: Db) -> t.Member:
    """In the session of the request, without another statement."""
    return db.merge(sender, load=False)


Billing = Annotated[Principal, Depends(_billing)]
Member = Annotated[t.Member, Depends(_member)]


def require_admin(member: t.Member) -> t.Member:
    """The member, if it is an admin; 403 else."""
    if member.role != "admin":
        raise _forbidden("this is for members with the role 'admin'", MEMBER)
    return member


async def _admin(member: Member) -> t.Member:
    return require_admin(member)


Admin = Annotated[t.Member, Depends(_admin)]
