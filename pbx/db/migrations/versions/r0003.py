"""Recordings, and who listened to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    """Add the tables `recordings` and `recording_accesses`."""
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("octets", sa.BigInteger()),
        sa.Column("sha256", sa.String()),
        sa.Column("error", sa.Text()),
        sa.Column("pauses", sa.Text(), nullable=False),
    )
    op.create_index("ix_recordings_started_at", "recordings", ["started_at"])
    op.create_table(
        "recording_accesses",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
    )
    op.create_index("ix_recording_accesses_recording", "recording_accesses", ["recording"])
