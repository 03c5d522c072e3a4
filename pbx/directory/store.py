"""The directory in the database: each change is one transaction, then there is a new snapshot.

A change checks, writes and reads the whole directory again in the one thread that writes, so
snapshots come in the order of the changes. Raises Refused for what the rules of model.py forbid or
what is there already, NotFound for a name that does not exist, StorageError when the database takes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from pbx.db import schema
from pbx.db.engine import Storage
from pbx.directory.model import (
    Agent,
    ApiToken,
    Extension,
    PasswordDigests,
    Trunk,
    check_agent,
    check_extension,
    check_token,
    check_trunk,
)
from pbx.directory.pins import ConferencePins, check_pin, pin_digest
from pbx.directory.snapshot import Directory
from pbx.errors import NotFound, Refused

T = TypeVar("T")

TOKEN_USE_NOTED = 60.0
"""Seconds within which a token's further uses are not written."""


class DirectoryStore:
    """Reads and changes the directory; `directory` is what was read last.

    `changed` is called with each new snapshot.
    """

    def __init__(
        self, database: Storage, *, changed: Callable[[Directory], None] | None = None
    ) -> None:
        self.directory = Directory()
        self._database = database
        self._changed = changed

    async def load(self) -> Directory:
        """Read the directory; call it before anything else."""
        self._show(await self._database.read(_read_all))
        return self.directory

    async def add_extension(self, extension: Extension) -> None:
        """Add a phone; Refused where the number is taken or the realm is another one."""
        check_extension(extension)
        await self._change(partial(_add_extension, extension))

    async def change_extension(
        self, number: str, change: Callable[[Extension], Extension]
    ) -> Extension:
        """Replace a phone's entry by what `change` makes of it; return the new one.

        `change` runs in the writing thread and must not depend on anything but its argument.
        """
        return await self._change(partial(_change_extension, number, change))

    async def remove_extension(self, number: str) -> None:
        """Forget a phone and where it is; Refused while an agent sits there."""
        await self._change(partial(_remove_extension, number))

    async def reissue(self, digests: Mapping[str, PasswordDigests]) -> None:
        """Give every extension a new password, which is how the realm changes.

        Refused unless all extensions are among `digests`, and one realm in all of them.
        """
        await self._change(partial(_reissue, digests))

    async def add_agent(self, agent: Agent) -> None:
        """Add an agent, logged out; Refused where there is no such extension, or one already."""
        check_agent(agent)
        await self._change(partial(_add_agent, agent))

    async def change_agent(self, number: str, change: Callable[[Agent], Agent]) -> Agent:
        """Replace an agent's entry by what `change` makes of it; return the new one.

        As with `change_extension`. Whether it is on duty is not touched.
        """
        return await self._change(partial(_change_agent, number, change))

    async def remove_agent(self, number: str) -> None:
        """Forget an agent; the extension and what the agent did stay."""
        await self._change(partial(_remove, schema.agents, "agent", number))

    async def add_trunk(self, trunk: Trunk) -> None:
        """Add a line; Refused where the name is taken."""
        check_trunk(trunk)
        await self._change(partial(_add, schema.trunks, "trunk", trunk.name, _trunk_values(trunk)))

    async def remove_trunk(self, name: str) -> None:
        """Forget a line."""
        await self._change(partial(_remove, schema.trunks, "trunk", name))

    async def add_token(self, token: ApiToken) -> None:
        """Add a token; Refused where the name is taken."""
        check_token(token)
        await self._change(partial(_add, schema.tokens, "token", token.name, _token_values(token)))

    async def remove_token(self, name: str) -> None:
        """Make a token worthless."""
        await self._change(partial(_remove, schema.tokens, "token", name))

    async def set_pins(
        self, room: str, salt: str, *, member: str | None = None, moderator: str | None = None
    ) -> None:
        """Set the PINs of a conference room, or one of them; None leaves one as it is.

        Raises Refused for a PIN that cannot be keyed or is too easy, and for one PIN twice.
        """
        for pin in (member, moderator):
            if pin is not None:
                check_pin(pin)
        await self._change(partial(_set_pins, room, salt, member, moderator))

    async def note_token_use(self, token: ApiToken, at: float) -> None:
        """Remember that a token was used at `at` (wall); written once a minute at most."""
        if token.last_used is None or at - token.last_used >= TOKEN_USE_NOTED:
            await self._change(partial(_note_token_use, token.name, at))

    async def _change(self, change: Callable[[Connection], T]) -> T:
        def change_and_read(connection: Connection) -> tuple[T, Directory]:
            return change(connection), _read_all(connection)

        outcome, directory = await self._database.write(change_and_read)
        self._show(directory)
        return outcome

    def _show(self, directory: Directory) -> None:
        self.directory = directory
        if self._changed is not None:
            self._changed(directory)


