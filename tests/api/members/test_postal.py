"""An incomplete postal address is marked invalid when it is saved, with what is missing."""

from __future__ import annotations

import pytest

from stand_ins.office import Office, acme_body

TROY = {
    "line1": "1 King St",
    "line2": "",
    "postal_code": "12180",
    "city": "Troy",
    "region": "NY",
    "country": "US",
}
STATE = "an address in the United States needs its state as two letters in region, as CA"


def acme(office: Office, postal: dict[str, str], **more: str) -> dict[str, str]:
    """What is shown of Eve after billing has reported that address of hers."""
    body = acme_body(**more)
    body["contacts"][0]["postal"] = postal
    office.billing.does("PUT", "/customers/C-1", body)
    (eve,) = office.ben.get("/customers/C-1")["contacts"]
    return dict(eve)


@pytest.mark.parametrize(
    ("postal", "why"),
    [
        (TROY, ""),
        (TROY | {"country": "PR", "postal_code": "00901", "region": ""}, ""),
        (TROY | {"region": "New York"}, STATE),
        (TROY | {"postal_code": "1218"}, "the ZIP code in postal_code must be 12345 or 12345-6789"),
        ({}, ""),
    ],
)
def test_what_billing_reports_is_kept_and_marked(
    office: Office, postal: dict[str, str], why: str
) -> None:
    eve = acme(office, postal)
    assert eve["postal_invalid"] == why
    shown = [e["text"] for e in office.ben.get("/customers/C-1/timeline")["items"]]
    assert (f"postal of Eve is invalid: {why}" in shown) == bool(why)


def test_an_address_without_a_country_has_that_of_the_customer(office: Office) -> None:
    without = {**TROY, "country": ""}
    assert acme(office, without)["postal_invalid"] == "the postal address has no country"
    assert acme(office, {**without, "line2": "Suite 2"}, country="US")["postal_invalid"] == ""


def test_a_correction_by_a_member_is_checked_in_the_same_way(office: Office) -> None:
    assert acme(office, TROY | {"region": ""})["postal_invalid"] == STATE
    path = "/customers/C-1/contacts/eve"
    still = office.ben.does("PATCH", path, {"postal": TROY | {"region": "N.Y."}})
    assert still["postal_invalid"] == STATE
    assert office.ben.does("PATCH", path, {"postal": TROY})["postal_invalid"] == ""


def test_an_email_address_with_two_dots_is_refused_where_it_comes_in(office: Office) -> None:
    for address in ("a..b@acme.example", ".a@acme.example", "a.@acme.example"):
        problem = office.billing.fails(422, "PUT", "/customers/C-1", acme_body(address))
        assert "/contacts/0/email" in str(problem["errors"])
    office.billing.does("PUT", "/customers/C-1", acme_body("a.b@bücher.example"))
