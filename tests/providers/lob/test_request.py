"""The form of a letter for Lob, and letters that Lob cannot accept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from messages.message import Attachment, Postal, Recipient, Role
from providers.lob.request import fields
from providers.port import (
    Rejected,
)
from tests.cast import stand_in as play
from tests.cast.at_lob import (
    ADA,
    HERE,
    OK,
    THERE,
    account,
    letter,
    sent_to,
)


@pytest.mark.parametrize(
    ("postal", "service"), [(HERE, "certified"), (THERE, "registered")], ids=["home", "abroad"]
)
def test_a_registered_letter_asks_for_the_service_of_its_country(
    postal: Postal, service: str
) -> None:
    to = replace(ADA, postal=postal)
    cheap = account(mail_type="usps_standard")
    assert "extra_service" not in fields(letter(recipients=(to,)), cheap)
    form = fields(letter(recipients=(to,), registered=True), cheap)
    assert (form["extra_service"], form["mail_type"]) == (service, "usps_first_class")
    assert form["to[address_country]"] == postal.country


def test_a_long_name_continues_on_the_second_line_of_the_address() -> None:
    to = replace(ADA, name="The Honourable Augusta Ada King, Countess of Lovelace")
    form = fields(letter(recipients=(to,)), account())
    assert form["to[name]"] == "The Honourable Augusta Ada King,"
    assert form["to[company]"] == "Countess of Lovelace"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (replace(ADA, postal=None), "not known in its parts"),
        (replace(ADA, postal=replace(HERE, line1=" ")), "no street"),
        (replace(ADA, postal=replace(HERE, city="")), "no town"),
        (replace(ADA, postal=replace(HERE, country="")), "no country"),
        (replace(ADA, postal=replace(HERE, country="France")), "no country that letters go to"),
        (replace(ADA, name=""), "no name"),
        (replace(ADA, name="word " * 30), "lines"),
    ],
    ids=["no-parts", "line1", "city", "country", "long-country", "name", "long-name"],
)
def test_an_unusable_postal_address_is_rejected_without_a_call(to: Recipient, why: str) -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK), letter(recipients=(to,)))
    assert isinstance(result, Rejected)
    assert result.recipient_invalid
    assert why in result.reason
    assert provider.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"recipients": (ADA, replace(ADA, name="Ben"))},
        {"recipients": (ADA, replace(ADA, role=Role.CC))},
        {"attachments": (Attachment("a.pdf", "application/pdf", b"%PDF"),)},
        {"text": "שלום"},
        {"text": "line\n" * 10_000},
    ],
    ids=["two", "copy", "attachment", "letters", "long"],
)
def test_a_letter_that_lob_cannot_accept_is_rejected_without_a_call(
    changes: dict[str, Any],
) -> None:
    result, provider = sent_to(play.answer("200 OK", body=OK), letter(**changes))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid
    assert provider.requests == []


@pytest.mark.parametrize("country", ["PR", "gu", "VI"])
def test_a_us_territory_is_sent_as_a_state(country: str) -> None:
    there = Postal("1 Calle Sol", "San Juan", country, "", "00901")
    form = fields(letter(recipients=(replace(ADA, postal=there),), registered=True), account())
    assert (form["to[address_country]"], form["to[address_state]"]) == ("US", country.upper())
    assert form["extra_service"] == "certified"
