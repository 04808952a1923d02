"""The composition of the API: ``uvicorn --factory api.app:create_app``.

The only file of this package that reads settings. Nothing connects before the first request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from sqlalchemy import Engine

from api.admin import callbacks, keys, members, organisation, outbox, providers
from api.billing import batch, imports, invoice_files, payments
from api.billing import customers as reported_customers
from api.billing import invoices as reported_invoices
from api.http import health
from api.http.addresses import Addresses, Heads
from api.http.arrival import Arrival
from api.http.database import CONNECTIONS
from api.http.deadline import Deadline, Time
from api.http.description import describe
from api.http.gate import Gate
from api.http.guard import Guard
from api.http.handlers import add_handlers
from api.http.problems import declared
from api.http.receiving import Pace, Receiving
from api.http.repeat import Repeat
from api.members import (
    actions,
    attachments,
    contacts,
    customers,
    held,
    holds,
    invoices,
    next_steps,
    plans,
    replies,
    timelines,
)
from api.outside import links, rules_page, webhooks
from api.outside.webhooks import Signers
from backoffice.ledger.files import MAX_FILE
from backoffice.people.vault import Vault
from books.reading import JSON_BYTES
from dunning import __version__
from logs import set_up_logging
from providers.registry import PROVIDERS, installed, offered
from settings import Settings, SettingsError, load_settings
from store.engine import connect

_TAGS = {
    "billing": "What a billing system reports. The same body twice changes nothing; an older "
    "version (`source_updated_at`) never overwrites a newer one.",
    "customers": "Customers and invoices, and what happens to them.",
    "actions": "What a member has to do. An open manual action is seen by its owner alone.",
    "holds": "Pause, promise, dispute: what keeps a customer or an invoice out of the sequence.",
    "plans": "Who is contacted when, how, and with which words.",
    "organisation": "Members, groups, keys, provider accounts and the calendar of the "
    "organisation.",
    "outbox": "What channels without a provider would have sent.",
    "health": "For whoever watches the process.",
}
_DESCRIPTION = """\
Payment reminders. Authenticate with `Authorization: Bearer dun_live_…`: a key of scope `member` is
a person's, one of scope `billing` belongs to the system that reports invoices and payments.

