"""Rules 27 to 37: manual actions, recipients, and messages that come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.decide import decide
from dunning.decision import Kind
from dunning.model import ActionStatus, Cause, Contact, InvoiceStatus
from dunning.plan import ActionType
from dunning.recipients import can_reach, meant
from plans.read import parse_plan
from tests.cast.diary import ANNA, Diary, call, day, email, instant, plan

CALLS = plan(call("call", 1), email("s8", 8))


def calling() -> Diary:
    life = Diary(CALLS, "2025-03-04 09:00")
    life.invoice("A", due="2025-03-03")
    life.settle()
    return life


def test_rule_27_the_sequence_stays_at_an_open_action() -> None:
    life = calling()
    decision = life.until("2025-09-30")
    assert (decision.kind, decision.at, decision.step_key) == (Kind.AWAIT_OWNER, None, "call")
    assert life.sent == []


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"status": InvoiceStatus.PAID}, "call: A is paid (rule 4)"),
        ({"disputed": True}, "call: A is disputed (rule 41)"),
    ],
)
def test_rule_27_the_other_way_out_is_that_its_reason_is_gone(
    fact: dict[str, object], words: str
) -> None:
    life = calling()
    life.change("A", **fact)
    assert life.settle().kind is Kind.REST
    assert life.withdrawn == [words]


def test_rule_27_a_paused_invoice_withdraws_it_and_it_is_shown_again_afterwards() -> None:
    life = calling()
    life.pause("A", until="2025-03-20")
    life.until("2025-03-30")
    assert life.withdrawn == ["call: A is paused until 2025-03-20 (rule 38)"]
    assert life.assigned == ["Tue 4 Mar 09:00 call A", "Thu 20 Mar 00:00 call A"]
    assert life.open("call").attempt == 1


def test_rule_27_an_open_action_of_an_invoice_that_is_unknown_by_now() -> None:
    life = calling()
    life.tell(invoices=())
    life.settle()
    assert life.withdrawn == ["call: its invoice is gone (rule 27)"]


def test_rule_30_a_completed_email_goes_out_at_once_even_on_a_sunday_night() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-09 22:00")
    life.complete("letter")
    life.settle()
    assert life.sent == ["Sun 9 Mar 22:00 letter A"]


def test_rule_30_and_42_not_when_its_reason_went_before_it_left() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.tell(credits={"EUR": 100})
    life.settle()
    assert life.sent == []
    assert life.withdrawn == ["letter: unapplied credit covers the balance of A (rule 42)"]


def test_rule_30_an_extra_reminder_that_was_completed_goes_out_and_the_plan_waits() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="")
    assert life.settle().step_key == "s1"  # it holds nothing while it is open
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="", requested=True)
    life.until("2025-03-20")
    assert life.sent == ["Mon 3 Mar 00:00 None A", "Mon 10 Mar 08:30 s1 A"]


def test_rule_30_what_was_completed_goes_before_what_still_waits_for_its_owner() -> None:
    life = calling()
    life.act(id="extra", invoice_id="A", status=ActionStatus.TO_DO, plan_id="", requested=True)
    life.settle()
    assert [a.id for _, a in life.lines if a.status is ActionStatus.DONE] == ["extra"]
    assert life.shown == ["call"]


def test_rule_32_a_skipped_action_does_not_count_and_the_next_follows() -> None:
    life = Diary(plan(call("call", 1), email("s2", 2)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-07 15:00")
    life.skip("call")
    life.until("2025-03-30")
    assert life.days == ["Mon 10 Mar s2"]


def test_rule_32_a_skipped_first_action_of_a_contextualized_plan_is_not_shown_again() -> None:
    life = Diary(plan(call("call", 1), email("s8", 8), first="contextualized"), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.skip("call")
    assert life.settle().step_key == "s8"


def test_rule_34_who_is_meant() -> None:
    ben = Contact("ben", position="Accounting", email=True, phone=True)
    eve = Contact("eve", position="accounting ", email=True)
    account = replace(Diary(None).account, contacts=(ANNA, ben, eve))
    assert [c.id for c in meant(step("email", ["main"]), account)] == ["anna"]
    assert [c.id for c in meant(step("email", ["others"]), account)] == ["ben", "eve"]
    assert [c.id for c in meant(step("email", ["position:accounting"]), account)] == ["ben"]
    both = step("email", ["others", "main", "position:Accounting"])
    assert [c.id for c in meant(both, account)] == ["anna", "ben", "eve"]
    assert [c.id for c in meant(step("sms", ["main"]), account)] == ["anna"]
    assert meant(step("email", ["member:eva@example.com"]), account) == []


def step(type_: str, recipients: list[str], **more: object):  # type: ignore[no-untyped-def]
    data = email("s", 1, type=type_, recipients=recipients, **more)
    return parse_plan({"name": "p", "steps": [data]}).steps[0]


@pytest.mark.parametrize(
    ("type_", "recipients", "missing", "reaches"),
    [
        ("email", ["main"], {"email": False}, False),
        ("email", ["main"], {"phone": False, "postal": False}, True),
        ("sms", ["main"], {"phone": False}, False),
        ("letter", ["main"], {"postal": False}, False),
        ("email", ["position:Accounting"], {}, False),
        ("email", ["member:eva@example.com"], {"email": False}, True),
        ("email", ["eva@example.com"], {"email": False}, True),
        ("email", ["main", "member:eva@example.com"], {"email": False}, False),
    ],
)
def test_rule_35_a_valid_recipient_is_needed_for_its_channel(
    type_: str, recipients: list[str], missing: dict[str, Any], reaches: bool
) -> None:
    account = replace(Diary(None).account, contacts=(replace(ANNA, **missing),))
    assert can_reach(step(type_, recipients), account) is reaches


def test_rule_35_copies_alone_are_no_recipient_and_one_of_two_is_enough() -> None:
    account = replace(Diary(None).account, contacts=(replace(ANNA, email=False),))
    assert not can_reach(step("email", ["main"], cc=["member:eva@example.com"]), account)
    ben = Contact("ben", email=True)
    account = replace(account, contacts=(*account.contacts, ben))
    assert can_reach(step("email", ["main", "others"]), account)


def unreachable(lag: timedelta = timedelta(0)) -> Diary:
    life = Diary(plan(email("s1", 1), email("s8", 8)), "2025-03-03", lag=lag)
    life.invoice("A", due="2025-03-05")
    life.contact(email=False)
    life.until("2025-03-06 12:00")
    return life


def test_rule_35_no_valid_recipient_turns_it_into_a_to_do_with_the_cause() -> None:
    life = unreachable()
    assert life.assigned == ["Thu 6 Mar 08:30 s1 A"]
    assert life.open("s1").cause is Cause.NO_RECIPIENT
    assert life.settle().reasons[-1].rule == 35
    assert life.settle().at is None


@pytest.mark.parametrize("at", ["2025-03-06 12:01", "2025-03-07 00:00", "2025-03-07 08:30"])
def test_rule_35_corrected_it_goes_out_the_following_working_day(at: str) -> None:
    life = unreachable()
    life.until(at)
    life.correct()
    decision = life.settle()
    assert (decision.kind, decision.then, decision.attempt) == (Kind.WAIT, ActionType.EMAIL, 1)
    life.until("2025-03-12")
    expected = "Fri 7 Mar 08:30 s1 A" if at < "2025-03-07" else "Mon 10 Mar 08:30 s1 A"
    assert life.sent == [expected]


def test_rule_35_corrected_before_the_action_was_due_it_goes_out_as_planned() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-05")
    life.contact(email=False)
    life.until("2025-03-06 07:00")
    life.correct()
    life.until("2025-03-20")
    assert life.sent == ["Thu 6 Mar 08:30 s1 A"]


def test_rule_35_the_first_correction_after_the_to_do_counts() -> None:
    """Corrected on Friday, and again on Monday at 07:00, other addresses too: Monday 08:30."""
    life = unreachable()
    life.until("2025-03-07 07:00")
    life.fix("email")
    life.until("2025-03-10 07:00")
    life.correct()
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_the_first_correction_counts_although_it_is_learnt_late() -> None:
    """Nothing runs between Friday's correction and Monday's, and the first still counts."""
    life = unreachable()
    life.now = instant("2025-03-07 07:00")
    life.fix("email")
    life.now = instant("2025-03-10 07:00")
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_a_correction_of_another_address_does_not_count() -> None:
    life = unreachable()
    life.fix("phone")
    life.until("2025-03-07 07:00")
    assert life.shown == ["s1"]
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_a_correction_before_the_to_do_does_not_count() -> None:
    """Corrected on Thursday 07:00, invalid again at 08:00, the to-do at 08:30, corrected Friday."""
    life = Diary(plan(email("s1", 1)), "2025-03-03")
    life.invoice("A", due="2025-03-05")
    life.until("2025-03-06 07:00")
    life.fix("email")
    life.until("2025-03-06 08:00")
    life.contact(email=False)
    life.until("2025-03-07 07:00")
    assert life.shown == ["s1"]
    life.fix("email")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_another_main_contact_is_a_correction_too() -> None:
    life = unreachable()
    life.until("2025-03-07 07:00")
    ben = Contact("ben", main=True, email=True)
    life.tell(contacts=(replace(ANNA, main=False), ben))
    assert life.settle().due == instant("2025-03-10 08:30")
    life.until("2025-03-12")
    assert life.sent == ["Mon 10 Mar 08:30 s1 A"]


def test_rule_35_its_owner_may_complete_it_first() -> None:
    life = unreachable()
    life.complete("s1")
    life.until("2025-03-30")
    assert life.days == ["Thu 6 Mar s1"]
    assert life.assigned[1:] == ["Thu 13 Mar 08:30 s8 A"]


def test_rule_36_a_message_on_its_way_holds_everything_until_its_deadline() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    deadline = instant("2025-03-04 08:40")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.SENDING, deadline=deadline)
    life.pause()
    life.change("A", status=InvoiceStatus.PAID)
    decision = life.settle()
    assert (decision.kind, decision.at, decision.then) == (Kind.WAIT, deadline, ActionType.EMAIL)
    assert decision.withdraw == ()
    life.now = instant("2025-03-04 09:00")
    assert life.settle().at == life.now  # late: looked at this moment


def test_rule_36_what_may_have_left_waits_for_a_person() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.NEEDS_REVIEW)
    decision = life.settle()
    assert (decision.kind, decision.action_id) == (Kind.AWAIT_OWNER, "a")


def test_rule_36_what_is_being_sent_goes_before_what_a_person_must_say() -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    life.act(id="a", invoice_id="A", step_key="s1", status=ActionStatus.NEEDS_REVIEW)
    life.act(id="b", invoice_id="A", status=ActionStatus.SENDING, plan_id="")
    assert life.settle().action_id == "b"


def test_rule_36_what_its_owner_completed_is_withdrawn_when_the_customer_is_paused() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-08")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.pause()
    life.settle()
    assert life.sent == []
    assert life.withdrawn == ["letter: the customer was paused before it left (rule 36)"]


def test_rule_36_the_send_is_of_one_invoice_and_one_channel() -> None:
    life = Diary(plan(email("s1", 1, type="sms")), "2025-03-04 08:30")
    life.invoice("A", due="2025-03-03")
    decision = decide(life.account, life.now)
    assert (decision.kind, decision.invoice_id) == (Kind.SEND, "A")
    assert decision.send_on is ActionType.SMS
    assert replace(decision, kind=Kind.WAIT).send_on is None


def bounced(first: str = "standard") -> Diary:
    steps = [email("s1", 1), email("s8", 8)]
    life = Diary(plan(*steps, first=first), "2025-03-03")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-05 09:00")
    assert life.days == ["Tue 4 Mar s1"]
    life.bounce("s1")
    return life


def test_rule_37_a_bounce_reopens_the_same_step_and_was_no_contact() -> None:
    life = bounced()
    assert life.settle().cause is Cause.BOUNCED
    assert life.shown == ["s1"]
    life.until("2025-03-07 11:00")
    life.complete("s1")
    life.correct()
    life.until("2025-03-30")
    assert life.days[1:] == ["Fri 7 Mar s1", "Wed 12 Mar s8"]


def test_rule_37_the_same_step_even_when_a_contextualized_entry_has_moved_on() -> None:
    life = bounced("contextualized")
    life.now = instant("2025-03-12 09:00")  # the date of "s8" has come
    life.settle()
    assert life.shown == ["s1"]


def test_rule_37_and_35_corrected_it_goes_out_by_itself_the_following_working_day() -> None:
    life = bounced()
    life.until("2025-03-07 07:00")
    life.correct()
    life.until("2025-03-30")
    assert life.days == ["Tue 4 Mar s1", "Mon 10 Mar s1", "Mon 17 Mar s8"]
    assert life.withdrawn == ["s1: the contact was corrected on 2025-03-07 (rule 35)"]


def test_rule_37_a_manual_message_that_bounced_stays_its_owners_once_corrected() -> None:
    life = Diary(plan(email("letter", 1, automatic=False)), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.settle()
    life.complete("letter")
    life.settle()
    life.bounce("letter")
    life.settle()
    life.correct()
    life.settle()
    assert life.shown == ["letter"]
    assert not any("letter" in line for line in life.withdrawn)


def test_rule_37_an_address_written_into_the_plan_is_not_tried_day_after_day() -> None:
    steps = [email("s1", 1, recipients=["board@example.com"])]
    life = Diary(plan(*steps), "2025-03-04")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 09:00")
    life.bounce("s1")
    life.until("2025-03-30")
    assert (life.shown, len(life.sent)) == (["s1"], 1)


def test_rule_37_when_a_later_step_has_run_it_is_only_flagged() -> None:
    life = bounced()
    life.correct()
    life.until("2025-03-14")
    assert life.days == ["Tue 4 Mar s1", "Thu 6 Mar s1", "Tue 11 Mar s8"]
    life.bounce("s1")
    life.until("2025-03-30")
    assert life.shown == ["exhausted"]


def test_rule_37_a_pre_due_step_that_bounced_is_not_opened_again_once_overdue() -> None:
    life = Diary(plan(email("almost", -3), email("s1", 1)), "2025-02-20")
    life.invoice("A", due="2025-03-03")
    life.until("2025-03-04 09:00")
    life.bounce("almost")
    life.correct()
    life.until("2025-03-30")
    assert life.days[1:] == ["Wed 5 Mar s1"]


@pytest.mark.parametrize("cause", [Cause.REJECTED, Cause.UNKNOWN_OUTCOME, None])
def test_rule_37_what_the_provider_refused_is_its_owners(cause: Cause | None) -> None:
    life = Diary(plan(email("s1", 1)), "2025-03-04 08:31")
    life.invoice("A", due="2025-03-03")
    on = day("2025-03-04")
    life.act(invoice_id="A", step_key="s1", status=ActionStatus.FAILED, cause=cause, ended_on=on)
    life.settle()
    assert life.open("s1").cause is (cause or Cause.REJECTED)
    assert life.open("s1").attempt == 1
