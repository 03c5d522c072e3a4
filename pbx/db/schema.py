"""The tables, and the revisions that led to them.

Wall-clock times are integers, milliseconds since the epoch, so that they compare exactly and sort
as numbers. JSON columns are text. Changing a table here means a new file in migrations/versions and
a new name at the end of `REVISIONS`; a test holds the two to the same result.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

REVISIONS = ("r0001", "r0002", "r0003", "r0004", "r0005", "r0006", "r0007", "r0008", "r0009")
"""All revisions of the schema, oldest first; a database says which one it is."""

metadata = MetaData()

# SQLite gives a row number of its own only to a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer(), "sqlite")

records = Table(
    "records",
    metadata,
    Column("ordinal", _RowNumber, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("called", String, nullable=False),
    Column("result", String, nullable=False),
    Column("queue", String),
    Column("agent", String),
    Column("body", Text, nullable=False),
    Column("figures", Text),
)
"""One row per call that is over. `ordinal` grows with the time the call began (its upper bits are
those milliseconds): rows lie in the order people read them in, and a period is a range of rows.
`body` is the record's JSON; `figures` what of it counts in reports of queues and agents, null where
nothing does; the other columns are those that are searched."""

# A search reads this narrow index, newest first, and touches only the rows that it returns. There
# is no index of ids: they are random, so each call would cost a page of such an index, and finding
# one call among a million this way takes a tenth of a second.
Index(
    "records_search",
    records.c.ordinal,
    records.c.id,
    records.c.caller,
    records.c.called,
    records.c.result,
    records.c.queue,
    records.c.agent,
)

# A report reads this index alone: a year of calls are some ten megabytes of it, and a gigabyte of
# records. Calls that were in no queue are not in it and cost nothing.
Index(
    "records_figures",
    records.c.ordinal,
    records.c.figures,
    sqlite_where=records.c.figures.is_not(None),
)

open_calls = Table(
    "open_calls",
    metadata,
    Column("ordinal", _RowNumber, primary_key=True, autoincrement=False),
    Column("started", Text, nullable=False),
)
"""Calls that are going on. What is here when a server starts was cut off with the one before;
`started` is the call's first event (JSON), enough to make a record of it."""

