"""Addresses and times of SendGrid's callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

NOW = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
EVENTS = "https://dunning.example/webhooks/sendgrid"
INBOUND = f"{EVENTS}/inbound"
OURS = "3f0c7b0e-0000-4000-8000-000000000001"
HEADERS = """\
Received: from mail.acme.example by mx.sendgrid.net
From: =?utf-8?q?Ad=C3=A9le_Byron=2C?= Acme <Ada@acme.example>
To: Amber & Sons <sam@amber.example>
Subject: =?utf-8?q?Re=3A_INV-1?=
Message-ID: <abc@mail.acme.example>
Content-Type: multipart/alternative; boundary="x"
"""


def form(**fields: str | bytes) -> tuple[bytes, Mapping[str, str]]:
    """A multipart form as SendGrid posts it, with unchanged bytes."""
    parts = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.replace("_", "-").encode(), v if isinstance(v, bytes) else v.encode())
        for name, v in fields.items()
    ]
    head = {"content-type": "multipart/form-data; boundary=xYzZY"}
    return b"".join([*parts, b"--xYzZY--\r\n"]), head
