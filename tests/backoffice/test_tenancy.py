"""Use cases take a ``Unit``, which names the organisation. The few that take a bare session are
listed here, each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.rooms import ROOT, modules

_REPORTED = "a report or reply says to which delivery it belongs, and so to whom"
_EVERYBODYS = "an account at a provider may be the installation's, which all organisations use"
_WORKER = "a worker does it for all organisations"

#: By file in backoffice/ and function: why no organisation is known or needed.
WITHOUT_ORGANISATION = {
    "delivery/callbacks.py:store": "a webhook is stored before it is read",
    "delivery/callbacks.py:waiting": _WORKER,
    "delivery/callbacks.py:left": _WORKER,
    "delivery/deliveries.py:organisation_of": _REPORTED,
    "delivery/frozen.py:thaw": "the delivery that was loaded says whose message it is",
    "delivery/links.py:target_of": "the token of a short link names its delivery",
    "delivery/outbox.py:store": "the delivery that is sent says whose message it is",
    "delivery/outcomes.py:apply": _REPORTED,
    "delivery/replies.py:take": _REPORTED,
    "delivery/reply_matching.py:named": _REPORTED,
    "delivery/reply_matching.py:meant": _REPORTED,
    "delivery/report_matching.py:delivery_of": _REPORTED,
    "people/held_accounts.py:turn": _EVERYBODYS,
    "people/held_accounts.py:refused": _EVERYBODYS,
    "people/held_accounts.py:returned": _EVERYBODYS,
    "people/held_accounts.py:works": _EVERYBODYS,
    "people/held_accounts.py:installation_started": _EVERYBODYS,
    "people/held_shown.py:waiting_everywhere": _WORKER,
    "people/held_shown.py:held_now": _WORKER,
    "people/invitations.py:exchange": "the invitation's token names the organisation",
    "people/keys.py:authenticate": "the key names the organisation",
    "people/provider_accounts.py:seal_anew": "all credentials are encrypted with the new key",
}


def takes_a_session() -> Iterator[str]:
    for path in modules("backoffice"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                types = [ast.unparse(one.annotation) for one in node.args.args if one.annotation]
                if "Session" in types:
                    yield f"{path.relative_to(ROOT / 'backoffice')}:{node.name}"


def test_only_listed_use_cases_need_no_organisation() -> None:
    assert set(takes_a_session()) == WITHOUT_ORGANISATION.keys()