events = Table(
    "events",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=False),
    Column("call", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""What happened to one call (its record's `ordinal`) within one short stretch of time: `body` is an
array of stamped events, `seq` the number of the last, `at` the time of the first."""

alive = Table(
    "alive",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("monotonic", Float, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("running", Boolean, nullable=False),
)
"""One row: when the server last wrote, by both of its clocks, and the last number it gave to an
event. `running` is still true where a server was killed."""

extensions = Table(
    "extensions",
    metadata,
    Column("number", String, primary_key=True),
    Column("name", String),
    Column("realm", String, nullable=False),
    Column("ha1_md5", String, nullable=False),
    Column("ha1_sha256", String, nullable=False),
    Column("no_answer_s", Float, nullable=False),
    Column("voicemail", Boolean, nullable=False),
    Column("contact", String),
    Column("created_at", BigInteger, nullable=False),
    Column("srtp", String, nullable=False, server_default="optional"),
    Column("caller_id", String),
)
"""Phones. `srtp` says whether their speech must, may or must not be encrypted; `caller_id` is the
number that the outside sees, null for the one that the dialplan or the line says."""

recordings = Table(
    "recordings",
    metadata,
    Column("id", String, primary_key=True),
    Column("call", String, nullable=False),
    Column("started_at", BigInteger, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("format", String, nullable=False),
    Column("file", String, nullable=False),
    Column("seconds", Float),
    Column("octets", BigInteger),
    Column("sha256", String),
    Column("error", Text),
    Column("pauses", Text, nullable=False),
)
"""Recordings, the deleted ones too. `file` is relative to var/recordings; `pauses` is a JSON array
of [from, to] in seconds of sound. Ids begin with their call's, so that a call's are a range."""

recording_accesses = Table(
    "recording_accesses",
    metadata,
    Column("number", _RowNumber, primary_key=True),
    Column("recording", String, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
)
"""Who fetched a recording's sound, and when: the name of a token, or `socket` for the owner."""

bindings = Table(
    "bindings",
    metadata,
    Column("aor", String, primary_key=True),
    Column("contact", String, primary_key=True),
    Column("transport", String, nullable=False),
    Column("local_host", String, nullable=False),
    Column("local_port", Integer, nullable=False),
    Column("remote_host", String, nullable=False),
    Column("remote_port", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("call_id", String, nullable=False),
    Column("cseq", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("user_agent", String),
    Column("instance", String),
    Column("registered_at", BigInteger, nullable=False),
)
"""Where phones are reachable (RFC 3261 §10). `path` is a JSON array of URIs in text."""

trunks = Table(
    "trunks",
    metadata,
    Column("name", String, primary_key=True),
    Column("server", String, nullable=False),
    Column("username", String),
    Column("password", String),
    Column("register", Boolean, nullable=False),
    Column("match", Text, nullable=False),
    Column("max_calls", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("srtp", String, nullable=False, server_default="optional"),
    Column("numbers", Text, nullable=False, server_default="[]"),
    Column("per_minute", Integer),
    Column("token", String, nullable=False, server_default=""),
)
"""Lines to carriers. `match` is a JSON array of the addresses that its calls come from, `numbers`
one of the numbers that the carrier gave us; `token` is the user part of the Contact that we
register there; `password` is a secret that we prove to the carrier, which is why the file is its
owner's alone."""

tokens = Table(
    "tokens",
    metadata,
    Column("name", String, primary_key=True),
    Column("scope", String, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used", BigInteger),
)

conference_pins = Table(
    "conference_pins",
    metadata,
    Column("room", String, primary_key=True),
    Column("salt", String, nullable=False),
    Column("member", String),
    Column("moderator", String),
)
"""The PINs of conference rooms: what is stored are slow digests of them (directory/pins.py)."""

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("box", String, primary_key=True),
    Column("salt", String),
    Column("pin", String),
    Column("mail", String),
    Column("greeting", String),
)
"""What is set for a mailbox beyond the dialplan: a slow digest of its PIN, where its messages are
mailed to, and the name of the greeting's file; a box for which nothing was set has no row."""

messages = Table(
    "messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("box", String, nullable=False),
    Column("call", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("caller", String, nullable=False),
    Column("caller_name", String),
    Column("state", String, nullable=False),
    Column("seconds", Float),
    Column("octets", BigInteger),
    Column("sha256", String),
    Column("error", Text),
)
"""Messages that callers left: `recording` while they speak, then `new`, then `heard`. The file's
name is the id. All of them are in memory while a server runs, so there is no index."""

switches = Table(
    "switches",
    metadata,
    Column("schedule", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Schedules that a day/night key switched by hand: open or closed, and until when."""

agents = Table(
    "agents",
    metadata,
    Column("number", String, primary_key=True),
    Column("name", String),
    Column("skills", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("logged_in", Boolean, nullable=False),
    Column("pause", String),
    Column("pause_until", BigInteger),
    Column("since", BigInteger, nullable=False),
)
"""Agents. `skills` is a JSON object, skill to level. `logged_in`, `pause` (the reason, null while
it takes calls), `pause_until` (null where somebody has to end it) and `since` are what it goes on
with when the server starts again."""

agent_states = Table(
    "agent_states",
    metadata,
    Column("number", _RowNumber, primary_key=True),
    Column("agent", String, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("call", String, nullable=False),
    Column("queue", String),
)
"""What agents did, one row for each stretch that is over."""

Index("agent_states_search", agent_states.c.until, agent_states.c.agent)

places = Table(
    "places",
    metadata,
    Column("call", String, primary_key=True),
    Column("queue", String, nullable=False),
    Column("number", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
)
"""The places of callers who wait (`left_at` null), and of those who lost the line lately."""

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String, primary_key=True),
    Column("call", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("number", String, nullable=False),
    Column("language", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("skills", Text, nullable=False),
    Column("agent", String),
    Column("hours", String),
    Column("joined_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
)
"""Who waits to be called back. `joined_at` is when the caller began to wait, `call` the call in
which the call-back was booked; `state` is waiting, answered, failed or cancelled."""
