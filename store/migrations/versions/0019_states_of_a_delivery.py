"""states of a delivery

CHECK constraints: the states that there are, and in which of them a delivery has a claim, a
deadline and the time at which it was settled. Rows from before lose what their state does not have.
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_CHECKS = {
    "status": """status IN ('abandoned', 'accepted', 'needs_review', 'planned', 'rejected',
        'sending', 'unknown')""",
    "claim": "(claim IS NOT NULL) = (status IN ('sending'))",
    "deadline": "(deadline IS NOT NULL) = (status IN ('sending', 'unknown'))",
    "settled_at": """(settled_at IS NOT NULL) =
        (status IN ('abandoned', 'accepted', 'rejected'))""",
}


def upgrade() -> None:
    op.execute(
        """
        UPDATE delivery SET
            claim = CASE WHEN status = 'sending' THEN COALESCE(claim, gen_random_uuid()) END,
            deadline = CASE WHEN status IN ('sending', 'unknown')
                THEN COALESCE(deadline, claimed_at, now()) END,
            settled_at = CASE WHEN status IN ('abandoned', 'accepted', 'rejected')
                THEN COALESCE(settled_at, claimed_at, now()) END
        WHERE (claim IS NOT NULL) <> (status = 'sending')
            OR (deadline IS NOT NULL) <> (status IN ('sending', 'unknown'))
            OR (settled_at IS NOT NULL) <> (status IN ('abandoned', 'accepted', 'rejected'))
        """
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(f"ck_delivery_{name}", "delivery", condition)


def downgrade() -> None:
    for name in _CHECKS:
        op.execute(f"ALTER TABLE delivery DROP CONSTRAINT IF EXISTS ck_delivery_{name}")
