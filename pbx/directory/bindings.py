"""Registered contacts in the database, so that phones can be called after a restart.

`save` returns when its changes are on disk, for only then may the phone hear 200. While one
transaction is being written, whatever else wants to be saved gathers and goes into the next one
together: a storm of registrations costs a few transactions, not one each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from pbx.db import schema
from pbx.db.bulk import BulkDelete, BulkInsert
from pbx.db.bulk import Row as Values
from pbx.db.engine import Storage
from pbx.db.text import storable

Address = tuple[str, int]
"""An IP address in text (IPv6 without brackets) and a port."""

BindingKey = tuple[str, str]
"""Whose contact, and the contact as it was registered."""

_UPSERT = BulkInsert(schema.bindings, existing="replace")
_REMOVE = BulkDelete(schema.bindings)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRow:
    """One contact of one extension (RFC 3261 §10), in plain values.

    `expires_at` and `registered_at` are seconds since the epoch; `local` and `remote` are the two
    ends of the flow it was registered over.
    """

    aor: str
    contact: str
    transport: str
    local: Address
    remote: Address
    path: tuple[str, ...]
    call_id: str
    cseq: int
    expires_at: float
    registered_at: float
    user_agent: str | None = None
    instance: str | None = None

    @property
    def key(self) -> BindingKey:
        """Return what tells it from others."""
        return self.aor, self.contact


class _Group:
    """Changes that go into one transaction, the last word for each contact; and its outcome."""

    def __init__(self) -> None:
        self.changes: dict[BindingKey, BindingRow | None] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, error: BaseException | None) -> None:
        """Tell everybody who waits how it went."""
        if error is None:
            self.done.set_result(None)
            return
        self.done.set_exception(error)
        self.done.exception()  # whoever waited may have been cancelled; then nobody else asks


class BindingStore:
    """Where registrations survive a restart."""

    def __init__(self, database: Storage) -> None:
        self._database = database
        self._next: _Group | None = None
        self._writer: asyncio.Task[None] | None = None

    async def save(self, upserts: Sequence[BindingRow], removals: Sequence[BindingKey]) -> None:
        """Write both; durable when it returns. Raises StorageError."""
        if self._next is None:
            self._next = _Group()
        group = self._next
        for row in upserts:
            group.changes[row.key] = row
        for key in removals:
            group.changes[key] = None
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="bindings")
        await asyncio.shield(group.done)

    async def load(self, now: float) -> list[BindingRow]:
        """Return the bindings that are still good at `now` (wall), and forget the others."""
        return await self._database.write(partial(_load, now))

    async def close(self) -> None:
        """Wait until what was given to `save` is written, or has failed."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._next is not None:
            group, self._next = self._next, None
            transaction = asyncio.ensure_future(
                self._database.write(partial(_write, group.changes))
            )
            await asyncio.wait({transaction})
            group.settle(transaction.exception())
        self._writer = None


def _write(changes: dict[BindingKey, BindingRow | None], connection: Connection) -> None:
    _UPSERT.run(connection, [_values(row) for row in changes.values() if row is not None])
    _REMOVE.run(connection, [_stored(key) for key, row in changes.items() if row is None])


def _load(now: float, connection: Connection) -> list[BindingRow]:
    table = schema.bindings
    connection.execute(delete(table).where(table.c.expires_at <= round(now * 1000)))
    statement = select(table).order_by(table.c.aor, table.c.registered_at)
    return [_row(found) for found in connection.execute(statement)]


def _stored(key: BindingKey) -> Values:
    return tuple(storable(part) for part in key)


def _values(row: BindingRow) -> Values:
    """Return the row in the order of the table's columns."""
    return (
        *_stored(row.key),
        row.transport,
        *row.local,
        *row.remote,
        msgspec.json.encode([storable(uri) for uri in row.path]).decode(),
        storable(row.call_id),
        row.cseq,
        round(row.expires_at * 1000),
        None if row.user_agent is None else storable(row.user_agent),
        None if row.instance is None else storable(row.instance),
        round(row.registered_at * 1000),
    )


def _row(found: Any) -> BindingRow:
    return BindingRow(
        aor=found.aor,
        contact=found.contact,
        transport=found.transport,
        local=(found.local_host, found.local_port),
        remote=(found.remote_host, found.remote_port),
        path=tuple(msgspec.json.decode(found.path, type=list[str])),
        call_id=found.call_id,
        cseq=found.cseq,
        expires_at=found.expires_at / 1000,
        registered_at=found.registered_at / 1000,
        user_agent=found.user_agent,
        instance=found.instance,
    )
