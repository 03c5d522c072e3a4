"""What the API answers with: frozen values that become JSON as they are.

Those about a running server come from `LiveOffice` (office.py), the others are made by the routes.
Names of fields are the names in the JSON (`from_` becomes `from`) and are fixed by the documented
interface. Times are text in UTC with milliseconds, as `utc_text` writes them; seconds are floats;
`None` means "not known". Records of calls are not here: they are `pbx.cdr.record.CallRecord`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from pbx.cdr import record
from pbx.events import LegRole


def utc_text(wall: float) -> str:
    """Write seconds since the epoch as `2026-11-21T08:00:00.123Z`, like the times of records."""
    return record.utc_text(round(wall * 1000))


class View(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Base of the values below."""


class Registration(View, frozen=True, kw_only=True):
    """One binding of one extension: a phone that can be rung.

    `transport` is "udp", "tcp" or "tls". `round_trip_ms` comes from the OPTIONS qualify.
    `reachable` is False when the phone did not answer the last one.
    """

    number: str
    contact: str
    transport: str
    user_agent: str | None = None
    expires_in_s: float
    round_trip_ms: float | None = None
    reachable: bool = True


class Noted(View, frozen=True, kw_only=True):
    """What is written down of a call; of one that goes on, what was just said of it."""

    id: str
    disposition: str | None
    note: str | None


class CallLeg(View, frozen=True, kw_only=True):
    """One leg of a call that is up.

    `state` is "ringing", "answered" or "held"; `remote` is `host:port`. `mos`, `loss_percent`
    (0–100) and `jitter_ms` are of the last seconds, in the direction that is worse now; these and
    `round_trip_ms` are None where nothing was measured yet.
    """

    leg: int
    role: LegRole
    number: str
    state: str
    codec: str | None = None
    remote: str | None = None
    mos: float | None = None
    loss_percent: float | None = None
    jitter_ms: float | None = None
    round_trip_ms: float | None = None


class LiveCall(View, frozen=True, kw_only=True):
    """A call that is going on.

    `state` is "routing", "ringing", "talking", "held" or "ending"; `since` when it began.
    """

    id: str
    from_: str
    to: str
    state: str
    since: str
    queue: str | None = None
    agent: str | None = None
    legs: tuple[CallLeg, ...] = ()


class ConferenceMember(View, frozen=True, kw_only=True):
    """Somebody in a conference room. `waiting` is for a moderator; `leg` names one number's several
    phones apart."""

    number: str
    name: str | None = None
    call: str
    leg: int
    moderator: bool = False
    muted: bool = False
    talking: bool = False
    waiting: bool = False
    since: str


class ConferenceView(View, frozen=True, kw_only=True):
    """A conference room: how it is set up, and who is in it. `since` None: nobody is."""

    room: str
    max: int
    pin: bool
    locked: bool = False
    recording: bool = False
    since: str | None = None
    members: tuple[ConferenceMember, ...] = ()


class Ban(View, frozen=True, kw_only=True):
    """A source or a user whose attempts are dropped or slowed after too many failed
    authentications.

    `address` is what `unban` takes: an IP address (`kind` "source") or a number (`kind` "user").
    """

    address: str
    kind: Literal["source", "user"] = "source"
    failures: int
    until: str


class MediaWorker(View, frozen=True, kw_only=True):
    """Load of one media worker process. `load_percent` is of one core over the last seconds."""

    worker: int
    pid: int | None = None
    legs: int
    load_percent: float | None = None
    ports_free: int | None = None
    late_ticks: int = 0


class DatabaseHealth(View, frozen=True, kw_only=True):
    """State of the database and of the writer behind it.

    `pending` records wait to be written; `error` is the last one.
    """

    ok: bool
    size_bytes: int | None = None
    pending: int = 0
    error: str | None = None


class Alarm(View, frozen=True, kw_only=True):
    """Something an administrator should know, one sentence with what to do.

    Repeats raise `count` and move `at`.
    """

    at: str
    sentence: str
    count: int = 1


class LiveStatus(View, frozen=True, kw_only=True):
    """What the running server says about itself. `sip` are the snapshots of the SIP tables, for
    diagnosis only.

    `listen` are the SIP addresses as URLs (`udp://0.0.0.0:5060`), `api` the API's own. `calls`
    counts calls, `legs` legs.
    """

    version: str
    pid: int
    started_at: str
    uptime_s: float
    listen: tuple[str, ...]
    api: tuple[str, ...] = ()
    calls: int
    legs: int
    bans: tuple[Ban, ...] = ()
    media: tuple[MediaWorker, ...] = ()
    database: DatabaseHealth
    alarms: tuple[Alarm, ...] = ()
    sip: dict[str, Any] = {}


