"""Mailboxes and the messages in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"


def upgrade() -> None:
    """Add the tables `mailboxes` and `messages`, and give every phone its box."""
    op.create_table(
        "mailboxes",
        sa.Column("box", sa.String(), primary_key=True),
        sa.Column("salt", sa.String()),
        sa.Column("pin", sa.String()),
        sa.Column("mail", sa.String()),
        sa.Column("greeting", sa.String()),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("box", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("caller_name", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("octets", sa.BigInteger()),
        sa.Column("sha256", sa.String()),
        sa.Column("error", sa.Text()),
    )
    # Nobody chose "no" before there were mailboxes: that was the old default.
    op.execute(sa.text("UPDATE extensions SET voicemail = 1"))
