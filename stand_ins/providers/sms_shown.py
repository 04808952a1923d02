"""An SMS as it is in Twilio's answers, and Twilio's errors."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

from stand_ins.providers.ledger import Entry
from stand_ins.providers.server import Answer, in_json

UNREACHABLE = "30003"
_WORDS = {
    20001: "Unknown parameters",
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20422: "Invalid Parameter",
    20429: "Too Many Requests",
    20500: "Internal Server Error",
    21212: "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not valid.",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21705: "The Messaging Service SID is invalid",
}


def resource(entry: Entry, account: str, path: str, status: str) -> dict[str, Any]:
    """``path`` is that of the account's list of messages."""
    at = format_datetime(entry.at)
    uri = path.replace(".json", f"/{entry.provider_id}.json")
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": entry.body["Body"],
        "date_created": at,
        "date_sent": None if status == "queued" else at,
        "date_updated": at,
        "direction": "outbound-api",
        "error_code": int(UNREACHABLE) if status == "undelivered" else None,
        "error_message": None,
        "from": entry.body.get("From"),
        "messaging_service_sid": entry.body.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": entry.provider_id,
        "status": status,
        "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
        "to": entry.recipients[0],
        "uri": uri,
    }


def error(status: int, code: int, *headers: tuple[str, str], to: str = "") -> Answer:
    message = _WORDS.get(code) or f"Invalid 'To' Phone Number: {to}"
    value = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return in_json(status, value, *headers)
