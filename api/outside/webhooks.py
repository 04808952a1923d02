"""Callbacks of providers, and replies of customers.

A callback is verified on its raw body, stored, answered, and only then thought about (by the
worker). Without a key it is closed. ``…/{organisation}`` is for organisations with an account of
their own, whose keys sign it; the others are the installation's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session

from api.http.database import CALLBACKS
from api.http.fields import Key
from api.http.receiving import CLOSE
from backoffice.delivery import callbacks
from backoffice.people import credentials
from backoffice.people.credentials import Vault
from providers.callback import Callback
from providers.fingerprint import signer_of
from providers.registry import account, keys_of, verified
from store import tables as t
from store.engine import transaction

router = APIRouter(include_in_schema=False)

#: Threads of their own, each with a connection (``api.http.database``).
_THREADS = CapacityLimiter(CALLBACKS)
#: For storing one: only who changes the table itself is waited for.
_LOCK_TIMEOUT = timedelta(seconds=5)
#: What of a callback's headers is kept with it: what its reader needs, and what tells repeats.
_KEPT = ("content-type", "i-twilio-idempotency-token")


@dataclass(frozen=True)
class Signers:
    """Who may call back: by provider the keys of the installation's account, and how to open those
    of an organisation's own. ``public_url`` is how the providers know us; ``accounts``: the marks
    of the installation's accounts, by provider."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vault: Vault = field(default_factory=Vault)
    public_url: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)

    def of(
        self, db: Session, provider: str, organisation: uuid.UUID | None
    ) -> tuple[tuple[str, ...], str]:
        """The keys that sign, and the mark of their account."""
        if organisation is None:
            return self.keys.get(provider, ()), self.accounts.get(provider, "")
        row = credentials.find(db, organisation, provider)
        if row is None:
            return (), ""
        own = account(provider, self.vault.open(row.sealed))
        return keys_of(own), own.mark


async def _raw(request: Request) -> Callback:
    """As the provider signed it: the public address, never that of a proxy in between."""
    signers: Signers = request.app.state.signers
    path = request.scope["raw_path"].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    url = f"{signers.public_url}{path}{'?' if query else ''}{query}"
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Callback(url, await request.body(), headers)


#: Whose account may have signed it, None = the installation's. Raises HTTPException.
Whose = Callable[[Session], Sequence[uuid.UUID | None]]


async def _take(request: Request, provider: str, whose: Whose | None = None) -> Response:
    """Verify and store, in one go on one thread, because hundreds may come in a second. Nothing of
    the body is read where there is no key to verify it with."""
    if not await _is_open(request, provider, whose):
        raise _closed(provider)
    raw = await _raw(request)
    await to_thread.run_sync(_store, request, provider, raw, whose, limiter=_THREADS)
    return Response(status_code=204)


async def _is_open(request: Request, provider: str, whose: Whose | None) -> bool:
    """Whether there is a key. The installation's is known without the database."""
    signers: Signers = request.app.state.signers
    if whose is None:
        return bool(signers.keys.get(provider))

    def look() -> bool:
        with transaction(request.app.state.engine, lock_timeout=_LOCK_TIMEOUT) as session:
            return any(signers.of(session, provider, who)[0] for who in whose(session))

    return await to_thread.run_sync(look, limiter=_THREADS)


def _closed(provider: str) -> HTTPException:
    detail = f"callbacks of {provider} are closed: no key to verify them is configured"
    return HTTPException(503, detail, CLOSE)


def _store(request: Request, provider: str, raw: Callback, whose: Whose | None) -> None:
    signers: Signers = request.app.state.signers
    with transaction(request.app.state.engine, lock_timeout=_LOCK_TIMEOUT) as session:
        tried = whose(session) if whose is not None else [None]
        asked = [(who, *signers.of(session, provider, who)) for who in tried]
        if not any(keys for _, keys, _ in asked):
            raise _closed(provider)
        now = datetime.now(UTC)
        good = next(
            (
                (who, mark, signer_of(provider, key))
                for who, keys, mark in asked
                for key in keys
                if verified(provider, (key,), raw, now)
            ),
            None,
        )
        if good is None:
            raise HTTPException(401, f"this is not signed with a key of the {provider} account")
        kept = {name: raw.headers[name] for name in _KEPT if name in raw.headers}
        who, mark, signer = good
        callbacks.store(session, provider, who, raw.url, kept, raw.body, mark, signer)


def _named(organisation: str) -> Whose:
    try:
        found = uuid.UUID(organisation)
    except ValueError:
        raise HTTPException(404, "no such address") from None
    return lambda _: [found]


def _of_delivery(delivery: str) -> Whose:
    """The delivery says whose account sent it: its organisation's own, or the installation's where
    it had none at that time."""

    def whose(session: Session) -> Sequence[uuid.UUID | None]:
        try:
            row = session.get(t.Delivery, uuid.UUID(delivery))
        except ValueError:
            row = None
        return [row.organisation_id, None] if row is not None else [None]

    return whose


@router.post("/webhooks/sendgrid")
@router.post("/webhooks/sendgrid/inbound")
async def sendgrid(request: Request) -> Response:
    return await _take(request, "sendgrid")


@router.post("/webhooks/sendgrid/{organisation}")
@router.post("/webhooks/sendgrid/{organisation}/inbound")
async def sendgrid_of(organisation: Key, request: Request) -> Response:
    return await _take(request, "sendgrid", _named(organisation))


@router.post("/webhooks/twilio/status/{delivery}")
async def twilio_status(delivery: Key, request: Request) -> Response:
    return await _take_twilio(request, _of_delivery(delivery))


@router.post("/webhooks/twilio/inbound")
async def twilio_inbound(request: Request) -> Response:
    return await _take_twilio(request, None)


@router.post("/webhooks/twilio/{organisation}/inbound")
async def twilio_inbound_of(organisation: Key, request: Request) -> Response:
    return await _take_twilio(request, _named(organisation))


async def _take_twilio(request: Request, whose: Whose | None) -> Response:
    await _take(request, "twilio", whose)
    return Response("<Response/>", media_type="text/xml")  # TwiML: answer nothing


@router.post("/webhooks/lob")
async def lob(request: Request) -> Response:
    return await _take(request, "lob")


@router.post("/webhooks/lob/{organisation}")
async def lob_of(organisation: Key, request: Request) -> Response:
    return await _take(request, "lob", _named(organisation))


@router.post("/webhooks/outbox")
async def outbox(request: Request) -> Response:
    return await _take(request, "outbox")
