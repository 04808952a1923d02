"""``dunning temporal``: search attributes, keys, and the codec endpoint."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from backoffice.people.vault import new_secret_key
from commands.console import out, say
from logs import set_up_logging
from settings import SettingsError, load_settings

app = typer.Typer(no_args_is_help=True, help="Temporal: its search attributes and keys.")


@app.command("prepare")
def prepare() -> None:
    """Register the search attributes that the namespace lacks; those it has stay."""
    from activities.attributes import register
    from activities.temporal import connect_temporal

    async def run() -> tuple[str, list[str]]:
        client = await connect_temporal()
        return client.namespace, await register(client)

    namespace, added = asyncio.run(run())
    words = f"registered {', '.join(added)}" if added else "every search attribute is there"
    say(f"namespace {namespace}: {words}")


@app.command("key")
def key() -> None:
    """Make a key for DUNNING_TEMPORAL_KEYS."""
    say(new_secret_key())


@app.command("codec")
def codec(
    ui: Annotated[
        list[str] | None,
        typer.Option(help="Where browsers open the Temporal UI; may be repeated."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Another address than loopback needs a proxy that asks who it is.")
    ] = "127.0.0.1",
) -> None:
    """Decrypt for the Temporal UI and the `temporal` command, until Ctrl-C. Asks for no password.

    Without --ui: http://127.0.0.1 at DUNNING_TEMPORAL_UI_PORT.
    """
    from activities.codec import answering, codec_app, origins_of
    from local.embedded.ports import take_port

    settings = load_settings()
    set_up_logging(settings.log_level, json_lines=settings.log_json)
    if not settings.temporal_key_list:
        raise SettingsError("DUNNING_TEMPORAL_KEYS is not set: there is nothing to decrypt with")
    pages = ui or [f"http://127.0.0.1:{settings.temporal_ui_port}"]
    origins = [origin for url in pages for origin in origins_of(url)]
    endpoint = codec_app(settings.temporal_key_list, origins)
    port = take_port(settings.codec_port, "DUNNING_CODEC_PORT")

    async def run() -> None:
        async with answering(endpoint, host, port):
            say(f"codec endpoint http://{host}:{port}")
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        out.print("ended")