# -- changes, in the writing thread ----------------------------------------------------------------


def _add_extension(extension: Extension, connection: Connection) -> None:
    table = schema.extensions
    others = select(table.c.realm).where(table.c.realm != extension.realm).limit(1)
    realm = connection.execute(others).scalar_one_or_none()
    if realm is not None:
        raise Refused(
            f"the passwords of this office were made for the realm {realm!r}, "
            f"not for {extension.realm!r}"
        )
    _add(table, "extension", extension.number, _extension_values(extension), connection)


def _change_extension(
    number: str, change: Callable[[Extension], Extension], connection: Connection
) -> Extension:
    table = schema.extensions
    row = _row(table, number, connection)
    if row is None:
        raise NotFound(f"there is no extension {number}")
    before = _extension_of(row)
    after = change(before)
    if (after.number, after.realm) != (before.number, before.realm):
        raise Refused("an extension keeps its number and its realm; add another one instead")
    check_extension(after)
    connection.execute(
        update(table).where(table.c.number == number).values(_extension_values(after))
    )
    return after


def _remove_extension(number: str, connection: Connection) -> None:
    if _row(schema.agents, number, connection) is not None:
        raise Refused(
            f"an agent sits at extension {number}; remove it first: callpbx agent remove {number}"
        )
    _remove(schema.extensions, "extension", number, connection)
    connection.execute(delete(schema.bindings).where(schema.bindings.c.aor == number))


def _add_agent(agent: Agent, connection: Connection) -> None:
    if _row(schema.extensions, agent.number, connection) is None:
        raise Refused(
            f"there is no extension {agent.number} for the agent; "
            f"add it first: callpbx extension add {agent.number}"
        )
    off_duty = {
        "logged_in": False,
        "pause": None,
        "pause_until": None,
        "since": _ms(agent.created_at),
    }
    values = {**_agent_values(agent), **off_duty}
    _add(schema.agents, "agent", agent.number, values, connection)


def _change_agent(number: str, change: Callable[[Agent], Agent], connection: Connection) -> Agent:
    table = schema.agents
    row = _row(table, number, connection)
    if row is None:
        raise NotFound(f"there is no agent {number}; callpbx agent add {number} makes one")
    after = change(_agent_of(row))
    if after.number != number:
        raise Refused("an agent keeps its number; add another one instead")
    check_agent(after)
    connection.execute(update(table).where(table.c.number == number).values(_agent_values(after)))
    return after


def _reissue(digests: Mapping[str, PasswordDigests], connection: Connection) -> None:
    table = schema.extensions
    numbers = set(connection.execute(select(table.c.number)).scalars())
    if set(digests) != numbers or len({new.realm for new in digests.values()}) > 1:
        raise Refused("a new realm needs a new password for every extension, and for no other")
    for number, new in digests.items():
        connection.execute(
            update(table)
            .where(table.c.number == number)
            .values(realm=new.realm, ha1_md5=new.ha1_md5, ha1_sha256=new.ha1_sha256)
        )


def _note_token_use(name: str, at: float, connection: Connection) -> None:
    table = schema.tokens
    connection.execute(update(table).where(table.c.name == name).values(last_used=_ms(at)))


