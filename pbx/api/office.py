"""What the API needs of the rest of callpbx: Protocols only, nothing that runs.

`Office` is what `create_app` gets. Its directory and records work with and without a server; `live`
is there only in the process that serves calls. `pbx/office.py` makes an `Office` on the database,
`pbx/server.py` the same with `live` and `bus` set. The views of extensions, trunks and tokens are
read-only Protocols, so that the directory's own frozen values fit without being copied.

Whoever implements this raises `errors.NotFound` for a name that does not exist and `errors.Refused`
for anything else that cannot be done: one sentence, shown to the user as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pbx.events import AnyEvent, SupervisionMode
from pbx.events.bus import Bus, Stamped

if TYPE_CHECKING:
    from pbx.api.agents import Agents, LiveAgents
    from pbx.api.audio import Mailboxes, Recordings
    from pbx.api.centre import LiveCentre
    from pbx.api.views import (
        ConferenceView,
        DialplanReload,
        DialplanView,
        LiveCall,
        LiveStatus,
        Registration,
        TraceEntry,
        TrunkState,
    )
    from pbx.api.why import Why
    from pbx.cdr.record import CallRecord, RecordQuery
    from pbx.cdr.report import Report, ReportQuery

Scope = Literal["read", "control", "admin"]
"""What a token may do: look; also make and end calls; also change the directory."""

Srtp = Literal["required", "optional", "off"]
"""Whether speech must, may or must not be encrypted."""


class ExtensionView(Protocol):
    """A phone's entry in the directory, without its secrets."""

    @property
    def number(self) -> str:
        """Return the digits that are dialled and that the phone registers with."""

    @property
    def name(self) -> str | None:
        """Return the name shown to the people it calls."""

    @property
    def no_answer_s(self) -> float:
        """Return after how many seconds of ringing a call counts as not answered."""

    @property
    def voicemail(self) -> bool:
        """Tell whether it has a mailbox."""

    @property
    def contact(self) -> str | None:
        """Return the fixed SIP URI of a device that never registers."""

    @property
    def srtp(self) -> Srtp:
        """Return whether its speech is encrypted."""

    @property
    def caller_id(self) -> str | None:
        """Return the number that the outside sees; None for the one that the dialplan says."""


class TrunkView(Protocol):
    """A line to a carrier, without its password."""

    @property
    def name(self) -> str:
        """Return the name that the dialplan uses."""

    @property
    def server(self) -> str:
        """Return the carrier's SIP URI."""

    @property
    def username(self) -> str | None:
        """Return the user that we authenticate as."""

    @property
    def register(self) -> bool:
        """Tell whether we register there."""

    @property
    def match(self) -> Sequence[str]:
        """Return the addresses, with or without port, from which its calls come."""

    @property
    def max_calls(self) -> int | None:
        """Return how many calls it may carry at once, in and out."""

    @property
    def per_minute(self) -> int | None:
        """Return how many calls may go out by it within a minute."""

    @property
    def numbers(self) -> Sequence[str]:
        """Return the numbers that the carrier gave us, the first of them shown by default."""

    @property
    def srtp(self) -> Srtp:
        """Return whether its speech is encrypted."""


