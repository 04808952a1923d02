"""Search attributes by which a run is found, and namespaces of older versions that lack one."""

from __future__ import annotations

import asyncio
import io
import logging
import uuid
from pathlib import Path

import pytest
from sqlalchemy import Engine
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.attributes import register
from activities.temporal import connect_temporal
from local.embedded import temporal as embedded
from local.standalone import Embedded
from logs import set_up_logging
from stand_ins.town import Provider, Town
from tests.cast.real_sequences import Run, living, monday
from tests.cast.scripted import until
from tests.cast.skipping import Skipping
from workflows import contracts

pytestmark = pytest.mark.services

ACME = "C-1042/Acme"


async def attributes(client: Client, workflow_id: str) -> dict[str, str]:
    found = (await client.get_workflow_handle(workflow_id).describe()).typed_search_attributes
    return {pair.key.name: str(pair.value) for pair in found}


def town_of(engine: Engine) -> Town:
    town = Town(engine, Provider())
    town.customer(ACME, email="eve@acme.example")
    town.invoice("INV-1", monday(), customer=ACME)
    return town


def test_the_embedded_server_registers_the_attributes_of_the_sequence() -> None:
    assert set(embedded.SEARCH_ATTRIBUTES) == set(contracts.SEARCH_ATTRIBUTES)


async def test_every_run_of_a_sequence_is_found_by_the_customers_external_id(
    skipping: Skipping, engine: Engine, database_url: str
) -> None:
    town = town_of(engine)
    town.invoice("INV-2", monday(), "50", ACME)
    run = Run(skipping, town, ACME)
    client = skipping.client
    async with living(skipping, town, database_url):
        await run.asleep()
        assert (await attributes(client, run.id))["DunningCustomer"] == ACME
        town.pay("INV-1", customer=ACME)
        await until(run.carried_on)
        await run.asleep()
        assert (await attributes(client, run.id))["DunningCustomer"] == ACME
        query = f"DunningCustomer='{ACME}' AND DunningOrganisation='{town.id}'"

        async def both_are_listed() -> bool:
            return [w.id async for w in client.list_workflows(query)] == [run.id] * 2

        await until(both_are_listed)


@pytest.fixture
async def old_namespace(temporal: str) -> Client:
    """A namespace of an older version, without the attribute of the customer."""
    client, name = await connect_temporal(temporal), f"old-{uuid.uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=name)
    request.workflow_execution_retention_period.FromSeconds(24 * 3600)
    await client.workflow_service.register_namespace(request)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    had = dict.fromkeys(("DunningOrganisation", "DunningState"), keyword)

    async def known() -> bool:  # a new namespace is usable only after a moment
        try:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=name, search_attributes=had)
            )
        except RPCError:
            return False
        return True

    await until(known, every=0.1)
    return Client(client.service_client, namespace=name, data_converter=client.data_converter)


async def test_without_the_attribute_a_sequence_runs_and_the_log_tells_the_operator(
    old_namespace: Client, engine: Engine, database_url: str
) -> None:
    root = logging.getLogger()
    before, said = (root.handlers[:], root.level), io.StringIO()
    set_up_logging(stream=said)
    town = town_of(engine)
    skipping = Skipping(old_namespace)
    run = Run(skipping, town, ACME)
    try:
        async with living(skipping, town, database_url):
            await run.asleep()
            found = await attributes(skipping.client, run.id)
    finally:
        root.handlers[:], root.level = before
    assert {name for name in found if name.startswith("Dunning")} == {
        "DunningOrganisation",
        "DunningState",
    }
    assert said.getvalue().count("`dunning temporal prepare` registers it") == 1


async def test_prepare_registers_missing_attributes_and_can_be_repeated(
    old_namespace: Client,
) -> None:
    assert await register(old_namespace) == ["DunningCustomer"]
    assert await register(old_namespace) == []


async def test_the_embedded_server_adds_attributes_to_a_file_of_an_older_version(
    tmp_path: Path,
) -> None:
    """Temporal's dev server gives attributes to a new database file only, not to an older one."""
    service = Embedded(tmp_path, postgres=False)
    with service as services:
        await _forget(services.temporal_address)
        await asyncio.to_thread(service.restart_temporal)
        assert "DunningCustomer" in await _known(services.temporal_address)


async def _forget(address: str) -> None:
    client = await connect_temporal(address)
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=["DunningCustomer"])
    )
    assert "DunningCustomer" not in await _known(address)


async def _known(address: str) -> set[str]:
    client = await connect_temporal(address)
    asked = ListSearchAttributesRequest(namespace="default")
    return set((await client.operator_service.list_search_attributes(asked)).custom_attributes)
