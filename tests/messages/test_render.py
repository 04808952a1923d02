"""The texts of a step, rendered for each type of action."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.plan import ActionType
from messages.check import check
from messages.render import render
from messages.template import TemplateError
from tests.cast.letters import email, facts, invoice, sms, text

EMAIL, SMS, LETTER = ActionType.EMAIL, ActionType.SMS, ActionType.LETTER
NARROW, NBSP = "\u202f", "\xa0"


@given(
    language=st.text(max_size=12),
    country=st.text(max_size=3),
    currency=st.text(max_size=5),
    name=st.text(max_size=300),
    amount=st.decimals(allow_nan=False, allow_infinity=False),
)
def test_any_facts_can_be_rendered(
    language: str, country: str, currency: str, name: str, amount: Decimal
) -> None:
    one = replace(invoice(), balance=amount, currency=currency, number=name)
    odd = facts(
        language=language, country=country, customer_name=name, contact_name=name, invoice=one
    )
    for channel in ActionType:
        made = render(
            "a {{ customer.name }}", "a{{ contact.name }} {{ invoices_table }}", odd, channel
        )
        if channel is EMAIL:
            email(subject=made.subject, text=made.text, html=made.html)  # the result can be sent
        if channel is SMS:
            sms(text=made.text)


def test_the_subject_is_one_line_of_at_most_255_characters() -> None:
    name = "Acme\r\nBcc: evil@x.example\x00" + "é" * 400
    made = render("{{ customer.name }}", "a", facts(customer_name=name), EMAIL)
    assert made.subject.startswith("Acme Bcc: evil@x.example éé")
    assert len(made.subject) == 255


def test_a_text_that_becomes_too_long_is_refused() -> None:
    body = "{% for i in invoices %}" + "a" * 50_000 + "{% endfor %}"
    check("", body)
    with pytest.raises(TemplateError, match="becomes longer"):
        text(body, invoices=(invoice(),) * 100)


def test_an_sms_is_plain_text_with_plain_spaces() -> None:
    many = tuple(invoice(f"INV-{n}", "1234.5") for n in range(8))
    body = "Dû : {{ invoice.balance }}\n{{ invoices_table }}"
    made = render("ignored", body, facts(language="fr", invoices=many), SMS)
    assert (made.subject, made.html) == ("", None)
    assert made.text.startswith("Dû : 1 234,56 €\nINV-0 1 234,50 €, INV-1 1 234,50 €")
    assert made.text.endswith(", +3")
    assert NARROW not in made.text
    assert NBSP not in made.text


def test_a_letter_has_no_html() -> None:
    made = render("", "", facts(language="de"), LETTER)
    assert made.html is None
    assert made.subject == "Zahlungserinnerung: Rechnung INV-1"
    assert made.text.startswith("15. März 2025\n\nGuten Tag Ada Byron,")


@pytest.mark.parametrize("channel", ActionType)
@pytest.mark.parametrize("language", ["en", "fr", "de", "sv", ""])
def test_a_step_without_texts_takes_the_built_in_ones(language: str, channel: ActionType) -> None:
    made = render("", " ", facts(language=language), channel)
    assert "INV-1" in made.text
    assert bool(made.subject) is (channel is not SMS)
    assert "\n\n\n" not in made.text
    assert "{" not in made.text + made.subject


def test_before_the_due_date_the_built_in_text_says_when_payment_is_due() -> None:
    early = facts(invoice=invoice(days=0), today=date(2025, 3, 1))
    made = render("", "", early, EMAIL)
    assert made.subject == "Payment due soon: invoice INV-1"
    assert "is due on March 3, 2025" in made.text


def test_without_a_contact_name_the_customer_is_addressed() -> None:
    assert render("", "", facts(contact_name=""), EMAIL).text.startswith("Dear Acme,")
