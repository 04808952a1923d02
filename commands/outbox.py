"""``dunning outbox``: messages of channels without a provider."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import col, select

from commands.console import out, say
from commands.target import database_session
from providers.outbox.callbacks import SIMULATED
from settings import load_settings
from store import tables as t

app = typer.Typer(no_args_is_help=True, help="What channels without a provider would send.")
_NEWEST = select(t.OutboxMessage).order_by(col(t.OutboxMessage.seq).desc())


def _event(text: str) -> str:
    if text not in SIMULATED:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(SIMULATED)}")
    return text


@app.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, max=1000)] = 20) -> None:
    """The newest messages, with the id that `simulate` takes."""
    with database_session(load_settings()) as session:
        rows = session.exec(_NEWEST.limit(limit)).all()
    for row in rows:
        to = ", ".join(r["address"].splitlines()[0] for r in row.recipients)
        words = row.subject or row.text[:60].replace("\n", " ")
        say(f"{row.delivery_id}  {row.at:%Y-%m-%d %H:%M}  {row.channel}  {to}  {words}")


@app.command("simulate")
def simulate(
    event: Annotated[str, typer.Argument(callback=_event, help=", ".join(SIMULATED))],
    delivery: Annotated[str, typer.Argument(help="Its id, or `last`.")] = "last",
) -> None:
    """Report what became of a message in the outbox: a signed callback to the running API, on the
    same way as a provider's."""
    from local.simulated import report_simulated

    settings = load_settings()
    if delivery == "last":
        with database_session(settings) as session:
            found = session.exec(_NEWEST.limit(1)).first()
        if found is None:
            raise ValueError("the outbox is empty")
        delivery = str(found.delivery_id)
    report_simulated(settings, delivery, event)
    out.print(f"reported: {event} of {delivery}", highlight=False)
