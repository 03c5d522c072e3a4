"""The call centre: agents, what they did, places in queues, call-backs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0006"

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables `agents`, `agent_states`, `places` and `callbacks`."""
    op.create_table(
        "agents",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("name", sa.String()),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("logged_in", sa.Boolean(), nullable=False),
        sa.Column("pause", sa.String()),
        sa.Column("pause_until", sa.BigInteger()),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "agent_states",
        sa.Column("number", _ROW, primary_key=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("queue", sa.String()),
    )
    op.create_index("agent_states_search", "agent_states", ["until", "agent"])
    op.create_table(
        "places",
        sa.Column("call", sa.String(), primary_key=True),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger()),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("agent", sa.String()),
        sa.Column("hours", sa.String()),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
    )
