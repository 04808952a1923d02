"""Who is asking: ``Authorization: Bearer dun_live_…``, of scope ``member`` or ``billing``.

401  no key, or one that is not valid (WWW-Authenticate says so)
403  a good key of the wrong scope, or a member who is no admin
429  too many keys that were not valid from one address
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.database import Db
from db import tables as t
from db.errors import NotFound
from db.members import BILLING, MEMBER, Principal, authenticate

_bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="dun_live_…",
    description="A key of a member, or of the billing system. It is shown once, when it is made.",
    auto_error=False,
)


class FailedAttempts:
    """Slows down whoever guesses: ``most`` failures in ``seconds`` from one address, then a wait.

    A key that was good from there before still is: one broken client does not lock out the others
    behind its address. In memory, one per process.
    """

    def __init__(
        self, most: int = 20, seconds: float = 60, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, key: str) -> float:
        """Seconds to wait before this key is looked at; 0 = none."""
        with self._lock:
            failures = self._failures.get(address)
            now = self._clock()
            while failures and failures[0] <= now - self._seconds:
                failures.popleft()
            if not failures or len(failures) < self._most or _print(address, key) in self._good:
                return 0
            return failures[0] + self._seconds - now

    def failed(self, address: str, key: str) -> None:
        with self._lock:
            self._good.pop(_print(address, key), None)
            failures = self._failures.setdefault(address, deque(maxlen=self._most))
            failures.append(self._clock())
            self._failures.move_to_end(address)
            while len(self._failures) > 10_000:
                self._failures.popitem(last=False)

    def succeeded(self, address: str, key: str) -> None:
        with self._lock:
            self._good[_print(address, key)] = None
            self._good.move_to_end(_print(address, key))
            while len(self._good) > 10_000:
                self._good.popitem(last=False)


def _print(address: str, key: str) -> bytes:
    return hashlib.sha256(f"{address} {key}".encode("utf-8", "replace")).digest()


def principal(
    request: Request,
    db: Db,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    if credentials is None:
        raise _unauthorized("send a key as 'Authorization: Bearer dun_live_…'", "")
    attempts, address = _attempts(request)
    key = credentials.credentials
    _make_wait(attempts, address, key)
    found = authenticate(db, key)
    if found is None:
        attempts.failed(address, key)
        raise _unauthorized("this key is unknown, revoked or expired", ', error="invalid_token"')
    attempts.succeeded(address, key)
    return found


@contextmanager
def refuse_guesses(request: Request, token: str) -> Iterator[None]:
    """A NotFound inside counts as a key that was not valid: 429 after too many of them."""
    attempts, address = _attempts(request)
    _make_wait(attempts, address, token)
    try:
        yield
    except NotFound:
        attempts.failed(address, token)
        raise


def _attempts(request: Request) -> tuple[FailedAttempts, str]:
    return request.app.state.failed_attempts, request.client.host if request.client else ""


def _make_wait(attempts: FailedAttempts, address: str, key: str) -> None:
    wait = attempts.wait(address, key)
    if wait > 0:
        raise HTTPException(
            429, "too many keys that were not valid; wait", {"Retry-After": str(int(wait) + 1)}
        )


def _unauthorized(detail: str, more: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": f'Bearer realm="dunning"{more}'})


Anyone = Annotated[Principal, Depends(principal)]


def _forbidden(detail: str, scope: str) -> HTTPException:
    challenge = f'Bearer realm="dunning", error="insufficient_scope", scope="{scope}"'
    return HTTPException(403, detail, {"WWW-Authenticate": challenge})


def _billing(who: Anyone) -> Principal:
    if who.scope != BILLING:
        raise _forbidden("this is for the billing system; use a key of scope 'billing'", BILLING)
    return who


def _member(who: Anyone) -> t.Member:
    if who.scope != MEMBER or who.member is None:
        raise _forbidden("this is for members; use a member's own key", MEMBER)
    return who.member


Billing = Annotated[Principal, Depends(_billing)]
Member = Annotated[t.Member, Depends(_member)]


def require_admin(member: t.Member) -> t.Member:
    """The member, if it is an admin; 403 else."""
    if member.role != "admin":
        raise _forbidden("this is for members with the role 'admin'", MEMBER)
    return member


def _admin(member: Member) -> t.Member:
    return require_admin(member)


Admin = Annotated[t.Member, Depends(_admin)]
