"""open actions without owner look again

An open action that nobody owned was seen by nobody. From now on the next decision on its customer
finds an owner: those customers look again.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        INSERT INTO nudge (organisation_id, customer_id, signal, payload, created_at)
        SELECT DISTINCT a.organisation_id, a.customer_id, 'account_changed', CAST('{}' AS jsonb),
            now()
        FROM action a
        WHERE (a.status IN ('to_do', 'needs_review')
            OR a.status = 'sending' AND a.requested_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM member m WHERE m.id = a.owner_id AND m.active)
    """)


def downgrade() -> None:
    pass
