"""The office on its database: what the API needs, with or without a running server.

Here the rooms meet that must not know each other: the directory keeps digests, SIP knows how they
are made, the API brings passwords. `server.py` opens the same office and sets `live`, `bus` and
`fresh`; a command without a server leaves them None.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from pbx.api.address import phone_server
from pbx.api.office import ExtensionChange, LiveOffice, Scope, Srtp, TrunkDraft
from pbx.cdr.counts import Rules
from pbx.cdr.decisions import Decisions
from pbx.cdr.figure_store import FigureStore
from pbx.cdr.store import RecordStore
from pbx.config import Home, Settings
from pbx.db.engine import Database, open_database
from pbx.directory.agents import OfficeAgents
from pbx.directory.bindings import BindingRow, BindingStore
from pbx.directory.model import Agent, ApiToken, Extension, PasswordDigests, Trunk, token_digest
from pbx.directory.pins import ConferencePins
from pbx.directory.snapshot import Address, Directory
from pbx.directory.store import DirectoryStore
from pbx.errors import CallpbxError, ConfigError, NotFound, Refused, StorageError
from pbx.events.bus import Bus, Stamped
from pbx.ivr.verbs import VOCABULARY
from pbx.mailboxes.office import OfficeMailboxes
from pbx.mailboxes.store import Mailboxes
from pbx.plan.loader import load_plan
from pbx.plan.model import Plan
from pbx.recordings.store import RecordingStore
from pbx.roster.store import Roster
from pbx.sip.binding import Binding
from pbx.sip.digest import make_ha1
from pbx.sip.flow import Flow
from pbx.sip.headers import NameAddr
from pbx.sip.uri import Uri
from pbx.why.answers import Answers
from pbx.wiring import counting_rules

log = logging.getLogger(__name__)

TOKEN_BYTES = 32
SALT_BYTES = 16
CONTACT_BYTES = 12

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@contextlib.asynccontextmanager
async def open_office(home: Home, settings: Settings) -> AsyncIterator[DatabaseOffice]:
    """Open the office in `home`, making its folders and database where they are missing."""
    home.make_folders()
    database = open_database(home.database)
    try:
        office = DatabaseOffice(database, home, settings)
        await office.store.load()
        try:
            yield office
        finally:
            await office.bindings.close()
    finally:
        await database.close()


class DatabaseOffice:
    """An office on its database; satisfies `pbx.api.office.Office`.

    `fresh` is awaited before records are read: a server sets its recorder's `flush`.
    """

    def __init__(self, database: Database, home: Home, settings: Settings) -> None:
        self.database = database
        self.in_memory = DirectoryInMemory()
        self.store = DirectoryStore(database, changed=self.in_memory.show)
        self.directory = OfficeDirectory(self.store, realm=settings.sip.realm)
        self.agents = OfficeAgents(self.store)
        self.records = RecordStore(database, fresh=self._refresh)
        self.reports = FigureStore(database, rules=self._rules, wall=time.time, fresh=self._refresh)
        self.plan: Callable[[], Plan] | None = None
        """Returns the dialplan in force; None without a server."""
        self._home = home
        self._settings = settings
        self.why = Answers(
            self.records,
            Decisions(database, fresh=self._refresh),
            Roster(database, alarm=log.error),
        )
        self.why.recent = self._recent
        self.recordings = RecordingStore(database, home.recordings, fresh=self._refresh)
        self.boxes = Mailboxes(database, home.voicemail)
        self.mailboxes = OfficeMailboxes(self.boxes)
        self.bindings = Bindings(database)
        self.live: LiveOffice | None = None
        self.bus: Bus | None = None
        self.fresh: Callable[[], Awaitable[object]] | None = None
        self._listen = settings.sip.listen[0]

    @property
    def server(self) -> str:
        """Return what people type into a phone as its server."""
        return phone_server(self._listen.host, self._listen.port)

    async def check_realm(self, realm: str) -> None:
        """Refuse a realm that the stored passwords were not made for."""
        used = self.store.directory.realm_in_use()
        if used not in (None, realm):
            raise Refused(
                f'callpbx.yaml says realm "{realm}", but the passwords were made for "{used}"; '
                "put it back, or give every phone a new password: callpbx extension reissue"
            )

    async def reload(self) -> None:
        """Read the directory again, and look up the carriers that are told by name."""
        directory = await self.store.load()
        self.in_memory.learn(await _resolve(directory.hosts()))

    def _rules(self) -> Rules:
        """Return by what is counted: the dialplan in force, or that of the file."""
        if self.plan is not None:
            return counting_rules(self.plan(), self._settings)
        try:
            return counting_rules(load_plan(self._home.dialplan, VOCABULARY), self._settings)
        except ConfigError as error:
            log.warning("the dialplan is of no use (%s): its defaults count", error)
            return counting_rules(Plan(version_id=""), self._settings)

    def _recent(self) -> Iterable[Stamped]:
        """Return what the bus remembers."""
        return () if self.bus is None else self.bus.since(0)

    async def _refresh(self) -> None:
        if self.fresh is not None:
            await self.fresh()


class DirectoryInMemory:
    """The newest snapshot of the directory, for look-ups that cannot wait."""

    def __init__(self) -> None:
        self._directory = Directory()
        self._hosts: Mapping[str, Sequence[str]] = {}

    def show(self, directory: Directory) -> None:
        """Take a new snapshot; what is known of host names stays known."""
        self._directory = directory.with_hosts(self._hosts)

    def learn(self, hosts: Mapping[str, Sequence[str]]) -> None:
        """Take the addresses of host names.

        A name that cannot be resolved now keeps its old ones.
        """
        self._hosts = {**self._hosts, **hosts}
        self._directory = self._directory.with_hosts(self._hosts)

    def extension(self, number: str) -> Extension | None:
        """Return the extension of that number."""
        return self._directory.extension(number)

    def agents(self) -> Sequence[Agent]:
        """Return all agents, by number."""
        return self._directory.agents()

    def conference_pins(self, room: str) -> ConferencePins | None:
        """Return the PINs of a conference room."""
        return self._directory.conference_pins(room)

    def trunk_for(self, address: Address) -> Trunk | None:
        """Return the trunk that calls from `address` belong to."""
        return self._directory.trunk_for(address)

    def trunk_of_token(self, token: str) -> Trunk | None:
        """Return the trunk whose registration has this user part in its Contact."""
        return self._directory.trunk_of_token(token)

    def trunks(self) -> Sequence[Trunk]:
        """Return all trunks, by name."""
        return self._directory.trunks()

    def is_trunk(self, place: str) -> bool:
        """Tell whether a carrier sends from this IP address or network, from whatever port."""
        network = ipaddress.ip_network(place.partition("%")[0], strict=False)
        return any(
            _overlap(source.network, network)
            if source.network is not None
            else place in self._hosts.get(source.host or "", ())
            for trunk in self._directory.trunks()
            for source in trunk.sources
        )


def _overlap(left: _Network, right: _Network) -> bool:
    return left.version == right.version and left.overlaps(right)


class OfficeDirectory:
    """The directory as the API changes it: passwords in, digests kept."""

    def __init__(self, store: DirectoryStore, *, realm: str) -> None:
        self._store = store
        self._realm = realm

    async def extensions(self) -> Sequence[Extension]:
        """Return all extensions, sorted by number."""
        return self._store.directory.extensions()

    async def extension(self, number: str) -> Extension:
        """Return one extension."""
        found = self._store.directory.extension(number)
        if found is None:
            raise NotFound(f"there is no extension {number}")
        return found

    async def add_extension(
        self,
        number: str,
        *,
        name: str | None,
        password: str,
        contact: str | None,
        srtp: Srtp = "optional",
    ) -> None:
        """Add a phone."""
        digests = _digests(number, self._realm, password)
        await self._store.add_extension(
            Extension(
                number=number,
                name=name,
                realm=digests.realm,
                ha1_md5=digests.ha1_md5,
                ha1_sha256=digests.ha1_sha256,
                created_at=time.time(),
                contact=contact,
                srtp=srtp,
            )
        )

    async def change_extension(self, number: str, change: ExtensionChange) -> None:
        """Change some fields of a phone; Refused where its caller number is none of ours."""
        wanted, trunks = change.caller_id, self._store.directory.trunks()
        if wanted and not any(wanted in trunk.numbers for trunk in trunks):
            raise Refused(
                f"{wanted} is no number of ours; add it to its trunk with --number {wanted}, "
                "written in the same way"
            )
        await self._store.change_extension(number, lambda before: _changed(before, change))

    async def remove_extension(self, number: str) -> None:
        """Forget a phone."""
        await self._store.remove_extension(number)

    async def reissue(self, passwords: Mapping[str, str]) -> None:
        """Give every phone a new password, made for the realm of callpbx.yaml."""
        await self._store.reissue(
            {
                number: _digests(number, self._realm, password)
                for number, password in passwords.items()
            }
        )

    async def trunks(self) -> Sequence[Trunk]:
        """Return all trunks, sorted by name."""
        return self._store.directory.trunks()

    async def add_trunk(self, draft: TrunkDraft) -> None:
        """Add a line."""
        await self._store.add_trunk(
            Trunk(
                name=draft.name,
                server=draft.server,
                created_at=time.time(),
                username=draft.username,
                password=draft.password,
                register=draft.register,
                match=draft.match,
                max_calls=draft.max_calls,
                srtp=draft.srtp,
                numbers=draft.numbers,
                per_minute=draft.per_minute,
                token=secrets.token_hex(CONTACT_BYTES),
            )
        )

    async def remove_trunk(self, name: str) -> None:
        """Forget a line."""
        await self._store.remove_trunk(name)

    async def set_conference_pins(
        self, room: str, *, member: str | None, moderator: str | None
    ) -> None:
        """Set the PINs of a conference room; None leaves one as it is."""
        salt = secrets.token_hex(SALT_BYTES)
        await self._store.set_pins(room, salt, member=member, moderator=moderator)

    async def tokens(self) -> Sequence[ApiToken]:
        """Return all tokens, sorted by name."""
        return self._store.directory.tokens()

    async def add_token(self, name: str, scope: Scope) -> str:
        """Make a token and return its secret."""
        secret = secrets.token_urlsafe(TOKEN_BYTES)
        await self._store.add_token(
            ApiToken(name=name, scope=scope, sha256=token_digest(secret), created_at=time.time())
        )
        return secret

    async def remove_token(self, name: str) -> None:
        """Make a token worthless at once."""
        await self._store.remove_token(name)

    async def token(self, secret: str) -> ApiToken | None:
        """Return the token that `secret` belongs to."""
        found = self._store.directory.token(secret)
        if found is not None:
            with contextlib.suppress(StorageError):  # a full disk keeps nobody out
                await self._store.note_token_use(found, time.time())
        return found


class Bindings:
    """Where phones are, kept over restarts: SIP's bindings as rows of the database."""

    def __init__(self, database: Database) -> None:
        self._store = BindingStore(database)

    async def save(self, upserts: Sequence[Binding], removals: Sequence[Binding]) -> None:
        """Write both in one transaction; durable when it returns. Raises StorageError."""
        epoch = _epoch()
        await self._store.save(
            [_row_of(binding, epoch) for binding in upserts],
            [binding.key for binding in removals],
        )

    async def load(self) -> list[Binding]:
        """Return the bindings that are still good."""
        rows = await self._store.load(time.time())
        epoch = _epoch()
        found = []
        for row in rows:
            try:
                found.append(_binding_of(row, epoch))
            except CallpbxError as error:
                log.warning(
                    "the stored contact %s of %s is skipped: %s", row.contact, row.aor, error
                )
        return found

    async def close(self) -> None:
        """Wait until what was given to `save` is written."""
        await self._store.close()


