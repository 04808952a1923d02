"""Logs name what failed and where, without keys and personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from logs import mask, set_up_logging, words_of
from store.engine import connect, transaction
from store.errors import Invalid

ADDRESS = "eve@acme.example"
LOGGER = logging.getLogger("dunning.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logging(stream=stream)
    yield stream
    root.handlers[:], root.level = before


def refused(engine: Engine) -> sa.exc.IntegrityError:
    """The error of PostgreSQL for a duplicate key, which quotes the row."""
    insert = sa.text("INSERT INTO one_address (address) VALUES (:address)")
    with engine.connect() as connection:
        connection.execute(
            sa.text("CREATE TEMP TABLE one_address (address text CONSTRAINT address_once UNIQUE)")
        )
        connection.execute(insert, {"address": ADDRESS})
        with pytest.raises(sa.exc.IntegrityError) as caught:
            connection.execute(insert, {"address": ADDRESS})
    return caught.value


def not_a_number(engine: Engine) -> sa.exc.DataError:
    with pytest.raises(sa.exc.DataError) as caught, transaction(engine) as session:
        session.connection().execute(sa.text("SELECT CAST(:a AS text)::integer"), {"a": ADDRESS})
    return caught.value


def test_a_logged_database_error_shows_no_parameters(engine: Engine) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as caught, transaction(engine) as session:
        session.connection().execute(sa.text("SELECT nothing(:a)"), {"a": ADDRESS})
    assert ADDRESS not in str(caught.value)


@pytest.mark.parametrize("json_lines", [False, True])
def test_the_traceback_of_a_refused_row_names_the_constraint_and_no_value(
    json_lines: bool, stream: io.StringIO, engine: Engine
) -> None:
    set_up_logging(stream=stream, json_lines=json_lines)
    try:
        try:
            raise refused(engine)
        except sa.exc.IntegrityError as e:
            raise RuntimeError(f"{ADDRESS} could not be stored") from e
    except RuntimeError:
        LOGGER.exception("a request failed")
    text = stream.getvalue()
    assert ADDRESS not in text
    assert "acme" not in text
    assert "address_once" in text
    assert "23505" in text
    assert "RuntimeError" in text
    assert "line " in text
    assert "raise RuntimeError(" in text
    if json_lines:
        assert json.loads(text)["message"] == "a request failed"


def test_an_error_that_is_an_argument_of_a_log_line_shows_no_value(
    stream: io.StringIO, engine: Engine
) -> None:
    LOGGER.warning("refused by the database: %s", refused(engine))
    LOGGER.warning("refused by the driver: %s", refused(engine).orig)
    LOGGER.warning("not stored: %(error)s", {"error": not_a_number(engine)})
    LOGGER.warning("not read: %s", ValueError(f"invalid literal for int(): '{ADDRESS}'"))
    assert "acme" not in stream.getvalue()
    assert stream.getvalue().count("UniqueViolation 23505") == 2
    assert "InvalidTextRepresentation 22P02" in stream.getvalue()


def test_the_access_log_leaves_out_query_strings(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/v1/customers?q={ADDRESS}", "1.1", 200
    )
    assert "GET /v1/customers?… HTTP/1.1" in stream.getvalue()
    assert ADDRESS not in stream.getvalue()


def test_connection_errors_keep_their_text() -> None:
    nobody = connect("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(sa.exc.OperationalError) as caught, nobody.connect():
        pass
    assert "127.0.0.1" in words_of(caught.value)
    assert words_of(ConnectionRefusedError(111, "Connection refused", ADDRESS)) == (
        "ConnectionRefusedError: Connection refused"
    )


def test_an_error_class_of_ours_is_logged_as_its_docstring() -> None:
    assert words_of(Invalid(f"contact {ADDRESS} makes no sense")) == (
        "Invalid: Bad input or a state that does not allow it; never a fault of the program."
    )


TOKEN = "aB3-_xY7z0Q1w2E3"  # as backoffice/delivery/links.py makes them


@pytest.mark.parametrize("json_lines", [False, True])
@pytest.mark.parametrize(
    "path", [f"/l/{TOKEN}", f"/dunning//l/{TOKEN}", f"//l//{TOKEN}/", f"/l/{TOKEN})"]
)
def test_no_log_shows_the_token_of_a_short_link(
    json_lines: bool, path: str, stream: io.StringIO
) -> None:
    set_up_logging(stream=stream, json_lines=json_lines)
    access = logging.getLogger("uvicorn.access")
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", path, "1.1", 302)
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" 403', "127.0.0.1:1", f"{path}?a=b")
    LOGGER.warning("not sent: %s", {"text": f"Pay at https://dunning.example.com{path} today"})
    LOGGER.info("a link", extra={"link": path})
    assert TOKEN not in stream.getvalue()
    assert "/l" in stream.getvalue()
    assert stream.getvalue().count("***") >= 3
    assert "a=b" not in stream.getvalue()


def test_no_log_shows_an_invitation(stream: io.StringIO) -> None:
    token = "dun_invitation_" + "x" * 43
    LOGGER.info("asked for /v1/invitations/%s", token)
    assert "xxx" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key SG.abc123.def-456_x!", "key SG.***!"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("'authorization': 'bearer abcdefgh'", "'authorization': 'bearer ***'"),
        ("sk_live_0123456789 and whsec_abcdefgh", "sk_*** and whsec_***"),
        ("dun_live_7f3a_Zm9vYmFy", "dun_live_***"),
        ("postgresql+psycopg://u:pa55@db:5432/x", "postgresql+psycopg://u:***@db:5432/x"),
        ("INV-1042 of Ada, 12.50 EUR, task_queue", "INV-1042 of Ada, 12.50 EUR, task_queue"),
    ],
)
def test_keys_are_masked_and_plain_text_is_not(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_json_line_has_the_extras_and_a_masked_traceback(stream: io.StringIO) -> None:
    set_up_logging("INFO", json_lines=True, stream=stream)
    try:
        raise ValueError("Bearer geheimgeheim")
    except ValueError:
        logging.getLogger("dunning.test").exception("failed", extra={"customer": "c-1"})
    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["logger"], entry["customer"]) == ("ERROR", "dunning.test", "c-1")
    assert entry["at"].endswith("Z")
    assert "Bearer ***" in entry["traceback"]
    assert "geheim" not in stream.getvalue()


def test_the_http_client_that_would_log_a_key_is_silent_at_debug(stream: io.StringIO) -> None:
    set_up_logging("DEBUG", stream=stream)
    logging.getLogger("python_http_client").debug("headers")
    logging.getLogger("dunning.test").debug("ours")
    assert "headers" not in stream.getvalue()
    assert "DEBUG dunning.test: ours" in stream.getvalue()
