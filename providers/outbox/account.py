"""The outbox as an account: there is one, whatever key signs its simulated callbacks."""

from __future__ import annotations

from providers.fingerprint import fingerprint

OUTBOX_ACCOUNT = fingerprint("outbox")
