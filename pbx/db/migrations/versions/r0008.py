"""Records: what of them counts in reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"


def upgrade() -> None:
    """Add `figures` to `records`, and the index that reports read."""
    op.add_column("records", sa.Column("figures", sa.Text()))
    op.create_index(
        "records_figures",
        "records",
        ["ordinal", "figures"],
        sqlite_where=sa.text("figures IS NOT NULL"),
    )
