"""Conference rooms have PINs, of which digests are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    """Add the table `conference_pins`."""
    op.create_table(
        "conference_pins",
        sa.Column("room", sa.String(), primary_key=True),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("member", sa.String()),
        sa.Column("moderator", sa.String()),
    )
