"""Members, groups, keys and the organisation's settings."""

from __future__ import annotations

from typing import Any

import pytest

from stand_ins.office import PLAN, Office


def test_me_shows_the_member_and_the_organisation(office: Office) -> None:
    me = office.ben.get("/me")
    assert (me["name"], me["role"], me["organisation"]) == ("Ben", "member", "Amber & Sons")
    assert [m["name"] for m in office.ben.get("/members")["items"]] == ["Ada", "Ben", "Cleo"]
    office.billing.fails(403, "GET", "/me")


def test_a_member_joins_leaves_and_comes_back(office: Office) -> None:
    office.ben.fails(403, "PUT", "/members/dora@amber.example", {"name": "Dora"})
    dora = office.ada.does("PUT", "/members/dora@amber.example", {"name": "Dora"})
    same = office.ada.does("PUT", "/members/DORA@amber.example", {"name": "Dora", "role": "admin"})
    assert (same["id"], same["role"]) == (dora["id"], "admin")
    invited = office.ada.does("POST", f"/members/{dora['id']}/invitations")
    exchange = {"token": invited["token"], "name": "laptop"}
    key = office.caller(None).does("POST", "/invitations/exchange", exchange)["key"]
    assert office.caller(key).get("/me")["name"] == "Dora"
    office.ada.does("DELETE", f"/members/{dora['id']}")
    office.caller(key).fails(401, "GET", "/me")
    assert "Dora" not in str(office.ben.get("/members"))
    office.ada.fails(409, "POST", f"/members/{dora['id']}/invitations")
    office.ada.does("PUT", "/members/dora@amber.example", {"name": "Dora"})
    office.caller(key).fails(401, "GET", "/me")  # back, but the old key stays gone
    office.ada.fails(422, "PUT", "/members/dora", {"name": "Dora"})
    office.ada.fails(422, "PUT", "/members/dora@amber.example", {"name": "Dora", "role": "boss"})


def test_one_admin_must_stay(office: Office) -> None:
    told = office.ada.fails(409, "DELETE", "/members/ada@amber.example")
    assert "only admin" in told["detail"]
    office.ada.fails(409, "PUT", "/members/ada@amber.example", {"name": "Ada"})
    office.ada.does("PUT", "/members/cleo@amber.example", {"name": "Cleo", "role": "admin"})
    office.cleo.does("DELETE", "/members/ada@amber.example")
    office.ada.fails(401, "GET", "/me")


def test_keys_are_shown_once_and_revoked(office: Office) -> None:
    office.ben.fails(403, "POST", "/keys")
    made = office.ada.does("POST", "/keys", {"name": "nightly"})
    assert made["key"].startswith(f"dun_live_{made['id']}_")
    billing = office.caller(made["key"])
    assert billing.get("/invoices")["items"] == []
    listed = office.ada.get("/keys")
    assert made["key"].split("_")[3] not in str(listed)
    assert [k["name"] for k in listed["items"]][-1] == "nightly"
    office.ada.does("DELETE", f"/keys/{made['id']}")
    billing.fails(401, "GET", "/invoices")
    office.ada.fails(404, "DELETE", f"/keys/{made['id']}")
    office.ada.fails(404, "DELETE", "/keys/nothing")


def test_groups(office: Office) -> None:
    members = ["ben@amber.example", "cleo@amber.example", "BEN@amber.example"]
    group = office.ada.does("PUT", "/groups/account managers", {"members": members})
    assert [m["name"] for m in group["members"]] == ["Ben", "Cleo"]
    assert office.ben.get("/groups")["items"] == [group]
    told = office.ada.fails(422, "PUT", "/groups/x", {"members": [members[0], "no@amber.example"]})
    assert told["errors"][0]["where"] == "/members/1"
    office.cleo.fails(403, "PUT", "/groups/x", {"members": []})


def test_a_change_of_the_calendar_nudges_every_customer(office: Office) -> None:
    office.acme()
    office.review()
    office.ada.does("PUT", "/plans/Gentle", {**PLAN, "name": "Gentle"})
    office.nudges()
    changes = {
        "timezone": "America/New_York",
        "sending_time": "09:15",
        "cut_off": "16:00",
        "working_days": "sun-thu",
        "holidays": "DE-BY",
        "days_off": ["2025-12-24", "2025-12-24"],
        "currency": "USD",
        "language": "fr",
        "tolerance": "0.50",
        "spread_minutes": 30,
        "default_plan": "Gentle",
        "name": "Amber Inc",
        "reply_hold_days": 0,
        "open_tracking": True,
        "sender_domains": ["amber.example", "Mail.AMBER.example", "amber.example"],
        "late_payment_country": "FR",
    }
    after = office.ada.does("PATCH", "/organisation", changes)
    assert {k: after[k] for k in changes} == changes | {
        "days_off": ["2025-12-24"],
        "sender_domains": ["amber.example", "mail.amber.example"],
    }
    assert after["local_time"] == "2025-03-04T03:00:00-05:00"
    assert office.nudges() == ["account_changed"]
    assert office.ben.get("/organisation") == after
    office.ada.does("PATCH", "/organisation", {"tolerance": "0.50"})
    assert office.nudges() == []
    office.ben.fails(403, "PATCH", "/organisation", {"tolerance": "9"})


SETTINGS: list[tuple[str, Any]] = [
    ("timezone", "Europe/Lutetia"),
    ("timezone", ""),
    ("timezone", "../../etc/passwd"),
    ("timezone", "localtime"),
    ("timezone", "Factory"),
    ("timezone", "posixrules"),
    ("timezone", "posix/Europe/Paris"),
    ("timezone", "right/Europe/Paris"),
    ("timezone", "europe/paris"),
    ("timezone", "/usr/share/zoneinfo/Europe/Paris"),
    ("sending_time", "8:30"),
    ("sending_time", "25:00"),
    ("sending_time", 830),
    ("cut_off", "08:30"),
    ("working_days", "mon-fry"),
    ("working_days", ""),
    ("holidays", "XX"),
    ("holidays", "FR-99"),
    ("holidays", "APR"),
    ("holidays", "CATHOLIC"),
    ("holidays", "FR-99-1"),
    ("days_off", ["2025-02-30"]),
    ("currency", "EUX"),
    ("language", "french please"),
    ("tolerance", -1),
    ("tolerance", "-1.00"),
    ("spread_minutes", 481),
    ("spread_minutes", "5"),
    ("default_plan", "Harsh"),
    ("name", " "),
    ("rehearsal_now", "2025-03-04T09:00:00Z"),
    ("timezone", None),
    ("reply_hold_days", 31),
    ("reply_hold_days", -1),
    ("reply_hold_days", "2"),
    ("open_tracking", "yes"),
    ("open_tracking", 1),
    ("sender_domains", ["amber"]),
    ("sender_domains", ["@amber.example"]),
    ("sender_domains", ["a..example"]),
    ("sender_domains", ["-a.example"]),
    ("sender_domains", ["a b.example"]),
    ("sender_domains", [f"d{n}.example" for n in range(51)]),
    ("sender_domains", [5]),
    ("late_payment_country", "XX"),
    ("late_payment_country", "fr"),
]


def test_invalid_settings_are_refused(office: Office, subtests: pytest.Subtests) -> None:
    for name, value in SETTINGS:
        with subtests.test(name=name, value=value):
            told = office.ada.fails(422, "PATCH", "/organisation", {name: value})
            assert told["errors"][0]["where"].startswith(f"/{name}")
