"""deliveries tracked

New columns of old tables keep a default in the database: a program of the version before writes on
while the new one is being started.
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("token", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("target", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_link")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_link_delivery_id")),
    )
    op.create_table(
        "callback",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("url", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("error", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_callback_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
    )
    op.create_index(
        "ix_callback_waiting",
        "callback",
        ["id"],
        unique=False,
        postgresql_where=sa.text("outcome = ''"),
    )
    op.create_index(
        "ix_callback_left",
        "callback",
        ["organisation_id", "outcome", "id"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('unmatched', 'refused')"),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("content_type", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_file_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index(
        "ix_file_organisation_id_sha256", "file", ["organisation_id", "sha256"], unique=False
    )
    op.create_table(
        "provider_account",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shown", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_provider_account_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "provider", name=op.f("pk_provider_account")),
    )
    op.create_table(
        "delivery_recipient",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("address_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("machine_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsubscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_recipient_delivery_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "address_key", name=op.f("pk_delivery_recipient")),
    )
    op.create_index(
        "ix_delivery_recipient_address_key", "delivery_recipient", ["address_key"], unique=False
    )
    op.create_table(
        "reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sender", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_reply_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_reply_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reply_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("organisation_id", "key", name=op.f("uq_reply_organisation_id_key")),
    )
    op.create_index(op.f("ix_reply_customer_id"), "reply", ["customer_id"], unique=False)
    op.add_column(
        "contact",
        sa.Column(
            "email_closed", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""
        ),
    )
    op.add_column(
        "contact",
        sa.Column(
            "sms_closed", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""
        ),
    )
    op.add_column("customer", sa.Column("held_until", sa.Date(), nullable=True))
    op.add_column(
        "delivery", sa.Column("first_claimed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("delivery", sa.Column("sends", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "delivery", sa.Column("look_ups", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "delivery",
        sa.Column(
            "tracking_number", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""
        ),
    )
    op.create_index(
        "ix_delivery_provider_provider_id", "delivery", ["provider", "provider_id"], unique=False
    )
    op.add_column(
        "invoice",
        sa.Column("url", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""),
    )
    op.add_column("invoice", sa.Column("pdf_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_invoice_pdf_id"), "invoice", "file", ["pdf_id"], ["id"])
    op.add_column(
        "organisation",
        sa.Column("reply_hold_days", sa.Integer(), nullable=False, server_default="2"),
    )
    op.add_column(
        "organisation",
        sa.Column("open_tracking", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "organisation",
        sa.Column(
            "sender_domains",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="[]",
        ),
    )
    op.add_column(
        "organisation",
        sa.Column(
            "late_payment_country",
            sqlmodel.sql.sqltypes.AutoString(),
            nullable=False,
            server_default="",
        ),
    )
    _keep_what_there_is()


def _keep_what_there_is() -> None:
    """Deliveries of before: an unknown one was its owner's at once; recipients stood in it."""
    op.execute("UPDATE delivery SET status = 'needs_review' WHERE status = 'unknown'")
    op.execute(
        "UPDATE delivery SET first_claimed_at = claimed_at, sends = 1 WHERE claimed_at IS NOT NULL"
    )
    op.execute(
        """
        INSERT INTO delivery_recipient
            (delivery_id, address_key, address, role, name, contact_id, sent_at, reason)
        SELECT DISTINCT ON (d.id, lower(r->>'address'))
            d.id, lower(r->>'address'), r->>'address', r->>'role', coalesce(r->>'name', ''),
            (r->>'contact_id')::uuid, CASE WHEN d.status = 'accepted' THEN d.claimed_at END, ''
        FROM delivery d, jsonb_array_elements(d.message->'recipients') AS r
        WHERE d.message ? 'recipients'
        ORDER BY d.id, lower(r->>'address'), r->>'role' DESC
        """
    )


def downgrade() -> None:
    op.drop_column("organisation", "late_payment_country")
    op.drop_column("organisation", "sender_domains")
    op.drop_column("organisation", "open_tracking")
    op.drop_column("organisation", "reply_hold_days")
    op.drop_constraint(op.f("fk_invoice_pdf_id"), "invoice", type_="foreignkey")
    op.drop_column("invoice", "pdf_id")
    op.drop_column("invoice", "url")
    op.drop_index("ix_delivery_provider_provider_id", table_name="delivery")
    op.drop_column("delivery", "tracking_number")
    op.drop_column("delivery", "look_ups")
    op.drop_column("delivery", "sends")
    op.drop_column("delivery", "first_claimed_at")
    op.drop_column("customer", "held_until")
    op.drop_column("contact", "sms_closed")
    op.drop_column("contact", "email_closed")
    op.drop_index(op.f("ix_reply_customer_id"), table_name="reply")
    op.drop_table("reply")
    op.drop_index("ix_delivery_recipient_address_key", table_name="delivery_recipient")
    op.drop_table("delivery_recipient")
    op.drop_table("provider_account")
    op.drop_index("ix_file_organisation_id_sha256", table_name="file")
    op.drop_table("file")
    op.drop_index("ix_callback_left", table_name="callback")
    op.drop_index(
        "ix_callback_waiting", table_name="callback", postgresql_where=sa.text("outcome = ''")
    )
    op.drop_table("callback")
    op.drop_table("link")
