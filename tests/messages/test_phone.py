"""Phone numbers as people write them: compared, converted to E.164, or refused with a reason."""

from __future__ import annotations

import pytest

from messages.message import BadAddress
from messages.phone import mobile


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "fr", "+33612345678"),
        ("0033 612345678", "FR", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "", "+33612345678"),
        ("+33612345678", "DE", "+33612345678"),
        ("+33612345678", "UK", "+33612345678"),
        ("07400 123456", "GB", "+447400123456"),
        ("+39 347 123 4567", "", "+393471234567"),
        ("(415) 867-5309", "US", "+14158675309"),  # may be a fixed line or a mobile
    ],
)
def test_a_mobile_number_becomes_e164(written: str, country: str, e164: str) -> None:
    assert mobile(written, country) == e164


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        ("ask Ada", "FR", "'ask Ada' is not a telephone number"),
        ("", "FR", "'' is not a telephone number"),
        ("06 12 34", "FR", "'06 12 34' is not a valid telephone number in FR"),
        ("+33 6 12", "DE", "'+33 6 12' is not a valid telephone number in FR"),
        ("+999 1234567", "FR", "begins with a country code that does not exist"),
        ("01 42 68 53 00", "FR", "is a landline; an SMS needs a mobile number"),
        ("+33 800 000 000", "", "is a free service number; an SMS needs a mobile number"),
        ("09 12 34 56 78", "FR", "is an internet telephone; an SMS needs a mobile number"),
        ("06 12 34 56 78", "", "needs a country: set the customer's, or write the number with +"),
        ("06 12 34 56 78", "UK", "has no country code, and 'UK' is no country we know"),
        ("1" * 400, "FR", "is too long for a telephone number"),
    ],
)
def test_a_number_that_is_no_mobile_is_refused_with_the_reason(
    written: str, country: str, reason: str
) -> None:
    with pytest.raises(BadAddress) as refused:
        mobile(written, country)
    assert refused.value.address == written
    assert reason in refused.value.reason
    assert len(refused.value.reason) < 150
