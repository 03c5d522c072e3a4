"""The first tables: records and events of calls, phones and where they are, trunks, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None


def upgrade() -> None:
    """Make all tables in an empty database."""
    _calls()
    _phones()
    _lines_and_tokens()


def _calls() -> None:
    op.create_table(
        "records",
        sa.Column("ordinal", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("called", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("queue", sa.String()),
        sa.Column("agent", sa.String()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    searched = ["ordinal", "id", "caller", "called", "result", "queue", "agent"]
    op.create_index("records_search", "records", searched)
    op.create_table(
        "open_calls",
        sa.Column("ordinal", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("started", sa.Text(), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("ix_events_call", "events", ["call"])
    op.create_table(
        "alive",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("monotonic", sa.Float(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
    )


def _phones() -> None:
    op.create_table(
        "extensions",
        sa.Column("number", sa.String(), primary_key=True),
        sa.Column("name", sa.String()),
        sa.Column("realm", sa.String(), nullable=False),
        sa.Column("ha1_md5", sa.String(), nullable=False),
        sa.Column("ha1_sha256", sa.String(), nullable=False),
        sa.Column("no_answer_s", sa.Float(), nullable=False),
        sa.Column("voicemail", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.String()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "bindings",
        sa.Column("aor", sa.String(), primary_key=True),
        sa.Column("contact", sa.String(), primary_key=True),
        sa.Column("transport", sa.String(), nullable=False),
        sa.Column("local_host", sa.String(), nullable=False),
        sa.Column("local_port", sa.Integer(), nullable=False),
        sa.Column("remote_host", sa.String(), nullable=False),
        sa.Column("remote_port", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("cseq", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("user_agent", sa.String()),
        sa.Column("instance", sa.String()),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
    )


def _lines_and_tokens() -> None:
    op.create_table(
        "trunks",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("username", sa.String()),
        sa.Column("password", sa.String()),
        sa.Column("register", sa.Boolean(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("max_calls", sa.Integer()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger()),
    )
