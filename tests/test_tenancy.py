"""Use cases and loads take a ``Unit``, which names the organisation. The few functions that take a
bare session are listed here, each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.rooms import ROOT, modules

_REPORTED = "a report or reply says to which delivery it belongs, and so to whom"
_EVERYBODYS = "an account at a provider may be the installation's, which all organisations use"
_WORKER = "a worker does it for all organisations"

#: By file and function: why no organisation is known or needed.
WITHOUT_ORGANISATION = {
    "backoffice/delivery/callbacks.py:store": "a webhook is stored before it is read",
    "backoffice/delivery/callbacks.py:waiting": _WORKER,
    "backoffice/delivery/callbacks.py:left": _WORKER,
    "backoffice/delivery/deliveries.py:organisation_of": _REPORTED,
    "backoffice/delivery/frozen.py:thaw": "the delivery that was loaded says whose message it is",
    "backoffice/delivery/links.py:target_of": "the token of a short link names its delivery",
    "backoffice/delivery/outbox.py:store": "the delivery that is sent says whose message it is",
    "backoffice/delivery/outcomes.py:apply": _REPORTED,
    "backoffice/delivery/replies.py:take": _REPORTED,
    "backoffice/delivery/reply_matching.py:named": _REPORTED,
    "backoffice/delivery/reply_matching.py:possible_organisations": _REPORTED,
    "backoffice/delivery/report_matching.py:delivery_of": _REPORTED,
    "backoffice/ledger/closures.py:people_everywhere": "a reply on a shared account names none",
    "backoffice/people/held_accounts.py:turn": _EVERYBODYS,
    "backoffice/people/held_accounts.py:refused": _EVERYBODYS,
    "backoffice/people/held_accounts.py:returned": _EVERYBODYS,
    "backoffice/people/held_accounts.py:works": _EVERYBODYS,
    "backoffice/people/held_accounts.py:installation_started": _EVERYBODYS,
    "backoffice/people/held_shown.py:waiting_everywhere": _WORKER,
    "backoffice/people/held_shown.py:held_now": _WORKER,
    "backoffice/people/invitations.py:exchange": "the invitation's token names the organisation",
    "backoffice/people/keys.py:authenticate": "the key names the organisation",
    "backoffice/people/provider_accounts.py:seal_anew": "all credentials get the new key",
    "store/backlog.py:backlogs": _WORKER,
}


def takes_a_session() -> Iterator[str]:
    for path in modules("backoffice", "store"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                types = [ast.unparse(one.annotation) for one in node.args.args if one.annotation]
                if "Session" in types:
                    yield f"{path.relative_to(ROOT)}:{node.name}"


def test_only_listed_functions_need_no_organisation() -> None:
    assert set(takes_a_session()) == WITHOUT_ORGANISATION.keys()
