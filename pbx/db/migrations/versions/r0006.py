"""What was switched by hand: the day/night keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"


def upgrade() -> None:
    """Add the table `switches`."""
    op.create_table(
        "switches",
        sa.Column("schedule", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
