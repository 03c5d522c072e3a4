"""Phones and lines say whether their speech is encrypted; those of before may have it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"


def upgrade() -> None:
    """Add the column `srtp`: required, optional or off."""
    for table in ("extensions", "trunks"):
        policy = sa.Column("srtp", sa.String(), nullable=False, server_default="optional")
        op.add_column(table, policy)
