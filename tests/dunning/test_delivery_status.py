"""The states of a delivery: their transitions, and which of them are final."""

from __future__ import annotations

import itertools

import pytest

from dunning.delivery_status import (
    OPEN,
    SETTLED,
    TRANSITIONS,
    DeliveryStatus,
    WrongTransition,
    moved,
)

S = DeliveryStatus


def test_the_table_of_transitions_has_a_row_for_every_state() -> None:
    assert set(TRANSITIONS) == set(S)


@pytest.mark.parametrize(("was", "to"), list(itertools.product(S, S)))
def test_only_a_transition_of_the_table_is_taken(was: S, to: S) -> None:
    if to in TRANSITIONS[was]:
        assert moved(was, to) is to
    else:
        with pytest.raises(WrongTransition):
            moved(was, to)


def test_a_message_is_only_sent_from_planned_or_under_the_key_of_an_earlier_attempt() -> None:
    before_sending = {was for was in S if S.SENDING in TRANSITIONS[was]}
    assert before_sending == {S.PLANNED, S.SENDING, S.UNKNOWN}


def test_accepted_and_rejected_are_final() -> None:
    assert not TRANSITIONS[S.ACCEPTED]
    assert not TRANSITIONS[S.REJECTED]


def test_every_other_state_can_still_become_accepted() -> None:
    for status in set(S) - {S.ACCEPTED, S.REJECTED}:
        assert S.ACCEPTED in TRANSITIONS[status]


def test_a_delivery_is_open_until_it_is_settled() -> None:
    assert set(S) == OPEN | SETTLED
    assert not OPEN & SETTLED
