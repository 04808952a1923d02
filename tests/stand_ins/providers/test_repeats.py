"""The stand-ins repeat callbacks that we refused, and give up after a time."""

from __future__ import annotations

from collections import Counter

import pytest

from stand_ins.providers import Habits, StandIns
from tests.cast.at_callbacks import Receiver, listening, statuses
from tests.cast.at_stand_ins import (
    send_letter,
    send_mail,
    send_sms,
)


def test_a_refused_callback_is_repeated_unchanged() -> None:
    ours = Receiver([500, 404])
    habits = Habits(delay=0, twice=0, early=0, again=0.02)
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_letter(on)
        assert on.wait_until_quiet(5)
        counts = on.counts()
    assert (counts.posts, counts.retries, counts.taken) == (5, 2, 3)
    assert counts.statuses == {500: 1, 404: 1, 200: 3}
    assert Counter(Counter(body for _, _, body, _ in ours.taken).values()) in (
        Counter({2: 2, 1: 1}),
        Counter({3: 1, 1: 2}),
    )


def test_a_refused_batch_is_repeated_with_its_ids_and_its_signature() -> None:
    ours = Receiver([500])
    habits = Habits(delay=0, twice=0, early=1, opened=0, again=0.02)
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_mail(on)
        assert on.wait_until_quiet(5)
    posts = [
        (body, headers["X-Twilio-Email-Event-Webhook-Signature"])
        for _, headers, body, _ in ours.taken
    ]
    assert posts.count(posts[0]) == 2
    assert len(posts) == len(set(posts)) + 1


def test_callbacks_are_repeated_until_our_side_is_back() -> None:
    habits = Habits(delay=0, twice=0, early=0, again=0.05)
    with listening(Receiver()) as address:
        pass  # the port is closed again
    with StandIns(habits=habits, callbacks_to=address) as on:
        send_sms(on, "sms")
        assert not on.wait_until_quiet(0.1)
        assert on.counts().statuses[0] > 0
        with listening(ours := Receiver()) as back:
            on.aim(back)
            assert on.wait_until_quiet(5)
    assert sorted(statuses(ours)) == ["delivered", "sent"]


def test_callbacks_are_given_up_after_the_time_for_retries() -> None:
    habits = Habits(delay=0, twice=0, early=0, again=0.02, retry_for=0.1)
    with listening(Receiver([500] * 1000)) as address:
        with StandIns(habits=habits, callbacks_to=address) as on:
            send_sms(on)
            assert on.wait_until_quiet(5)
        counts = on.counts()
    assert (counts.taken, counts.abandoned) == (0, 2)
    assert counts.retries == counts.posts - 2 > 0


def test_no_callbacks_are_sent_without_an_address_or_to_another_machine() -> None:
    with StandIns() as on:
        send_sms(on)
        assert on.wait_until_quiet(0)
    assert on.counts().posts == 0
    with pytest.raises(ValueError, match="not on this machine"):
        StandIns(callbacks_to="http://dunning.example")
