"""A smoke test of the SDK's experimental time skipping: it fails first when the SDK changes it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from tests.cast.scripted import Clerk, day, rest, wait, working
from tests.cast.skipping import Skipping

pytestmark = pytest.mark.services


async def test_each_sequence_skips_weeks_on_a_clock_of_its_own(
    skipping: Skipping,
) -> None:
    tuesday = day("Tue 08:30", week=6)
    begun = time.monotonic()
    async with (
        working(skipping, Clerk(wait(tuesday), rest())) as acme,
        working(skipping, Clerk(wait(tuesday), rest())) as zenith,
    ):
        await acme.begin()
        await zenith.begin()
        await acme.lives_until(tuesday + timedelta(hours=1))
        sent = await acme.clerk.called(2)
        assert abs(sent.now - tuesday) < timedelta(seconds=5)
        assert await skipping.now(acme.id) >= tuesday + timedelta(hours=1)
        await zenith.clerk.called(1)
        assert await skipping.now(zenith.id) < tuesday - timedelta(weeks=4)
    assert time.monotonic() - begun < 10