def _digests(number: str, realm: str, password: str) -> PasswordDigests:
    credential = make_ha1(number, realm, password)
    return PasswordDigests(realm, credential.ha1_md5, credential.ha1_sha256)


def _changed(before: Extension, change: ExtensionChange) -> Extension:
    after = before
    if change.name is not None:
        after = replace(after, name=change.name or None)
    if change.contact is not None:
        after = replace(after, contact=change.contact or None)
    if change.no_answer_s is not None:
        after = replace(after, no_answer_s=change.no_answer_s)
    if change.voicemail is not None:
        after = replace(after, voicemail=change.voicemail)
    if change.srtp is not None:
        after = replace(after, srtp=change.srtp)
    if change.caller_id is not None:
        after = replace(after, caller_id=change.caller_id or None)
    if change.password is not None:
        digests = _digests(before.number, before.realm, change.password)
        after = replace(after, ha1_md5=digests.ha1_md5, ha1_sha256=digests.ha1_sha256)
    return after


async def _resolve(hosts: frozenset[str]) -> dict[str, list[str]]:
    """Return the addresses of the hosts that can be resolved now."""
    loop = asyncio.get_running_loop()
    answers = await asyncio.gather(
        *(loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM) for host in hosts),
        return_exceptions=True,
    )
    found = {}
    for host, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, BaseException):
            log.warning("the carrier's host %s cannot be resolved: %s", host, answer)
        else:
            found[host] = [str(sockaddr[0]) for *_, sockaddr in answer]
    return found


def _epoch() -> float:
    """Return what turns monotonic seconds into seconds since the epoch."""
    return time.time() - time.monotonic()


def _row_of(binding: Binding, epoch: float) -> BindingRow:
    return BindingRow(
        aor=binding.aor,
        contact=str(binding.contact),
        transport=binding.flow.transport,
        local=binding.flow.local,
        remote=binding.flow.remote,
        path=tuple(map(str, binding.path)),
        call_id=binding.call_id,
        cseq=binding.cseq,
        expires_at=binding.expires_at + epoch,
        registered_at=binding.registered_at + epoch,
        user_agent=binding.user_agent,
        instance=binding.instance,
    )


def _binding_of(row: BindingRow, epoch: float) -> Binding:
    return Binding(
        aor=row.aor,
        contact=Uri.parse(row.contact),
        flow=Flow(row.transport, row.local, row.remote),
        path=tuple(map(NameAddr.parse, row.path)),
        call_id=row.call_id,
        cseq=row.cseq,
        expires_at=row.expires_at - epoch,
        registered_at=row.registered_at - epoch,
        user_agent=row.user_agent,
        instance=row.instance,
    )