Amounts are texts (`"1250.00"`), days are `YYYY-MM-DD` in the organisation's time zone, instants
have an offset. Every error is a problem document (RFC 9457): what, where and how to mend it. In
addresses a UUID is our id, and any other text your own external id. Rules are cited by number; they
are explained at [/docs/rules](/docs/rules).
"""
#: Bytes: a file, its form, and a margin, so that a larger file is refused with its own message.
_FILE_BYTES = MAX_FILE + 2**16
#: Milliseconds: the longest wait for a customer's lock, well below the time of a request.
_LOCK_MS = 3000
#: Seconds for an import, and for requests of many short statements.
_IMPORT_SECONDS = 6 * 3600.0
_MANY_SECONDS = 60.0
#: Texts that are checked or rendered have a budget of their own (``messages.processes``).
_TEXT_SECONDS = 25.0
_TEXTS = ("/v1/plans/*", "/v1/plans/*/preview")
_MANY = ("/v1/batch", "/v1/members/*/reassign-actions")
_EVERY = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503)
#: In the order of the OpenAPI document.
_ROUTERS = (
    reported_customers,
    customers,
    reported_invoices,
    invoices,
    payments,
    batch,
    imports,
    actions,
    invoice_files,
    attachments,
    holds,
    contacts,
    timelines,
    replies,
    next_steps,
    plans,
    organisation,
    providers,
    held,
    callbacks,
    members,
    keys,
    outbox,
)


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> FastAPI:
    """The API. Without arguments it reads the settings, sets up logging and needs a database; for
    settings that make no sense it then ends with one line."""
    if settings is None:
        try:
            settings = load_settings()
            set_up_logging(settings.log_level, json_lines=settings.log_json)
            return create_app(settings)
        except SettingsError as e:
            raise SystemExit(f"api: {e}") from None
    database = engine or connect(
        settings.require_database_url(),
        pool_size=CONNECTIONS,
        ping=True,
        answer_within=settings.statement_seconds,
    )
    app = FastAPIOffline(  # FastAPI with the files of /docs served from here
        title="Dunning",
        version=__version__,
        summary="Payment reminders that keep their word.",
        description=_DESCRIPTION,
        servers=[{"url": (settings.public_base_url or "").rstrip("/") or "/"}],
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_disposing(database) if engine is None else None,
    )
    app.state.engine = database
    app.state.lock_timeout_ms = min(_LOCK_MS, round(settings.request_seconds * 700))
    app.state.import_statement = timedelta(seconds=settings.import_statement_seconds)
    app.state.signers = _signers(settings)
    add_handlers(app)
    _add_middleware(app, settings)
    _add_endpoints(app)
    describe(app)
    return app


def _disposing(database: Engine) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Closes the connections of ``database`` when the server ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.dispose()

    return lifespan


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one is the outermost."""
    app.add_middleware(Repeat)
    app.add_middleware(Receiving, limits=_limits(settings), pace=Pace(settings.body_seconds))
    app.add_middleware(Addresses)
    app.add_middleware(Gate, prefix="/v1/", open_paths={"/v1/invitations/exchange"})
    usual = Time(settings.request_seconds, settings.request_seconds)
    app.add_middleware(Deadline, usual=usual, others=_times(settings))
    https = (settings.public_base_url or "").startswith("https://")
    app.add_middleware(Guard, https=https)
    app.add_middleware(Heads)
    app.add_middleware(Arrival, trusted_proxies=settings.trusted_proxy_list)


def _limits(settings: Settings) -> dict[str, int]:
    """The largest bodies in bytes, by path."""
    return {
        "": min(JSON_BYTES, settings.max_body_bytes),
        "/v1/batch": settings.max_body_bytes,
        "/v1/imports": settings.max_import_bytes,
        "/v1/invoices/*/pdf": _FILE_BYTES,
        "/v1/actions/*/attachments": _FILE_BYTES,
        **webhooks.limits(PROVIDERS.values()),
    }


def _times(settings: Settings) -> dict[str, Time]:
    """By path, where it is not the usual one."""
    return {
        "/readyz": Time(settings.ready_seconds, settings.ready_seconds),
        "/v1/imports": Time(_IMPORT_SECONDS, settings.import_statement_seconds),
        **dict.fromkeys(_TEXTS, Time(_TEXT_SECONDS, settings.request_seconds)),
        **dict.fromkeys(_MANY, Time(_MANY_SECONDS, settings.request_seconds)),
    }


def _add_endpoints(app: FastAPI) -> None:
    for module in _ROUTERS:
        router = providers.router_of(offered()) if module is providers else module.router
        app.include_router(router, prefix="/v1", responses=declared(*_EVERY))
    app.include_router(webhooks.router_of(PROVIDERS.values()))
    app.include_router(links.router)
    app.include_router(rules_page.router)
    app.include_router(health.router, responses=declared(405, 500, 503))
    app.add_api_route("/", _to_docs, methods=["GET"], include_in_schema=False)


def _signers(settings: Settings) -> Signers:
    """Raises SettingsError for accounts or keys that make no sense."""
    try:
        accounts = installed(settings.of_provider)
        vault = Vault(settings.secret_key_list)
    except ValueError as e:
        raise SettingsError(str(e)) from None
    return Signers(
        keys={provider: own.signing_keys for provider, own in accounts.items()},
        vault=vault,
        public_url=settings.public_base_url or "",
        accounts={provider: own.mark for provider, own in accounts.items()},
    )


async def _to_docs() -> RedirectResponse:
    return RedirectResponse("/docs")
