"""With keys, payloads in Temporal are encrypted, and those written before stay readable for us."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message as Proto
from sqlalchemy import Engine
from temporalio.api.enums.v1 import QueryRejectCondition
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    ListWorkflowExecutionsRequest,
    QueryWorkflowRequest,
)
from temporalio.client import Client

from activities.codec import answering, codec_app
from activities.payloads import CannotDecrypt, Encryption, data_converter
from activities.temporal import connect_temporal
from local.embedded.ports import take_port
from local.standalone import temporal_executable
from providers.port import Accepted, NotSent
from stand_ins.town import Provider, Town, call, email, plan
from tests.activities.test_failures import failing
from tests.cast.real_sequences import Run, living, monday, morning
from tests.cast.scripted import Clerk, day, rest, until, wait, working
from tests.cast.skipping import Skipping

pytestmark = pytest.mark.services

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
#: Every name, number, amount and note used below; none can be part of an id or a time.
SECRETS = {
    "zebulon",
    "zoe@",
    "inv-9041",
    "inv-9042",
    "4321.77",
    "777.55",
    "reminder",
    "call two",
    "amber &",
    "promised by phone",
    "dana",
    "on holiday",
    "throttled",
    "customer k-77",
    "waiting until",
    "step 1",
    "2031-01",
}
#: Never sent to Temporal, with or without keys: it gets ids in their place.
NEVER = {"zebulon", "zoe@", "4321.77", "amber &", "throttled"}


@pytest.fixture
async def sealed(temporal: str) -> Skipping:
    """A client with a key."""
    return Skipping(await connect_temporal(temporal, keys=[NEW]))


def readable(message: Proto) -> str:
    """All readable text of the server's answer, with base64 decoded. A payload that our key
    decrypts is replaced by the word "encrypted"; any other stays."""
    sealed = Fernet(NEW)
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if _bytes(value.get("metadata", {}).get("encoding")) == b"binary/encrypted":
                sealed.decrypt(_bytes(value["data"]))
                found.append("encrypted")
                return
            for name, inner in value.items():
                found.append(str(name))
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        else:
            found.extend((str(value), _bytes(value).decode("latin-1")))

    walk(MessageToDict(message))
    return "\n".join(found).lower()


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError:
        return b""


async def everything(plain: Client, run: Run) -> str:
    """All that a client without a key can read of a customer: every run with its history, the
    description, the row of the list, and the answers to queries."""
    service, namespace = plain.workflow_service, plain.namespace
    seen: list[Proto] = []
    for handle in await run.runs():
        ask = GetWorkflowExecutionHistoryRequest(namespace=namespace)
        ask.execution.workflow_id, ask.execution.run_id = run.id, handle.run_id or ""
        seen.append(await service.get_workflow_execution_history(ask))
    described = DescribeWorkflowExecutionRequest(namespace=namespace)
    described.execution.workflow_id = run.id
    seen.append(await service.describe_workflow_execution(described))
    listed = ListWorkflowExecutionsRequest(namespace=namespace, query=f"WorkflowId='{run.id}'")
    seen.append(await service.list_workflow_executions(listed))
    for name in ("next", "__temporal_workflow_metadata"):
        query = QueryWorkflowRequest(namespace=namespace, query=WorkflowQuery(query_type=name))
        query.execution.workflow_id = run.id
        query.query_reject_condition = QueryRejectCondition.QUERY_REJECT_CONDITION_NONE
        seen.append(await service.query_workflow(query))
    return "\n".join(map(readable, seen))


async def lived(skipping: Skipping, engine: Engine, url: str) -> tuple[Town, str]:
    """A refused and then an accepted email, a pause and a call by hand, a part payment, a payment
    that ends the run, and a sleeping next run. Returns what a client without a key can read."""
    provider = Provider(NotSent("421 zoe@zebulon.example is throttled"), Accepted("id-1"))
    steps = plan(email("one", 1), call("two", 8), email("three", 15))
    town = Town(engine, provider, steps)
    town.customer("k-77", name="Zebulon Ltd", email="zoe@zebulon.example")
    town.invoice("INV-9041", monday(), "4321.77", "k-77")
    town.invoice("INV-9042", monday() + timedelta(days=20), "50", "k-77")
    run = Run(skipping, town, "k-77")
    async with living(skipping, town, url):
        await run.asleep()
        await run.lives_until(morning(2))
        await until(lambda: ("one", "done") in town.actions())
        by = {"who": "Dana", "why": "promised by phone"}
        await run.handle.signal("payment", {"invoice": "INV-9041", "amount": "777.55", **by})
        await until(lambda: "777.55" in " ".join(town.timeline("payment")))
        pause = {"why": "on holiday", "until": "2031-01-01", "invoice": "INV-9042"}
        await run.handle.signal("pause", pause)
        await run.lives_until(morning(9, "10:00"))
        await until(lambda: ("two", "to_do") in town.actions())
        await run.handle.signal("complete", by)
        await until(lambda: ("two", "done") in town.actions())
        await run.handle.signal("resume", {"invoice": "INV-9042"})
        await run.asleep()
        town.pay("INV-9041", "3544.22", "k-77")
        await until(run.carried_on)
        await run.asleep()
        plain = await Client.connect(skipping.client.service_client.config.target_host)
        return town, await everything(plain, run)


async def test_with_keys_no_business_data_is_readable_in_temporal(
    sealed: Skipping, engine: Engine, database_url: str
) -> None:
    town, seen = await lived(sealed, engine, database_url)
    assert {secret for secret in SECRETS if secret in seen} == set()
    # Not encrypted, on purpose: ids, types, names of signals, search attributes.
    words = seen.split("\n")
    assert {f'"{town.id}"', '"k-77"', "dunningcustomer", "send_email", "pause"} <= set(words)
    assert words.count("encrypted") > 30
    assert len(town.provider.tried) == 2


async def test_without_keys_the_same_data_is_readable(
    skipping: Skipping, engine: Engine, database_url: str
) -> None:
    """Guards the test above, which would otherwise prove nothing."""
    _, seen = await lived(skipping, engine, database_url)
    assert {secret for secret in SECRETS if secret not in seen} == NEVER


async def test_a_plain_run_continues_encrypted_and_after_a_change_of_keys(
    temporal: str,
) -> None:
    """Begun without a key; on Tuesday with a key, on Wednesday with a newer one before it."""
    clerk = Clerk(*(wait(day(f"{d} 08:30")) for d in ("Tue", "Wed", "Thu")), rest())
    begun = None
    for number, keys in enumerate(([], [OLD], [NEW, OLD])):
        skipping = Skipping(await connect_temporal(temporal, keys=keys))
        queue = begun.queue if begun else ""
        async with working(skipping, clerk, queue=queue) as acme:
            if begun is None:
                await acme.begin()
            else:
                acme.id, acme.customer = begun.id, begun.customer
            begun = acme
            await acme.clerk.called(number + 1)
            await acme.lives_until(day(("Tue", "Wed", "Thu")[number] + " 09:00"))
            await acme.clerk.called(number + 2)
            await acme.is_sound()


async def test_the_message_and_traceback_of_an_error_are_encrypted(sealed: Skipping) -> None:
    async with working(sealed, Clerk(ConnectionError("no database"), rest())) as acme:
        await acme.begin()
        failure = await failing(acme)
    assert (failure.message, failure.stack_trace) == ("Encoded failure", "")
    assert failure.encoded_attributes.metadata["encoding"] == b"binary/encrypted"


async def test_the_temporal_command_reads_and_writes_through_the_codec_endpoint(
    sealed: Skipping, temporal: str
) -> None:
    """An engineer pauses a customer and queries what comes next."""
    port = take_port(0, "")

    async def command(*words: str) -> str:
        line = [temporal_executable(), "workflow", *words, "--address", temporal]
        line += ["--codec-endpoint", f"http://127.0.0.1:{port}", "--output", "json"]
        line += ["--workflow-id", acme.id]
        done = await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async with (
        answering(codec_app([NEW], []), "127.0.0.1", port),
        working(sealed, Clerk(wait(day("Fri 08:30"), summary="Waiting for Friday"))) as acme,
    ):
        await acme.begin()
        await acme.clerk.called(1)
        await command("signal", "--name", "pause", "--input", '{"who": "Dana"}')
        told = await acme.clerk.called(2)
        assert [(m.signal, m.who) for m in told.messages] == [("pause", "Dana")]
        asked = json.loads(await command("query", "--name", "next"))
        assert asked["queryResult"][0]["summary"] == "Waiting for Friday"


async def test_the_first_key_encrypts_and_all_of_them_decrypt() -> None:
    (secret,) = await data_converter([OLD]).encode(["a note"])
    assert await data_converter([NEW, OLD]).decode([secret]) == ["a note"]
    (other,) = await data_converter([NEW, OLD]).encode(["a note"])
    assert await data_converter([NEW]).decode([other]) == ["a note"]
    with pytest.raises(CannotDecrypt):
        await data_converter([NEW]).decode([secret])


def test_an_invalid_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="dunning temporal key") as caught:
        Encryption(["geheim"])
    assert "geheim" not in str(caught.value)
