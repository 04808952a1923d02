"""addresses are rows

Each address of a contact gets a row of its own. A program of the version before cannot read
contacts any more: end it first.
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_AUTO = sqlmodel.sql.sqltypes.AutoString
_JSON = postgresql.JSONB(astext_type=sa.Text())
_END = "right(regexp_replace({}, '[^0-9]', '', 'g'), 6)"
_KINDS = ("email", "phone", "postal")


def upgrade() -> None:
    op.create_table(
        "contact_address",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _AUTO(), nullable=False),
        sa.Column("address", _AUTO(), nullable=False),
        sa.Column("postal", _JSON, nullable=False),
        sa.Column("invalid", _AUTO(), nullable=False),
        sa.Column("superseded", _JSON, nullable=True),
        sa.Column("fixed_at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.CheckConstraint(
            "kind IN ('email', 'phone', 'postal')", name=op.f("ck_contact_address_kind")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_contact_address_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("contact_id", "kind", name=op.f("pk_contact_address")),
    )
    for kind in _KINDS:
        empty = "'{}'" if kind == "postal" else "''"
        op.execute(
            f"""
            INSERT INTO contact_address
                (contact_id, kind, address, postal, invalid, superseded, fixed_at)
            SELECT id, '{kind}', {"''" if kind == "postal" else kind},
                {"postal" if kind == "postal" else "'{}'"}, {kind}_invalid, superseded -> '{kind}',
                ARRAY(SELECT CAST(at AS timestamptz)
                    FROM jsonb_array_elements_text(coalesce(fixed -> '{kind}', '[]'))
                        WITH ORDINALITY AS fixes (at, place) ORDER BY place)
            FROM contact
            WHERE {kind} <> {empty} OR {kind}_invalid <> '' OR superseded ? '{kind}'
                OR fixed ? '{kind}'
            """
        )
    op.drop_index("ix_contact_email_lower", table_name="contact")
    op.drop_index("ix_contact_phone_end", table_name="contact")
    for column in (*_KINDS, *(f"{kind}_invalid" for kind in _KINDS), "superseded", "fixed"):
        op.drop_column("contact", column)
    op.create_index(
        "ix_contact_address_email",
        "contact_address",
        [sa.text("lower(address)")],
        postgresql_where=sa.text("kind = 'email'"),
    )
    op.create_index(
        "ix_contact_address_phone_end",
        "contact_address",
        [sa.text(_END.format("address"))],
        postgresql_where=sa.text("kind = 'phone'"),
    )


def downgrade() -> None:
    for name in ("email", "email_invalid", "phone", "phone_invalid", "postal_invalid"):
        op.add_column("contact", sa.Column(name, _AUTO(), nullable=False, server_default=""))
    for name in ("postal", "superseded", "fixed"):
        op.add_column("contact", sa.Column(name, _JSON, nullable=False, server_default="{}"))
    for kind in _KINDS:
        op.execute(
            f"""
            UPDATE contact c SET {kind} = a.{"postal" if kind == "postal" else "address"},
                {kind}_invalid = a.invalid,
                superseded = c.superseded || CASE WHEN a.superseded IS NULL THEN '{{}}'
                    ELSE jsonb_build_object('{kind}', a.superseded) END,
                fixed = c.fixed || CASE WHEN cardinality(a.fixed_at) = 0 THEN '{{}}'
                    ELSE jsonb_build_object('{kind}', to_jsonb(a.fixed_at)) END
            FROM contact_address a WHERE a.contact_id = c.id AND a.kind = '{kind}'
            """
        )
    op.create_index("ix_contact_email_lower", "contact", [sa.text("lower(email)")])
    op.create_index("ix_contact_phone_end", "contact", [sa.text(_END.format("phone"))])
    op.drop_table("contact_address")