class TokenView(Protocol):
    """An API token; its secret is not stored."""

    @property
    def name(self) -> str:
        """Return the name it was made with."""

    @property
    def scope(self) -> Scope:
        """Return what it may do."""

    @property
    def last_used(self) -> float | None:
        """Return when it was used last, seconds since the epoch, to the minute or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionChange:
    """What `extension set` changes; None leaves a field as it is, an empty text clears it."""

    name: str | None = None
    password: str | None = None
    no_answer_s: float | None = None
    voicemail: bool | None = None
    contact: str | None = None
    srtp: Srtp | None = None
    caller_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkDraft:
    """What `trunk add` says."""

    name: str
    server: str
    username: str | None = None
    password: str | None = None
    register: bool = False
    match: tuple[str, ...] = ()
    max_calls: int | None = None
    srtp: Srtp = "optional"
    numbers: tuple[str, ...] = ()
    per_minute: int | None = None


class Directory(Protocol):
    """The extensions, trunks and tokens of the office. Writes are durable when they return."""

    async def extensions(self) -> Sequence[ExtensionView]:
        """Return all extensions, sorted by number."""

    async def extension(self, number: str) -> ExtensionView:
        """Return one extension; NotFound where there is none."""

    async def add_extension(
        self,
        number: str,
        *,
        name: str | None,
        password: str,
        contact: str | None,
        srtp: Srtp = "optional",
    ) -> None:
        """Add a phone; only digests of the password are kept. Refused where the number is taken."""

    async def change_extension(self, number: str, change: ExtensionChange) -> None:
        """Change some fields of a phone; NotFound where there is none."""

    async def remove_extension(self, number: str) -> None:
        """Forget a phone and its bindings; NotFound where there is none."""

    async def reissue(self, passwords: Mapping[str, str]) -> None:
        """Give every phone the password that `passwords` holds for its number.

        They are made for the realm of callpbx.yaml: this is how the realm changes.
        """

    async def set_conference_pins(
        self, room: str, *, member: str | None, moderator: str | None
    ) -> None:
        """Set the PINs of a conference room; None leaves one as it is. Raises Refused."""

    async def trunks(self) -> Sequence[TrunkView]:
        """Return all trunks, sorted by name."""

    async def add_trunk(self, draft: TrunkDraft) -> None:
        """Add a line; Refused where the name is taken."""

    async def remove_trunk(self, name: str) -> None:
        """Forget a line; NotFound where there is none."""

    async def tokens(self) -> Sequence[TokenView]:
        """Return all tokens, sorted by name."""

    async def add_token(self, name: str, scope: Scope) -> str:
        """Make a token and return its secret, which only its holder knows from then on."""

    async def remove_token(self, name: str) -> None:
        """Make a token worthless at once; NotFound where there is none."""

    async def token(self, secret: str) -> TokenView | None:
        """Return the token that `secret` belongs to; the same work whether or not there is one."""


class Records(Protocol):
    """The calls that were, one record each, and their events."""

    async def find(self, query: RecordQuery) -> Sequence[CallRecord]:
        """Return the records that match, newest first, at most `query.limit`."""

    async def find_one(self, call: str) -> CallRecord:
        """Return one record; NotFound where there is none."""

    async def amend(self, call: str, event: AnyEvent, at: float) -> CallRecord:
        """Amend a record by an event at `at` (wall) and return it; without a server only, which
        tells its bus instead. NotFound where there is none."""

    async def events_after(self, seq: int, *, limit: int) -> Sequence[Stamped]:
        """Return stored events with a number greater than `seq`, in order.

        Those older than the bus remembers.
        """


class Reports(Protocol):
    """What was counted of calls, queues and agents."""

    async def report(self, query: ReportQuery) -> Report:
        """Return a report; Refused for a time that is none."""


class LiveDialplan(Protocol):
    """The dialplan of the running server."""

    async def show(self) -> DialplanView:
        """Return which version is in force, and which are kept."""

    async def reload(self) -> DialplanReload:
        """Put the file as it is now in force. Raises Refused, with what is wrong in it."""

    async def rollback(self) -> DialplanReload:
        """Put the version before back in force, until the next reload or start.

        Raises NotFound where none is kept.
        """

    async def try_out(self) -> DialplanReload:
        """Return what a reload would change, and all that is wrong; change nothing."""


class LiveOffice(Protocol):
    """The running server: calls, phones, bans. Everything here is quick and works from memory."""

    @property
    def dialplan(self) -> LiveDialplan:
        """Return the dialplan."""

    @property
    def centre(self) -> LiveCentre | None:
        """Return the call centre; None where it has not started."""

    @property
    def agents(self) -> LiveAgents | None:
        """Return the agents at work; None where the call centre has not started."""

    def status(self) -> LiveStatus:
        """Return how the server is."""

    def registrations(self) -> Sequence[Registration]:
        """Return the live bindings, sorted by number."""

    def trunks(self) -> Mapping[str, TrunkState]:
        """Return how each line is, by its name."""

    def calls(self) -> Sequence[LiveCall]:
        """Return the calls that are up, oldest first."""

    async def originate(self, from_: str, to: str) -> str:
        """Ring `from_`, then call `to` as if it had dialled; return the call's id once it is being
        rung.

        Raises NotFound where `from_` is no extension and Refused where it cannot be rung now.
        """

    def hangup(self, call: str) -> None:
        """End a call; NotFound where none of that id is up."""

    async def supervise(
        self, call: str, supervisor: str, mode: SupervisionMode, asked_by: str
    ) -> None:
        """Ring a supervisor's phone and let it into the call; one that is in it changes its mode.

        `asked_by` is the name of a token, or `socket`.

        Raises NotFound and Refused.
        """

    def transfer(self, call: str, to: str) -> None:
        """Hand the customer of a call on to a number or a place; its agent is let go.

        Raises NotFound and Refused.
        """

    def release(
        self,
        call: str,
        mode: Literal["all", "agent", "takeover"],
        supervisor: str | None,
        asked_by: str,
    ) -> None:
        """End a call by force, or one party's part in it. Raises NotFound and Refused."""

    def conferences(self) -> Sequence[ConferenceView]:
        """Return the rooms of the dialplan and who is in them, sorted by number."""

    def lock_conference(self, room: str, on: bool) -> None:
        """Let nobody but moderators into an open room, or everybody; NotFound for a closed one."""

    def mute_in_conference(self, room: str, member: str, on: bool) -> None:
        """Let nobody hear a member, or again; it is named by its number or its leg."""

    def put_out_of_conference(self, room: str, member: str) -> None:
        """End a member's part in a room, and its call."""

    async def dial_into_conference(self, room: str, number: str) -> str:
        """Ring a phone and take it into the room once it answers; return the call's id."""

    def start_recording(self, call: str) -> str:
        """Record a call from now on; return the recording's id. Raises NotFound and Refused."""

    def pause_recording(self, recording: str, on: bool) -> None:
        """Record silence in place of a call, or the call again; NotFound where none goes on."""

    def stop_recording(self, recording: str) -> None:
        """End a recording that goes on; NotFound where there is none."""

    def unban(self, address: str) -> None:
        """Lift the ban on a source address or a user; NotFound where there is none."""

    def trace(self, call: str) -> Sequence[TraceEntry]:
        """Return what is remembered of a call, going on or over, in order.

        NotFound where nothing is.
        """

    async def directory_changed(self) -> None:
        """Read the directory again: called by the API after each write to it, before it answers."""


class Office(Protocol):
    """Everything that the API is about."""

    @property
    def directory(self) -> Directory:
        """Return the directory."""

    @property
    def agents(self) -> Agents:
        """Return the directory of agents."""

    @property
    def records(self) -> Records:
        """Return the records."""

    @property
    def why(self) -> Why:
        """Return what answers why a call went as it did."""

    @property
    def reports(self) -> Reports:
        """Return the reports."""

    @property
    def recordings(self) -> Recordings:
        """Return the recordings."""

    @property
    def mailboxes(self) -> Mailboxes:
        """Return the mailboxes."""

    @property
    def server(self) -> str:
        """Return what people type into a phone as its server: `HOST` or `HOST:PORT`."""

    @property
    def live(self) -> LiveOffice | None:
        """Return the running server; None where the API works on the database alone."""

    @property
    def bus(self) -> Bus | None:
        """Return the bus of events; None without a server."""
