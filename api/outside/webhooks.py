"""Callbacks of the providers in the registry.

A callback is verified on its raw body, stored and answered; the worker reads it later. Without a
key to verify it, it is refused with 503. ``…/{organisation}`` is for organisations with an account
of their own, whose keys sign it; the other addresses are the installation's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session

from api.http.database import CALLBACKS
from api.http.fields import Key
from api.http.receiving import CLOSE
from backoffice.delivery import callbacks
from backoffice.delivery.deliveries import organisation_of
from backoffice.people import provider_accounts
from backoffice.people.vault import Vault
from dunning.ids import OrganisationId
from dunning.learnt import CameIn
from providers.callback import MAX_BODY, Callback
from providers.fingerprint import signer_of
from providers.provider import Provider
from providers.registry import account, verified
from store.engine import transaction
from store.unit import Unit

#: Threads of their own, each with a connection (``api.http.database``).
_THREADS = CapacityLimiter(CALLBACKS)
#: Storing a callback waits only for a lock of the whole table, as a migration takes it.
_LOCK_TIMEOUT = timedelta(seconds=5)


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
        self, db: Session, provider: str, organisation: OrganisationId | None
    ) -> tuple[tuple[str, ...], str]:
        """The keys that sign, and the mark of their account."""
        if organisation is None:
            return self.keys.get(provider, ()), self.accounts.get(provider, "")
        row = provider_accounts.find(Unit(db, organisation), provider)
        if row is None:
            return (), ""
        own = account(provider, self.vault.open(row.sealed))
        return own.signing_keys, own.mark


async def _raw(request: Request) -> Callback:
    """As the provider signed it: the public address, never that of a proxy in between."""
    signers: Signers = request.app.state.signers
    path = request.scope["raw_path"].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    url = f"{signers.public_url}{path}{'?' if query else ''}{query}"
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Callback(url, await request.body(), headers)


#: Whose account may have signed it, None = the installation's. Raises HTTPException.
Whose = Callable[[Session], Sequence[OrganisationId | None]]


async def _take(request: Request, provider: Provider[Any], whose: Whose | None = None) -> Response:
    """Verify and store in one step on one thread, because hundreds may come in a second. The body
    is not read when there is no key to verify it."""
    if not await _is_open(request, provider.name, whose):
        raise _closed(provider.name)
    raw = await _raw(request)
    await to_thread.run_sync(_store, request, provider, raw, whose, limiter=_THREADS)
    if provider.answer is None:
        return Response(status_code=204)
    body, media_type = provider.answer
    return Response(body, media_type=media_type)


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


def _store(request: Request, provider: Provider[Any], raw: Callback, whose: Whose | None) -> None:
    signers: Signers = request.app.state.signers
    name = provider.name
    with transaction(request.app.state.engine, lock_timeout=_LOCK_TIMEOUT) as session:
        tried = whose(session) if whose is not None else [None]
        asked = [(who, *signers.of(session, name, who)) for who in tried]
        if not any(keys for _, keys, _ in asked):
            raise _closed(name)
        now = datetime.now(UTC)
        good = next(
            (
                (who, mark, signer_of(name, key))
                for who, keys, mark in asked
                for key in keys
                if verified(name, (key,), raw, now)
            ),
            None,
        )
        if good is None:
            raise HTTPException(401, f"this is not signed with a key of the {name} account")
        wanted = ("content-type", *provider.kept_headers)
        kept = {header: raw.headers[header] for header in wanted if header in raw.headers}
        who, mark, signer = good
        came_in = CameIn(provider=name, organisation_id=who, account=mark, signer=signer)
        callbacks.store(session, came_in, raw.url, kept, raw.body)


def _named(organisation: str) -> Whose:
    try:
        found = OrganisationId(uuid.UUID(organisation))
    except ValueError:
        raise HTTPException(404, "no such address") from None
    return lambda _: [found]


def _of_delivery(delivery: str) -> Whose:
    """The delivery says whose account sent it: its organisation's own, or the installation's where
    it had none at that time."""

    def whose(session: Session) -> Sequence[OrganisationId | None]:
        organisation = organisation_of(session, delivery)
        return [organisation, None] if organisation is not None else [None]

    return whose


def router_of(providers: Iterable[Provider[Any]]) -> APIRouter:
    """The addresses where these providers call back."""
    router = APIRouter(include_in_schema=False)
    for provider in providers:
        start = f"/webhooks/{provider.name}"
        for endpoint in provider.endpoints:
            if endpoint.of_delivery:
                path, take = f"{start}{endpoint.path}/{{delivery}}", _from_delivery(provider)
            else:
                path, take = f"{start}{endpoint.path}", _from_installation(provider)
            router.add_api_route(path, take, methods=["POST"])
        # Last, so that the name of an endpoint is not taken for an organisation.
        for endpoint in provider.endpoints:
            if provider.form is not None and not endpoint.of_delivery:
                path = f"{start}/{{organisation}}{endpoint.path}"
                router.add_api_route(path, _from_organisation(provider), methods=["POST"])
    return router


def limits(providers: Iterable[Provider[Any]]) -> dict[str, int]:
    """The largest bodies in bytes, by path, as ``api.http.receiving`` takes them."""
    found = {"/webhooks/": MAX_BODY}
    for provider in providers:
        for endpoint in provider.endpoints:
            if endpoint.max_body != MAX_BODY:
                found[f"/webhooks/{provider.name}{endpoint.path}"] = endpoint.max_body
                found[f"/webhooks/{provider.name}/*{endpoint.path}"] = endpoint.max_body
    return found


Take = Callable[..., Coroutine[Any, Any, Response]]


def _from_installation(provider: Provider[Any]) -> Take:
    async def take(request: Request) -> Response:
        return await _take(request, provider)

    return take


def _from_organisation(provider: Provider[Any]) -> Take:
    async def take(organisation: Key, request: Request) -> Response:
        return await _take(request, provider, _named(organisation))

    return take


def _from_delivery(provider: Provider[Any]) -> Take:
    async def take(delivery: Key, request: Request) -> Response:
        return await _take(request, provider, _of_delivery(delivery))

    return take
