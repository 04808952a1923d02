"""Twilio's error codes: whether a code is about the number, the sender or the account, and its
meaning for people (Twilio, "Error and warning dictionary")."""

from __future__ import annotations

import re

MAX_BODY = 1600
#: The recipient answered STOP: the code of a ``Rejected`` that closes the channel.
OPTED_OUT = "21610"

BUSY = frozenset({"20429", "21611"})
#: The account, its credentials, permissions or balance.
ACCOUNT = frozenset(
    {
        "10001",
        "10002",
        "20003",
        "20004",
        "20005",
        "20006",
        "20007",
        "20008",
        "20010",
        "20403",
        "20404",
        "21472",
        "30002",
        "70051",
        "90010",
    }
)
#: The sender of this account is wrong, for every message.
SENDER_WRONG = frozenset(
    {
        "21212",
        "21601",
        "21603",
        "21606",
        "21659",
        "21660",
        "21661",
        "21701",
        "21703",
        "21704",
        "21705",
        "21711",
    }
)
#: The 4xx that are about one message. Any other is about the account or the API's address.
ABOUT_THE_MESSAGE = frozenset({400, 409, 413, 422})
WRONG_NUMBER = frozenset({"21211", "21217", "21265", "21401", "21614", "21635"})
GONE_NUMBER = WRONG_NUMBER | {"30005", "30006"}  # known only after the attempt
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
WORDS = {
    "10001": "the account is not active; is its balance used up?",
    "10002": "a trial account may not do this",
    "20003": "the key is wrong or may not send",
    "20004": "the key may not do this",
    "20005": "the account is not active",
    "20006": "the account may not do this",
    "20007": "the account may not do this",
    "20008": "the key is a test key",
    "20403": "the account may not do this",
    "20404": "there is no such account, or not with this key",
    "21211": "the number is not valid",
    "21212": "the sender is not valid",
    "21217": "the number is not valid",
    "21265": "the number is a short code, which receives no SMS",
    "21401": "the number is not valid",
    "21408": "the account may not send to this country",
    "21601": "the sender is no number that sends SMS",
    "21603": "there is no sender",
    "21606": "the sender may not send SMS",
    "21608": "a trial account only sends to verified numbers",
    OPTED_OUT: "the recipient answered STOP and gets no more SMS from this sender",
    "21612": "the sender cannot reach this number",
    "21614": "the number cannot receive SMS",
    "21617": f"the text is longer than {MAX_BODY} characters",
    "21635": "the number is a landline",
    "21659": "the sender is no number of Twilio",
    "21660": "the sender belongs to another account",
    "21661": "the sender cannot send SMS",
    "21701": "the messaging service does not exist",
    "21703": "the messaging service has no sender",
    "21704": "the messaging service has no sender",
    "21705": "the messaging service is not valid",
    "21711": "the sender does not belong to the messaging service",
    "30001": "too many messages were waiting",
    "30002": "the account is suspended",
    "30003": "the phone is switched off or out of reach",
    "30004": "the phone or its operator blocks the message",
    "30005": "the number is unknown or no longer in service",
    "30006": "the number is a landline or takes no SMS",
    "30007": "an operator held the message for unwanted advertising",
    "30008": "the operator gives no reason",
    "30034": "the sender is not registered in the United States",
    "70051": "the key may not send, or is not of this account",
    "90010": "the account is not active",
    "30036": "it waited longer than it was valid",
}


def is_short_code(sender: str) -> bool:
    return _SHORT_CODE.fullmatch(sender) is not None


def words(code: str) -> str:
    if not code:
        return "it did not get there; Twilio gives no reason"
    return f"{WORDS.get(code, 'it did not get there')} (Twilio {code})"
