"""unapplied credit is kept

The triggers serve a program of the version before as well, which writes on while the new one is
being started. They are made before the table is filled: they lock out writers until it is.
"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

#: What a row adds to the unapplied credit of its customer.
_SHARES = {
    "credit": "CASE WHEN reversed_at IS NULL THEN amount ELSE 0 END",
    "invoice": "CASE WHEN status <> 'void' THEN balance - total ELSE 0 END",
}
_ROWS = {
    "insert": "SELECT customer_id, currency, {share} AS share FROM came",
    "delete": "SELECT customer_id, currency, -({share}) AS share FROM gone",
    "update": "SELECT customer_id, currency, {share} AS share FROM came"
    " UNION ALL SELECT customer_id, currency, -({share}) FROM gone",
}
_SEEN = {
    "insert": "NEW TABLE AS came",
    "delete": "OLD TABLE AS gone",
    "update": "OLD TABLE AS gone NEW TABLE AS came",
}


def upgrade() -> None:
    op.create_table(
        "unapplied_credit",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_unapplied_credit_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", "currency", name=op.f("pk_unapplied_credit")),
    )
    for table, share in _SHARES.items():
        for event, rows in _ROWS.items():
            name = f"unapplied_credit_at_{table}_{event}"
            op.execute(
                f"""
                CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO unapplied_credit AS kept (customer_id, currency, amount)
                    SELECT customer_id, currency, sum(share)
                    FROM ({rows.format(share=share)}) AS moves
                    GROUP BY customer_id, currency HAVING sum(share) <> 0
                    ORDER BY customer_id, currency
                    ON CONFLICT (customer_id, currency)
                    DO UPDATE SET amount = kept.amount + excluded.amount;
                    RETURN NULL;
                END $$
                """
            )
            op.execute(
                f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {_SEEN[event]}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
    op.execute(
        f"""
        INSERT INTO unapplied_credit (customer_id, currency, amount)
        SELECT customer_id, currency, sum(share) FROM (
            SELECT customer_id, currency, {_SHARES["credit"]} AS share FROM credit
            UNION ALL
            SELECT customer_id, currency, {_SHARES["invoice"]} FROM invoice
        ) AS shares
        GROUP BY customer_id, currency HAVING sum(share) <> 0
        """
    )
    op.create_index("ix_contact_email_lower", "contact", [sa.text("lower(email)")])
    op.create_index(
        "ix_contact_phone_end",
        "contact",
        [sa.text("right(regexp_replace(phone, '[^0-9]', '', 'g'), 9)")],
    )
    op.drop_index("ix_invoice_customer_id", table_name="invoice")
    op.create_index("ix_invoice_customer_id_issued_on", "invoice", ["customer_id", "issued_on"])
    op.create_index("ix_invoice_organisation_id_number", "invoice", ["organisation_id", "number"])
    op.create_index(
        "ix_invoice_pdf_id", "invoice", ["pdf_id"], postgresql_where=sa.text("pdf_id IS NOT NULL")
    )
    op.create_index(
        "ix_pause_of_customer",
        "pause",
        ["customer_id"],
        postgresql_where=sa.text("invoice_id IS NULL AND resumed_at IS NULL"),
    )
    op.create_index(op.f("ix_pause_invoice_id"), "pause", ["invoice_id"])
    op.create_index(
        "ix_promise_running",
        "promise",
        ["customer_id"],
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.drop_index(op.f("ix_action_customer_id"), table_name="action")
    op.create_index("ix_action_customer_id_executed_at", "action", ["customer_id", "executed_at"])
    op.create_index(
        "ix_action_live",
        "action",
        ["customer_id"],
        postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
    )
    op.create_index(op.f("ix_reply_delivery_id"), "reply", ["delivery_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_reply_delivery_id"), table_name="reply")
    op.drop_index("ix_action_live", table_name="action")
    op.drop_index("ix_action_customer_id_executed_at", table_name="action")
    op.create_index(op.f("ix_action_customer_id"), "action", ["customer_id"])
    op.drop_index("ix_promise_running", table_name="promise")
    op.drop_index(op.f("ix_pause_invoice_id"), table_name="pause")
    op.drop_index("ix_pause_of_customer", table_name="pause")
    op.drop_index("ix_invoice_pdf_id", table_name="invoice")
    op.drop_index("ix_invoice_organisation_id_number", table_name="invoice")
    op.drop_index("ix_invoice_customer_id_issued_on", table_name="invoice")
    op.create_index("ix_invoice_customer_id", "invoice", ["customer_id"])
    op.drop_index("ix_contact_phone_end", table_name="contact")
    op.drop_index("ix_contact_email_lower", table_name="contact")
    for table in _SHARES:
        for event in _ROWS:
            name = f"unapplied_credit_at_{table}_{event}"
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("unapplied_credit")
