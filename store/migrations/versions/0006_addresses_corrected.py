"""when each address of a contact was corrected"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "contact",
        sa.Column(
            "fixed",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="{}",
        ),
    )
    # Nobody knows any more which address it was: it counts for each that the contact has.
    op.execute(
        """
        UPDATE contact SET fixed =
            CASE WHEN email <> '' THEN jsonb_build_object('email', jsonb_build_array(fixed_at))
                ELSE '{}' END
            || CASE WHEN phone <> '' THEN jsonb_build_object('phone', jsonb_build_array(fixed_at))
                ELSE '{}' END
            || CASE WHEN postal <> '{}'
                THEN jsonb_build_object('postal', jsonb_build_array(fixed_at)) ELSE '{}' END
        WHERE fixed_at IS NOT NULL
        """
    )
    op.drop_column("contact", "fixed_at")


def downgrade() -> None:
    op.add_column("contact", sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        UPDATE contact SET fixed_at = (
            SELECT max(CAST(CAST(at AS text) AS timestamptz))
            FROM jsonb_each(fixed) AS kinds, jsonb_array_elements_text(kinds.value) AS at)
        """
    )
    op.drop_column("contact", "fixed")