def _set_pins(
    room: str, salt: str, member: str | None, moderator: str | None, connection: Connection
) -> None:
    table = schema.conference_pins
    row = connection.execute(select(table).where(table.c.room == room)).one_or_none()
    before = ConferencePins(room, salt) if row is None else ConferencePins(**row._mapping)
    if _both(before, member, moderator):
        raise Refused("members and moderators need different PINs")
    after = replace(
        before,
        member=before.member if member is None else pin_digest(member, before.salt),
        moderator=before.moderator if moderator is None else pin_digest(moderator, before.salt),
    )
    connection.execute(delete(table).where(table.c.room == room))
    connection.execute(insert(table).values(asdict(after)))


def _both(before: ConferencePins, member: str | None, moderator: str | None) -> bool:
    """Tell whether one PIN would be the members' and the moderators'."""
    if member is not None and moderator is not None:
        return member == moderator
    if member is not None:
        return before.is_moderators(member)
    return moderator is not None and before.is_members(moderator)


def _row(table: Table, name: str, connection: Connection) -> Row[Any] | None:
    (key,) = table.primary_key
    return connection.execute(select(table).where(key == name)).one_or_none()


def _add(
    table: Table, kind: str, name: str, values: dict[str, Any], connection: Connection
) -> None:
    (key,) = table.primary_key
    if connection.execute(select(key).where(key == name)).first() is not None:
        raise Refused(f"{kind} {name} exists already")
    connection.execute(insert(table).values(values))


def _remove(table: Table, kind: str, name: str, connection: Connection) -> None:
    (key,) = table.primary_key
    if connection.execute(delete(table).where(key == name)).rowcount == 0:
        raise NotFound(f"there is no {kind} {name}")


# -- rows ------------------------------------------------------------------------------------------


def _read_all(connection: Connection) -> Directory:
    return Directory.of(
        [_extension_of(row) for row in connection.execute(select(schema.extensions))],
        [_trunk_of(row) for row in connection.execute(select(schema.trunks))],
        [_token_of(row) for row in connection.execute(select(schema.tokens))],
        [
            ConferencePins(**row._mapping)
            for row in connection.execute(select(schema.conference_pins))
        ],
        [_agent_of(row) for row in connection.execute(select(schema.agents))],
    )


def _extension_of(row: Row[Any]) -> Extension:
    return Extension(**{**row._mapping, "created_at": row.created_at / 1000})


def _extension_values(extension: Extension) -> dict[str, Any]:
    return {**asdict(extension), "created_at": _ms(extension.created_at)}


def _agent_of(row: Row[Any]) -> Agent:
    return Agent(
        number=row.number,
        created_at=row.created_at / 1000,
        name=row.name,
        skills=msgspec.json.decode(row.skills, type=dict[str, int]),
        capacity=row.capacity,
        weight=row.weight,
    )


def _agent_values(agent: Agent) -> dict[str, Any]:
    skills = msgspec.json.encode(agent.skills).decode()
    return {**asdict(agent), "skills": skills, "created_at": _ms(agent.created_at)}


def _trunk_of(row: Row[Any]) -> Trunk:
    lists = {
        name: tuple(msgspec.json.decode(text, type=list[str]))
        for name, text in (("match", row.match), ("numbers", row.numbers))
    }
    return Trunk(**{**row._mapping, **lists, "created_at": row.created_at / 1000})


def _trunk_values(trunk: Trunk) -> dict[str, Any]:
    lists = {
        "match": msgspec.json.encode(trunk.match).decode(),
        "numbers": msgspec.json.encode(trunk.numbers).decode(),
    }
    return {**asdict(trunk), **lists, "created_at": _ms(trunk.created_at)}


def _token_of(row: Row[Any]) -> ApiToken:
    last_used = None if row.last_used is None else row.last_used / 1000
    times = {"created_at": row.created_at / 1000, "last_used": last_used}
    return ApiToken(**{**row._mapping, **times})


def _token_values(token: ApiToken) -> dict[str, Any]:
    last_used = None if token.last_used is None else _ms(token.last_used)
    return {**asdict(token), "created_at": _ms(token.created_at), "last_used": last_used}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
