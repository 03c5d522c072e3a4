"""Lines that register and show numbers; extensions that have a number of their own outside."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0008"


def upgrade() -> None:
    """Add `numbers`, `per_minute` and `token` to `trunks`, and `caller_id` to `extensions`."""
    op.add_column("extensions", sa.Column("caller_id", sa.String()))
    op.add_column(
        "trunks", sa.Column("numbers", sa.Text(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column("trunks", sa.Column("per_minute", sa.Integer()))
    op.add_column(
        "trunks", sa.Column("token", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    trunks = sa.table("trunks", sa.column("name"), sa.column("token"))
    connection = op.get_bind()
    for name in connection.execute(sa.select(trunks.c.name)).scalars().all():
        token = secrets.token_hex(12)
        connection.execute(sa.update(trunks).where(trunks.c.name == name).values(token=token))
