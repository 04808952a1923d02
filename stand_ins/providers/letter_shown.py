"""A letter as it is in Lob's answers and events."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stand_ins.providers.ledger import Entry

_COUNTRY = {"US": "UNITED STATES", "FR": "FRANCE"}  # Lob answers with names
_CERTIFIED = {"certified", "certified_return_receipt"}


def events_of(entry: Entry) -> list[dict[str, Any]]:
    registered = entry.body.get("extra_service") in _CERTIFIED
    kind = "letter.certified" if registered else "letter"
    last = "returned_to_sender" if entry.lost else "delivered"
    names = ["letter.created", f"{kind}.mailed", f"{kind}.{last}"]
    return [
        {
            "id": "evt_" + secrets.token_hex(8),
            "body": resource(entry),
            "reference_id": entry.provider_id,
            "event_type": {
                "id": name,
                "enabled_for_test": True,
                "resource": "letters",
                "object": "event_type",
            },
            "date_created": _instant(entry.at + timedelta(seconds=n)),
            "object": "event",
        }
        for n, name in enumerate(names)
    ]


def resource(entry: Entry) -> dict[str, Any]:
    letter, at = entry.body, _instant(entry.at)
    tracked = letter.get("extra_service") in _CERTIFIED
    return {
        "id": entry.provider_id,
        "description": letter.get("description"),
        "metadata": letter["metadata"],
        "to": _address(letter["to"], at),
        "from": _address(letter["from"], at),
        "color": letter["color"],
        "double_sided": letter.get("double_sided", True),
        "address_placement": letter.get("address_placement", "top_first_page"),
        "return_envelope": False,
        "perforated_page": None,
        "custom_envelope": None,
        "extra_service": letter.get("extra_service"),
        "use_type": letter["use_type"],
        "mail_type": letter.get("mail_type", "usps_first_class"),
        "url": f"https://lob-assets.com/letters/{entry.provider_id}.pdf"
        f"?expires={int(entry.at.timestamp()) + 2_592_000}&signature=standin",
        "carrier": "USPS",
        "tracking_number": str(9207 * 10**22 + int(entry.provider_id[4:], 16)) if tracked else None,
        "tracking_events": [],
        "thumbnails": [],
        "merge_variables": None,
        "expected_delivery_date": (entry.at + timedelta(days=5)).date().isoformat(),
        "date_created": at,
        "date_modified": at,
        "send_date": at,
        "object": "letter",
    }


def _address(address: Mapping[str, Any], at: str) -> dict[str, Any]:
    """In capitals, as Lob answers it."""
    country = address.get("address_country", "US")
    said = {name: str(v).upper() if v else None for name, v in address.items()}
    return {
        "id": "adr_" + hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:16],
        **said,
        "address_country": _COUNTRY.get(country, country),
        "metadata": {},
        "date_created": at,
        "date_modified": at,
        "object": "address",
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