class Status(View, frozen=True, kw_only=True):
    """How the office is: its server, and the numbers of phones that are there and that are not.

    Devices with a fixed contact never register and are in neither list.
    """

    server: LiveStatus
    registered: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()


class Extension(View, frozen=True, kw_only=True):
    """A phone in the directory. `registered` is None where no server knows."""

    number: str
    name: str | None
    registered: bool | None
    voicemail: bool
    no_answer_s: float
    contact: str | None
    srtp: Literal["required", "optional", "off"]
    caller_id: str | None = None


class ExtensionCreated(View, frozen=True, kw_only=True):
    """What to type into a phone; the only answer that holds a password."""

    number: str
    name: str | None
    server: str
    user: str
    password: str


class TrunkState(View, frozen=True, kw_only=True):
    """How a line is: `calls` are those that it carries now, in and out.

    `registered` is None where it does not register, `reachable` False where it is tried last, and
    `error` says why. `round_trip_ms` comes from the OPTIONS that it is asked every 30 s.
    """

    registered: bool | None = None
    reachable: bool = True
    calls: int = 0
    round_trip_ms: float | None = None
    error: str | None = None


class Trunk(View, frozen=True, kw_only=True):
    """A line to a carrier, without its password. `state` is None where no server runs."""

    name: str
    server: str
    username: str | None
    register: bool
    match: tuple[str, ...]
    max_calls: int | None
    srtp: Literal["required", "optional", "off"]
    numbers: tuple[str, ...] = ()
    per_minute: int | None = None
    state: TrunkState | None = None


class Token(View, frozen=True, kw_only=True):
    """An API token, without its secret. `last_used` is None where it never was."""

    name: str
    scope: Literal["read", "control", "admin"]
    last_used: str | None


class TokenCreated(View, frozen=True, kw_only=True):
    """A fresh token; the only answer that holds its secret."""

    name: str
    scope: Literal["read", "control", "admin"]
    token: str


class CallPlaced(View, frozen=True, kw_only=True):
    """A call that was made."""

    id: str


class RecordingBegun(View, frozen=True, kw_only=True):
    """A recording that was begun."""

    id: str


class TraceEntry(View, frozen=True, kw_only=True):
    """One line of a call's ladder.

    `kind` "sip": a message that passed between callpbx and `party`; `direction` is seen from
    callpbx, `from_`/`to` are `host:port`, `summary` is what stands on the arrow ("INVITE with SDP",
    "180 Ringing", "200 OK INVITE, again"), `first_line` the message's own and `detail` its whole
    text with credentials blotted out. `kind` "media" and "event": one sentence in `summary` on the
    column of `leg`, or on callpbx's where `leg` is None. `kind` "step": what the dialplan did and
    why, with `file` and `line` where it says so. Entries are in order of `at`, seconds since the
    epoch.
    """

    at: float
    kind: Literal["sip", "media", "event", "step"]
    summary: str
    leg: int | None = None
    party: str | None = None
    call_id: str | None = None
    direction: Literal["received", "sent"] | None = None
    from_: str | None = None
    to: str | None = None
    transport: str | None = None
    first_line: str | None = None
    detail: str | None = None
    file: str | None = None
    line: int | None = None


class DialplanProblem(View, frozen=True, kw_only=True):
    """One mistake in the dialplan, as `callpbx check` tells it. `severity` is "error" or
    "warning"."""

    code: str
    severity: str
    file: str
    line: int
    column: int
    sentence: str
    suggestion: str | None = None


class DialplanVersion(View, frozen=True, kw_only=True):
    """A dialplan that was in force: `version` is `v41`, `version_id` what records of calls name;
    `since` is when it first came into force."""

    version: str
    version_id: str
    since: str


class DialplanView(DialplanVersion, frozen=True, kw_only=True):
    """The dialplan in force, and all that are kept, the newest first. With `rolled_back` the file
    holds a newer one, which the next reload or start takes."""

    rolled_back: bool
    versions: tuple[DialplanVersion, ...]


class ChangedNumber(View, frozen=True, kw_only=True):
    """A number whose calls go differently: where they started, where they start now (None:
    nowhere), and what differs on their way."""

    number: str
    was: str | None = None
    now: str | None = None
    because: tuple[str, ...] = ()


class DialplanReload(View, frozen=True, kw_only=True):
    """What came of a reload, a rollback or a trial. `version` is in force now, `before` was.

    A trial has `numbers`, the names of other `sections` that change, and errors among its
    `problems`; else these are warnings.
    """

    version: str
    version_id: str
    before: str
    rolled_back: bool
    problems: tuple[DialplanProblem, ...] = ()
    numbers: tuple[ChangedNumber, ...] = ()
    sections: tuple[str, ...] = ()
