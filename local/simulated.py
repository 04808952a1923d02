"""Simulated callbacks for messages of the outbox."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime

from local.own_keys import outbox_key
from local.running import running_api
from local.standalone import StandaloneError
from providers.outbox.callbacks import simulated
from settings import Settings


def report_simulated(settings: Settings, delivery: str, event: str) -> None:
    """Sends a signed callback to the API. Raises StandaloneError if the API does not answer,
    ValueError if it refuses the callback."""
    base = settings.public_base_url or running_api(settings.state_dir)
    known = settings.outbox_webhook_keys
    key = known[0] if known else outbox_key(settings)
    call = simulated(key, f"{base}/webhooks/outbox", delivery, event, datetime.now(UTC))
    request = urllib.request.Request(call.url, call.body, dict(call.headers), method="POST")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as e:
        raise ValueError(f"the API refused the report: {e.code} {e.reason}") from None
    except OSError as e:
        raise StandaloneError(f"the API at {base} does not answer: {e}") from None
