"""The short links in messages: the page opens at once, and that it was opened is counted later."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine

from api.http.database import OneLink
from api.http.fields import Key
from backoffice.delivery import callbacks
from backoffice.delivery.links import target_of
from dunning.ids import DeliveryId
from dunning.learnt import CameIn
from logs import words_of
from providers.links import LINK, followed
from store.engine import ERRORS, transaction

_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)

#: Programs that open links to show a preview: nobody has read the message.
_PREVIEW = re.compile(
    r"bot|crawl|spider|preview|facebookexternalhit|whatsapp|slack|telegram|skype|discord|"
    r"google-read-aloud|bitly|embedly|safelinks|proofpoint|mimecast|barracuda|curl|python",
    re.IGNORECASE,
)


@router.api_route("/l/{token}", methods=["GET", "HEAD"])
def follow(token: Key, request: Request, engine: OneLink) -> Response:
    """To the page of the invoice. Following it means the message was opened, but for the programs
    that only make a preview of it.

    One statement without a lock finds the page. The click is stored like a provider's callback:
    before the answer leaves, so that it is not lost when the process ends, and in a transaction
    that waits for no lock. The worker counts it later, under the customer's lock.
    """
    with transaction(engine) as session:
        link = target_of(session, token)
    if link is None:
        raise HTTPException(404, "this link is not known; it may have been cut off")
    agent = request.headers.get("user-agent", "")
    if request.method == "GET" and agent and not _PREVIEW.search(agent) and link.counts:
        _keep(engine, link.delivery_id)
    return RedirectResponse(link.url, 302)


def _keep(engine: Engine, delivery_id: DeliveryId) -> None:
    """Errors are only logged: the page opens although the database is read-only or full."""
    try:
        with transaction(engine) as session:
            body = followed(str(delivery_id), datetime.now(UTC))
            callbacks.store(session, CameIn(provider=LINK), "", {}, body)
    except ERRORS as e:
        _log.warning("a click on delivery %s is not counted: %s", delivery_id, words_of(e))
