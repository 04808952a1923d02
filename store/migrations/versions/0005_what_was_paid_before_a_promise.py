"""what was paid before a promise

The new column keeps a default in the database: a program of the version before writes on while the
new one is being started. Of promises that still run, what was known before them was paid before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "promise",
        sa.Column(
            "paid_before",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    op.execute("""
        UPDATE promise p SET paid_before = before.paid
        FROM (
            SELECT q.id, jsonb_object_agg(CAST(a.credit_id AS text), CAST(a.amount AS text)) AS paid
            FROM promise q
            JOIN application a ON a.invoice_id = q.invoice_id
            JOIN credit c ON c.id = a.credit_id
            WHERE q.outcome IS NULL AND c.kind = 'payment' AND c.created_at <= q.created_at
            GROUP BY q.id
        ) AS before
        WHERE p.id = before.id
    """)


def downgrade() -> None:
    op.drop_column("promise", "paid_before")
