"""Rule 44: which changes give a customer another plan, and which only name the one it has."""

from __future__ import annotations

from stand_ins.office import PLAN, Office, acme_body

#: The invoice is so old that by its age it would enter a plan behind the first step.
OLD = "2025-02-10"
GENTLE = {**PLAN, "name": "Gentle"}


def next_step(office: Office) -> tuple[str, bool]:
    """The key of the step that comes next, and whether rule 44 chose it."""
    seen = office.ben.get("/customers/C-1/next")  # a letter is his
    return seen["step"]["key"], 44 in [reason["rule"] for reason in seen["why"]]


def changes_told(office: Office) -> list[str]:
    told = office.ada.get("/customers/C-1/timeline")["items"]
    return [entry["text"] for entry in reversed(told) if entry["kind"] == "plan_changed"]


def test_naming_the_default_plan_is_no_other_plan(office: Office) -> None:
    office.acme(due_on=OLD)
    office.review()
    assert next_step(office) == ("mail", False)
    named = office.billing.does("PUT", "/customers/C-1", acme_body(plan="Standard"))
    assert (named["result"], next_step(office)) == ("updated", ("mail", False))
    office.review()
    assert next_step(office) == ("mail", False)
    assert office.ada.get("/customers/C-1")["plan"] == "Standard"
    office.billing.does("PUT", "/customers/C-1", acme_body(plan=""))  # and back to the default
    office.review()
    assert next_step(office) == ("mail", False)
    office.ada.does("PUT", "/customers/C-1/plan", {"plan": "Standard"})
    assert next_step(office) == ("mail", False)
    assert changes_told(office) == []


def test_naming_the_default_plan_withdraws_no_open_action(office: Office) -> None:
    action = office.bens_call()["id"]
    office.billing.does("PUT", "/customers/C-1", acme_body(plan="Standard"))
    assert office.review() == "await_owner"
    assert [a["id"] for a in office.ben.get("/actions")["items"]] == [action]


def test_another_default_plan_is_another_plan_for_those_who_used_it(office: Office) -> None:
    office.acme(due_on=OLD)
    office.review()
    office.ada.does("PUT", "/plans/Gentle", GENTLE)
    office.nudges()
    office.ada.does("PATCH", "/organisation", {"default_plan": "Gentle"})
    assert office.nudges() == ["account_changed"]
    assert next_step(office) == ("letter", True)  # before the sequence has looked, and after it
    office.review()
    assert next_step(office)[0] == "letter"  # with Ben now
    assert changes_told(office) == ["plan changed to Gentle, the new default plan"]


def test_another_default_plan_withdraws_an_open_action_and_keeps_the_contact_delay(
    office: Office,
) -> None:
    office.bens_call()
    office.ada.does("PUT", "/plans/Gentle", GENTLE)
    office.ada.does("PATCH", "/organisation", {"default_plan": "Gentle"})
    office.review()
    assert [a["name"] for a in office.ben.get("/actions")["items"]] == ["Call them"]
    (gone,) = office.ben.get("/actions", scope="all", status="withdrawn")["items"]
    assert "given another plan (rule 44)" in office.ben.get(f"/actions/{gone['id']}")["reason"]


def test_another_default_plan_leaves_alone_who_has_a_plan_of_their_own(office: Office) -> None:
    office.acme(due_on=OLD)
    office.billing.does("PUT", "/customers/C-1", acme_body(plan="Standard"))
    office.review()
    office.ada.does("PUT", "/plans/Gentle", GENTLE)
    office.ada.does("PATCH", "/organisation", {"default_plan": "Gentle"})
    assert next_step(office) == ("mail", False)
    assert changes_told(office) == []
    office.billing.does("PUT", "/customers/C-1", acme_body(plan=""))
    assert next_step(office) == ("letter", True)
    assert changes_told(office) == ["plan changed to the default plan"]


def test_a_plan_given_and_taken_back_before_anything_was_decided_is_no_change(
    office: Office,
) -> None:
    office.acme(due_on=OLD)
    office.review()
    office.ada.does("PUT", "/plans/Gentle", GENTLE)
    office.billing.does("PUT", "/customers/C-1", acme_body(plan="Gentle"))
    office.billing.does("PUT", "/customers/C-1", acme_body(plan="Standard"))
    assert next_step(office) == ("mail", False)


def test_the_first_plan_that_a_customer_has_is_entered_by_its_own_logic(office: Office) -> None:
    office.billing.does("PUT", "/customers/C-1", acme_body())
    body = {
        "customer": "C-1",
        "number": "1",
        "issued_on": "2025-01-10",
        "due_on": OLD,
        "currency": "EUR",
        "total": "100.00",
    }
    office.billing.does("PUT", "/invoices/INV-1", body)
    assert office.review() == "rest"  # it carries, and there is no plan
    office.ada.does("PUT", "/plans/Standard", PLAN)
    assert next_step(office) == ("mail", False)
    office.review()
    assert next_step(office) == ("mail", False)


def test_a_batch_that_names_the_default_plan_gives_no_other_plan(office: Office) -> None:
    office.acme(due_on=OLD)
    office.review()
    item = {"external_id": "C-1", **acme_body(plan="Standard")}
    office.billing.does("POST", "/batch", {"customers": [item]})
    office.review()
    assert next_step(office) == ("mail", False)
