"""An organisation's own accounts at the providers. For admins; secrets are never shown again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from api.http.auth import Admin
from api.http.bodies import BodyRoute
from api.http.work import Work
from api.members.held import HeldAccount, held_accounts
from api.outside.webhooks import Signers
from backoffice.people import provider_accounts
from dunning.ids import OrganisationId
from dunning.plan import ActionType
from providers.form import Form
from providers.provider import Provider
from providers.registry import account, channel, offered
from store import tables as t
from store.errors import Invalid
from store.unit import Unit

_log = logging.getLogger(__name__)

_MESSAGES = {ActionType.EMAIL: "emails", ActionType.SMS: "SMS", ActionType.LETTER: "letters"}


def _offered(name: str) -> str:
    names = [provider.name for provider in offered()]
    if name not in names:
        quoted = [f"'{one}'" for one in names]
        expected = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
        raise PydanticCustomError(
            "literal_error", "Input should be {expected}", {"expected": expected}
        )
    return name


class _Enum:
    """Lists the registry's providers in the schema of the API when it is made."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": [provider.name for provider in offered()]}


#: A provider at which an organisation may have an account of its own.
ProviderName = Annotated[str, AfterValidator(_offered), _Enum()]


class ProviderAccount(BaseModel):
    provider: ProviderName
    shown: dict[str, Any] = Field(description="What may be read of it: of keys the last four.")
    updated_at: datetime
    updated_by: str


class WebhookAddress(BaseModel):
    provider: ProviderName
    purpose: Literal["events", "replies"]
    url: str


class ProviderAccounts(BaseModel):
    items: list[ProviderAccount] = Field(description="None: the installation's account serves.")
    webhooks: list[WebhookAddress] = Field(
        description="To be entered at the provider of an own account. Twilio is told with each SMS "
        "where to report. Empty while the installation has no public address."
    )
    held: list[HeldAccount] = Field(
        description="Accounts that their provider refuses just now, the installation's too where "
        "it serves this organisation."
    )


def router_of(providers: Iterable[Provider[Any]]) -> APIRouter:
    """The endpoints of own accounts, with a PUT for each of these providers."""
    router = APIRouter(route_class=BodyRoute, tags=["organisation"])
    router.get("/organisation/providers", operation_id="list_provider_accounts")(list_all)
    for provider in providers:
        router.put(
            f"/organisation/providers/{provider.name}",
            operation_id=f"put_{provider.name}_account",
            name=f"put_{provider.name}",
            description=f"Send {_MESSAGES[provider.kind]} through an own {provider.title} account, "
            "from the next one on. Replaces it whole.",
        )(_put_at(provider))
    router.delete(
        "/organisation/providers/{provider}",
        operation_id="delete_provider_account",
        status_code=204,
    )(delete)
    return router


def list_all(request: Request, admin: Admin, unit: Work) -> ProviderAccounts:
    """The organisation's own accounts, where their providers call back, and which are refused."""
    signers: Signers = request.app.state.signers
    rows = provider_accounts.every(unit)
    return ProviderAccounts(
        items=[_out(row) for row in rows],
        webhooks=_webhooks(signers.public_url, admin.organisation_id),
        held=held_accounts(unit, admin),
    )


def delete(provider: ProviderName, admin: Admin, unit: Work) -> None:
    """Back to the installation's account. Callbacks about what left before are refused."""
    provider_accounts.remove(unit, provider)
    _tell(admin, "removed", provider)


def _put_at(provider: Provider[Any]) -> Callable[..., ProviderAccount]:
    def put(body: Form, request: Request, admin: Admin, unit: Work) -> ProviderAccount:
        return _put(request, unit, admin, provider.name, body)

    put.__annotations__["body"] = provider.form
    return put


def _put(
    request: Request, unit: Unit, admin: t.Member, provider: str, body: Form
) -> ProviderAccount:
    signers: Signers = request.app.state.signers
    given = body.credentials()
    try:
        channel(provider, account(provider, given), signers.public_url)
    except ValueError as error:
        raise Invalid.at("", str(error)) from None
    row = provider_accounts.put(unit, signers.vault, provider, given, body.shown())
    _tell(admin, "set", provider)
    return _out(row)


def _tell(admin: t.Member, what: str, provider: str) -> None:
    _log.info(
        "member %s %s the account of organisation %s at %s",
        admin.id,
        what,
        admin.organisation_id,
        provider,
    )


def _out(row: t.ProviderAccount) -> ProviderAccount:
    return ProviderAccount(**row.model_dump(exclude={"organisation_id", "sealed"}))


def _webhooks(public_url: str, organisation: OrganisationId) -> list[WebhookAddress]:
    if not public_url:
        return []
    return [
        WebhookAddress(
            provider=provider.name,
            purpose=endpoint.purpose,
            url=f"{public_url}/webhooks/{provider.name}/{organisation}{endpoint.path}",
        )
        for provider in offered()
        for endpoint in provider.endpoints
        if endpoint.purpose is not None
    ]
