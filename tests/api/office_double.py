"""An office in memory: what the routes are tested against."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from starlette.types import ASGIApp

from pbx.acd.desk import AgentNow
from pbx.acd.model import AgentState, AgentView
from pbx.api.app import create_app
from pbx.api.centre import LiveCentre
from pbx.api.client import ApiClient, in_process
from pbx.api.office import ExtensionChange, Scope, Srtp, TrunkDraft
from pbx.api.views import (
    Ban,
    ConferenceView,
    DatabaseHealth,
    DialplanReload,
    DialplanVersion,
    DialplanView,
    LiveCall,
    LiveStatus,
    Registration,
    TraceEntry,
    TrunkState,
)
from pbx.cdr.amend import amended
from pbx.cdr.counts import Rules
from pbx.cdr.figures import Figures
from pbx.cdr.record import Called, Caller, CallRecord, RecordQuery
from pbx.cdr.report import Ledger, Report, ReportQuery, report_of
from pbx.directory.model import Agent
from pbx.errors import NotFound, Refused
from pbx.events import AnyEvent, SupervisionMode
from pbx.events.bus import Bus, Stamped
from pbx.mailboxes.model import BoxEntry, MessageEntry
from pbx.recordings.model import RecordingDetails, RecordingEntry, RecordingQuery
from tests.api.why_double import WhyDouble
from tests.kit.clock import VirtualClock


@dataclass(frozen=True)
class Phone:
    """A row of the directory; `password` stands for the digests that a real one keeps."""

    number: str
    name: str | None = None
    password: str = ""
    no_answer_s: float = 20.0
    voicemail: bool = False
    contact: str | None = None
    srtp: Srtp = "optional"
    caller_id: str | None = None


@dataclass(frozen=True)
class Line:
    """A trunk."""

    name: str
    server: str
    username: str | None = None
    register: bool = False
    match: tuple[str, ...] = ()
    max_calls: int | None = None
    srtp: Srtp = "optional"
    numbers: tuple[str, ...] = ()
    per_minute: int | None = None


@dataclass(frozen=True)
class Key:
    """A token."""

    name: str
    scope: Scope
    last_used: float | None = None


@dataclass
class DirectoryDouble:
    """The directory, in dictionaries."""

    phones: dict[str, Phone] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    pins: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    async def extensions(self) -> Sequence[Phone]:
        return [self.phones[number] for number in sorted(self.phones)]

    async def extension(self, number: str) -> Phone:
        if number not in self.phones:
            raise NotFound(f"there is no extension {number}")
        return self.phones[number]

    async def add_extension(
        self,
        number: str,
        *,
        name: str | None,
        password: str,
        contact: str | None,
        srtp: Srtp = "optional",
    ) -> None:
        if number in self.phones:
            raise Refused(f"extension {number} exists")
        self.phones[number] = Phone(number, name, password, contact=contact, srtp=srtp)

    async def change_extension(self, number: str, change: ExtensionChange) -> None:
        given = {
            name: getattr(change, name)
            for name in (
                "name",
                "password",
                "no_answer_s",
                "voicemail",
                "contact",
                "srtp",
                "caller_id",
            )
            if getattr(change, name) is not None
        }
        self.phones[number] = replace(await self.extension(number), **given)

    async def remove_extension(self, number: str) -> None:
        await self.extension(number)
        del self.phones[number]

    async def reissue(self, passwords: Mapping[str, str]) -> None:
        for number, password in passwords.items():
            self.phones[number] = replace(self.phones[number], password=password)

    async def set_conference_pins(
        self, room: str, *, member: str | None, moderator: str | None
    ) -> None:
        self.pins[room] = (member, moderator)

    async def trunks(self) -> Sequence[Line]:
        return [self.lines[name] for name in sorted(self.lines)]

    async def add_trunk(self, draft: TrunkDraft) -> None:
        self.lines[draft.name] = Line(
            draft.name,
            draft.server,
            username=draft.username,
            register=draft.register,
            match=draft.match,
            max_calls=draft.max_calls,
            srtp=draft.srtp,
            numbers=draft.numbers,
            per_minute=draft.per_minute,
        )

    async def remove_trunk(self, name: str) -> None:
        if self.lines.pop(name, None) is None:
            raise NotFound(f"there is no trunk {name}")

    async def tokens(self) -> Sequence[Key]:
        return sorted(self.keys.values(), key=lambda key: key.name)

    async def add_token(self, name: str, scope: Scope) -> str:
        self.keys[f"secret-{name}"] = Key(name, scope)
        return f"secret-{name}"

    async def remove_token(self, name: str) -> None:
        if self.keys.pop(f"secret-{name}", None) is None:
            raise NotFound(f"there is no token {name}")

    async def token(self, secret: str) -> Key | None:
        return self.keys.get(secret)


@dataclass
class AgentsDouble:
    """The directory of agents, in a dictionary."""

    rows: dict[str, Agent] = field(default_factory=dict)

    async def agents(self) -> Sequence[Agent]:
        return [self.rows[number] for number in sorted(self.rows)]

    async def agent(self, number: str) -> Agent:
        if number not in self.rows:
            raise NotFound(f"there is no agent {number}")
        return self.rows[number]

    async def add(
        self,
        number: str,
        *,
        name: str | None,
        skills: Mapping[str, int],
        capacity: int,
        weight: int,
        at: float,
    ) -> None:
        if number in self.rows:
            raise Refused(f"agent {number} exists already")
        self.rows[number] = Agent(
            number=number,
            created_at=at,
            name=name,
            skills=skills,
            capacity=capacity,
            weight=weight,
        )

    async def change(
        self,
        number: str,
        *,
        name: str | None = None,
        skills: Mapping[str, int] | None = None,
        capacity: int | None = None,
        weight: int | None = None,
    ) -> None:
        before = await self.agent(number)
        self.rows[number] = replace(
            before,
            name=before.name if name is None else name,
            skills={**before.skills, **(skills or {})},
            capacity=capacity or before.capacity,
            weight=weight or before.weight,
        )

    async def remove(self, number: str) -> None:
        await self.agent(number)
        del self.rows[number]


@dataclass
class DeskDouble:
    """Agents at work; `done` is what was asked for."""

    rows: dict[str, AgentNow] = field(default_factory=dict)
    done: list[tuple[object, ...]] = field(default_factory=list)

    def put(
        self, number: str, state: AgentState, *, ends_in_s: float | None = None, **more: Any
    ) -> None:
        """Let an agent do something, for 62.04 s now."""
        view = AgentView(number=number, name=None, state=state, since=0.0, **more)
        self.rows[number] = AgentNow(view, since=1.0, seconds=62.04, ends_in_s=ends_in_s)

    def agents(self) -> Sequence[AgentNow]:
        return list(self.rows.values())

    def agent(self, number: str) -> AgentNow:
        if number not in self.rows:
            raise NotFound(f"there is no agent {number}")
        return self.rows[number]

    def log_in(self, number: str) -> str:
        return self._asked("log_in", number)

    def log_out(self, number: str) -> str:
        return self._asked("log_out", number)

    def pause(self, number: str, reason: str, for_s: float | None = None) -> str:
        return self._asked("pause", number, reason, for_s)

    def recover(self, number: str) -> str:
        return self._asked("recover", number)

    def resume(self, number: str) -> str:
        return self._asked("resume", number)

    def extend(self, number: str, seconds: float) -> str:
        return self._asked("extend", number, seconds)

    def _asked(self, what: str, number: str, *more: object) -> str:
        self.agent(number)
        self.done.append((what, number, *more))
        return f"Agent {number}: {what}"


@dataclass
class RecordsDouble:
    """Records, newest first, and stored events."""

    rows: list[CallRecord] = field(default_factory=list)
    stored: list[Stamped] = field(default_factory=list)
    asked: list[RecordQuery] = field(default_factory=list)
    amended: list[tuple[AnyEvent, float]] = field(default_factory=list)

    async def find(self, query: RecordQuery) -> Sequence[CallRecord]:
        self.asked.append(query)
        ids = [row.id for row in self.rows]
        start = ids.index(query.before) + 1 if query.before else 0
        return self.rows[start : start + query.limit]

    async def find_one(self, call: str) -> CallRecord:
        for row in self.rows:
            if row.id == call:
                return row
        raise NotFound(f"there is no record of a call {call}")

    async def amend(self, call: str, event: AnyEvent, at: float) -> CallRecord:
        self.amended.append((event, at))
        record = amended(await self.find_one(call), event)
        self.rows = [record if row.id == record.id else row for row in self.rows]
        return record

    async def events_after(self, seq: int, *, limit: int) -> Sequence[Stamped]:
        return [stamped for stamped in self.stored if stamped.seq > seq][:limit]


@dataclass
class ReportsDouble:
    """Reports of the calls in `calls`, as they are computed; `now` is seconds since the epoch."""

    calls: list[Figures] = field(default_factory=list)
    asked: list[ReportQuery] = field(default_factory=list)
    now: float = 1_795_276_800.0

    async def report(self, query: ReportQuery) -> Report:
        self.asked.append(query)
        rules = Rules(timezone="Asia/Shanghai", service_level_s={"service": 20.0})
        ledger = Ledger(rules, round((query.since or 0) * 1000), round(self.now * 1000), query.by)
        for figures in self.calls:
            ledger.add(figures)
        return report_of(query.kind, ledger, round(self.now * 1000))


@dataclass
class RecordingsDouble:
    """Recordings, newest first, and their files; `fetched` is by whom."""

    rows: list[RecordingEntry] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    asked: list[RecordingQuery] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def find(self, query: RecordingQuery) -> Sequence[RecordingEntry]:
        self.asked.append(query)
        ids = [row.id for row in self.rows]
        start = ids.index(query.before) + 1 if query.before else 0
        return self.rows[start : start + query.limit]

    async def find_one(self, recording: str) -> RecordingDetails:
        for row in self.rows:
            if row.id == recording:
                return RecordingDetails(recording=row, accesses=())
        raise NotFound(f"there is no recording {recording}")

    async def fetch(
        self, recording: str, *, by: str | None, at: float
    ) -> tuple[RecordingEntry, Path]:
        entry = (await self.find_one(recording)).recording
        if recording not in self.files:
            raise Refused(f"recording {recording} cannot be heard")
        if by is not None:
            self.fetched.append(by)
        return entry, self.files[recording]


@dataclass
class MailboxesDouble:
    """Mailboxes and messages, newest first, and their files; `changed` is what was set."""

    shown: list[BoxEntry] = field(default_factory=list)
    rows: list[MessageEntry] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    changed: list[tuple[str, str | None, str | None, bool]] = field(default_factory=list)

    async def boxes(self) -> Sequence[BoxEntry]:
        return self.shown

    async def messages(
        self, *, box: str | None = None, limit: int = 100, before: str | None = None
    ) -> Sequence[MessageEntry]:
        rows = [row for row in self.rows if box in (None, row.box)]
        start = [row.id for row in rows].index(before) + 1 if before else 0
        return rows[start : start + limit]

    async def message(self, message: str) -> MessageEntry:
        for row in self.rows:
            if row.id == message:
                return row
        raise NotFound(f"there is no message {message}")

    async def fetch(self, message: str) -> tuple[MessageEntry, Path]:
        return await self.message(message), self.files[message]

    async def delete(self, message: str) -> None:
        self.rows.remove(await self.message(message))

    async def change(
        self,
        box: str,
        *,
        pin: str | None = None,
        mail: str | None = None,
        standard_greeting: bool = False,
    ) -> None:
        self.changed.append((box, pin, mail, standard_greeting))

    async def remove(self, box: str) -> None:
        self.rows = [row for row in self.rows if row.box != box]


@dataclass
class DialplanDouble:
    """A dialplan of which `answer` is said to whatever is asked; `refusal` refuses it."""

    answer: DialplanReload = field(
        default_factory=lambda: DialplanReload(
            version="v42", version_id="abc", before="v41", rolled_back=False
        )
    )
    refusal: Refused | None = None
    asked: list[str] = field(default_factory=list)

    async def show(self) -> DialplanView:
        version = DialplanVersion(version="v42", version_id="abc", since="2026-11-21T08:00:00.000Z")
        return DialplanView(
            version=version.version,
            version_id=version.version_id,
            since=version.since,
            rolled_back=False,
            versions=(version,),
        )

    async def reload(self) -> DialplanReload:
        return self._answered("reload")

    async def rollback(self) -> DialplanReload:
        return self._answered("rollback")

    async def try_out(self) -> DialplanReload:
        return self._answered("try_out")

    def _answered(self, asked: str) -> DialplanReload:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        return self.answer


@dataclass
class LiveDouble:
    """A running server that remembers what it was asked for."""

    dialplan: DialplanDouble = field(default_factory=DialplanDouble)
    centre: LiveCentre | None = None
    agents: DeskDouble | None = field(default_factory=DeskDouble)
    bindings: list[Registration] = field(default_factory=list)
    lines: dict[str, TrunkState] = field(default_factory=dict)
    up: list[LiveCall] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    rooms: list[ConferenceView] = field(default_factory=list)
    ladder: list[TraceEntry] = field(default_factory=list)
    done: list[tuple[str, ...]] = field(default_factory=list)

    def status(self) -> LiveStatus:
        return LiveStatus(
            version="0.1.0",
            pid=4711,
            started_at="2026-11-21T08:00:00.000Z",
            uptime_s=3725.0,
            listen=("udp://0.0.0.0:5060",),
            calls=len(self.up),
            legs=sum(len(call.legs) for call in self.up),
            bans=tuple(self.bans),
            database=DatabaseHealth(ok=True, size_bytes=123456),
        )

    def registrations(self) -> Sequence[Registration]:
        return self.bindings

    def trunks(self) -> Mapping[str, TrunkState]:
        return self.lines

    def calls(self) -> Sequence[LiveCall]:
        return self.up

    async def originate(self, from_: str, to: str) -> str:
        if from_ == "999":
            raise NotFound("there is no extension 999")
        self.done.append(("originate", from_, to))
        return f"c{len(self.done)}"

    def hangup(self, call: str) -> None:
        if call not in {row.id for row in self.up}:
            raise NotFound(f"no call {call} is up")
        self.done.append(("hangup", call))

    async def supervise(
        self, call: str, supervisor: str, mode: SupervisionMode, asked_by: str
    ) -> None:
        if call not in {row.id for row in self.up}:
            raise NotFound(f"there is no call {call}")
        self.done.append((mode, supervisor, call))

    def transfer(self, call: str, to: str) -> None:
        if call not in {row.id for row in self.up}:
            raise NotFound(f"there is no call {call}")
        self.done.append(("transfer", call, to))

    def release(
        self,
        call: str,
        mode: Literal["all", "agent", "takeover"],
        supervisor: str | None,
        asked_by: str,
    ) -> None:
        self.done.append(("release", mode, call, supervisor or ""))

    def conferences(self) -> Sequence[ConferenceView]:
        return self.rooms

    def lock_conference(self, room: str, on: bool) -> None:
        if room not in {each.room for each in self.rooms}:
            raise NotFound(f"nobody is in conference {room}")
        self.done.append(("lock" if on else "unlock", room))

    def mute_in_conference(self, room: str, member: str, on: bool) -> None:
        self.done.append(("mute" if on else "unmute", room, member))

    def put_out_of_conference(self, room: str, member: str) -> None:
        self.done.append(("kick", room, member))

    async def dial_into_conference(self, room: str, number: str) -> str:
        self.done.append(("dial", room, number))
        return "c5"

    def start_recording(self, call: str) -> str:
        if call not in {row.id for row in self.up}:
            raise NotFound(f"there is no call {call}")
        self.done.append(("record", call))
        return f"{call}-1"

    def pause_recording(self, recording: str, on: bool) -> None:
        if not recording.endswith("-1"):
            raise NotFound(f"no recording {recording} is going on")
        self.done.append(("pause" if on else "resume", recording))

    def stop_recording(self, recording: str) -> None:
        self.done.append(("stop", recording))

    def unban(self, address: str) -> None:
        if address not in {ban.address for ban in self.bans}:
            raise NotFound(f"{address} is not banned")
        self.done.append(("unban", address))

    def trace(self, call: str) -> Sequence[TraceEntry]:
        if not self.ladder:
            raise NotFound(f"nothing is remembered of call {call}")
        return self.ladder

    async def directory_changed(self) -> None:
        self.done.append(("directory_changed",))


@dataclass
class OfficeDouble:
    """An office; `live` and `bus` None is one without a server."""

    directory: DirectoryDouble = field(default_factory=DirectoryDouble)
    agents: AgentsDouble = field(default_factory=AgentsDouble)
    records: RecordsDouble = field(default_factory=RecordsDouble)
    why: WhyDouble = field(default_factory=WhyDouble)
    reports: ReportsDouble = field(default_factory=ReportsDouble)
    recordings: RecordingsDouble = field(default_factory=RecordingsDouble)
    mailboxes: MailboxesDouble = field(default_factory=MailboxesDouble)
    live: LiveDouble | None = field(default_factory=LiveDouble)
    bus: Bus | None = field(default_factory=lambda: Bus(VirtualClock()))
    server: str = "192.168.1.5"


@contextlib.contextmanager
def client_of(office: OfficeDouble) -> Iterator[ApiClient]:
    """Give the administrator's client of an office."""

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[ASGIApp]:
        yield create_app(office)

    with in_process(opened) as api:
        yield api


def record_of(call: str, **fields: object) -> CallRecord:
    """Return a record with ordinary values."""
    given: dict[str, object] = {
        "id": call,
        "direction": "internal",
        "started_at": "2026-11-21T08:00:00.123Z",
        "answered_at": "2026-11-21T08:00:02.223Z",
        "ended_at": "2026-11-21T08:00:12.423Z",
        "caller": Caller(number="101", name="王小明"),
        "called": Called(number="102"),
        "result": "answered",
        "reason": "bye",
        "cause": 16,
        "sip_status": 200,
        "ended_by": "caller",
        "duration_s": 12.3,
        "wait_s": 0.0,
        "ring_s": 2.1,
        "talk_s": 10.2,
        "hold_s": 0.0,
        "wrap_up_s": 0.0,
        "queue": None,
        "agent": None,
        "path": ("ext:102",),
        "tags": (),
        "recording": None,
        "survey": None,
        "dialplan_version": "abc",
        "quality": (),
        "segments": (),
    }
    return CallRecord(**{**given, **fields})  # type: ignore[arg-type]
