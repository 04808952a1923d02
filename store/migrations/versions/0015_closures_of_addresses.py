"""closures belong to addresses

An organisation's closed addresses get a table of their own; what was kept with each contact moves
there. A program of the version before cannot read contacts any more: end it first.
"""

from __future__ import annotations

from typing import Any

import phonenumbers
import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_END = "right(regexp_replace({}, '[^0-9]', '', 'g'), {})"
_AUTO = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "closure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _AUTO(), nullable=False),
        sa.Column("address", _AUTO(), nullable=False),
        sa.Column("source", _AUTO(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("cause", _AUTO(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", _AUTO(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_closure_organisation_id")
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "kind", "address", "source", name=op.f("pk_closure")
        ),
    )
    op.create_index(
        "ix_closure_end", "closure", ["organisation_id", "kind", sa.text(_END.format("address", 6))]
    )
    op.drop_index("ix_contact_phone_end", table_name="contact")
    op.create_index("ix_contact_phone_end", "contact", [sa.text(_END.format("phone", 6))])
    _move()
    op.drop_column("contact", "email_closed")
    op.drop_column("contact", "sms_closed")


#: Until now only the reason was kept, in these words of ours; anything else was a member's.
_CAUSES = (
    (" complained", "complaint", "complaint"),
    (" unsubscribed", "callback", "unsubscribed"),
    (" to stop", "callback", "stop"),
    (" answered ", "callback", "stop"),
)


def _move() -> None:
    """Each closed channel of a contact to its address; of two, the later one. The time is that of
    the line on the timeline, else now."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            """
            SELECT k.organisation_id, k.country, c.email, c.phone, c.email_closed, c.sms_closed,
                coalesce(told.email_at, now()) AS email_at, coalesce(told.sms_at, now()) AS sms_at
            FROM contact c JOIN customer k ON k.id = c.customer_id
            CROSS JOIN LATERAL (
                SELECT max(at) FILTER (WHERE text LIKE 'email to %') AS email_at,
                    max(at) FILTER (WHERE text LIKE 'sms to %') AS sms_at
                FROM timeline WHERE customer_id = k.id AND kind = 'channel_closed'
            ) AS told
            WHERE c.email_closed <> '' OR c.sms_closed <> ''
            """
        )
    ).mappings()
    for row in found.all():
        for kind, key, at, reason in (
            ("email", row["email"].strip().lower(), row["email_at"], row["email_closed"]),
            ("phone", _e164(row["phone"], row["country"]), row["sms_at"], row["sms_closed"]),
        ):
            if key and reason:
                _insert(connection, row["organisation_id"], kind, key, at, reason)


def _insert(
    connection: sa.Connection, organisation: Any, kind: str, key: str, at: Any, reason: str
) -> None:
    source, cause = next(
        ((source, cause) for words, source, cause in _CAUSES if words in reason),
        ("member", "member"),
    )
    connection.execute(
        sa.text(
            """
            INSERT INTO closure
                (organisation_id, kind, address, source, closed, cause, at, reason)
            VALUES (:organisation, :kind, :key, :source, true, :cause, :at, :reason)
            ON CONFLICT (organisation_id, kind, address, source) DO UPDATE
            SET cause = excluded.cause, at = excluded.at, reason = excluded.reason
            WHERE excluded.at > closure.at
            """
        ),
        {
            "organisation": organisation,
            "kind": kind,
            "key": key,
            "source": source,
            "cause": cause,
            "at": at,
            "reason": reason,
        },
    )


def _e164(number: str, country: str) -> str:
    region = country.strip().upper()
    known = region in phonenumbers.SUPPORTED_REGIONS
    try:
        parsed = phonenumbers.parse(number, region if known else None)
    except phonenumbers.NumberParseException:
        return "".join(c for c in number if c.isascii() and c.isdigit())
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def downgrade() -> None:
    """What was heard about addresses is kept with the contacts that have them now, as far as the
    database alone can tell them."""
    for name in ("email_closed", "sms_closed"):
        op.add_column("contact", sa.Column(name, _AUTO(), nullable=False, server_default=""))
    op.execute(
        f"""
        UPDATE contact c SET email_closed = coalesce((
            SELECT max(x.reason) FROM closure x JOIN customer k ON k.id = c.customer_id
            WHERE x.organisation_id = k.organisation_id AND x.kind = 'email' AND x.closed
            AND x.address = lower(c.email)), ''),
        sms_closed = coalesce((
            SELECT max(x.reason) FROM closure x JOIN customer k ON k.id = c.customer_id
            WHERE x.organisation_id = k.organisation_id AND x.kind = 'phone' AND x.closed
            AND c.phone <> '' AND {_END.format("x.address", 6)} = {_END.format("c.phone", 6)}), '')
        """
    )
    op.drop_index("ix_contact_phone_end", table_name="contact")
    op.create_index("ix_contact_phone_end", "contact", [sa.text(_END.format("phone", 9))])
    op.drop_table("closure")
