"""The actor of one call: it runs the caller's script, owns the legs, and ends exactly once.

The script is what the caller lives through (`await call.go(destination)`), the one task of the
call. The caller's own end sets `ending` and cancels the script; any other leg's end is a value that
the script awaits. When the script is over, however that came about, the actor closes what is still
open, waits a moment for the media figures and emits `CallEnded`, the last event of every call. A
defect of ours, in the script or in what a leg does, costs its own call only: `fail`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pbx.call import bridge
from pbx.call.admission import Identity
from pbx.call.bridge import Bridge
from pbx.call.contact import Contact
from pbx.call.endings import ANSWERED_ELSEWHERE, last_event
from pbx.call.handing import Handing
from pbx.call.leg import Leg, OnNews
from pbx.call.leg_media import LegMedia
from pbx.call.leg_state import Role
from pbx.call.outcome import (
    NORMAL_CLEARING,
    TEMPORARY_FAILURE,
    Ending,
    LegEnding,
    Outcome,
    cause_of,
)
from pbx.call.parties import agent_of, customer_of
from pbx.call.queued import Facts, Queued
from pbx.call.ringing import Question, Ringing
from pbx.errors import NoResource, RemoteError, UsageError
from pbx.events import (
    AnyEvent,
    Bridged,
    CallerChanged,
    CallRouted,
    EndedBy,
    Result,
)
from pbx.media.formats import Capabilities
from pbx.plan.destination import Destination

if TYPE_CHECKING:
    from pbx.call.exchange import Exchange
    from pbx.call.settings import CallSettings
    from pbx.call.supervision import Supervision

log = logging.getLogger(__name__)

CallState = Literal["routing", "ringing", "talking", "ending"]

_CALLER_LEAVES = frozenset({"bye", "cancelled", ANSWERED_ELSEWHERE})
"""How a caller's leg ends when the caller wants it to."""

_TELL_THEMSELVES = frozenset({"menu", "queue_keys"})
"""Kinds whose visits are events of their own."""

Script = Callable[["Call"], Coroutine[Any, Any, Outcome]]
"""What a caller lives through."""

FIGURES_TIMEOUT = 1.0
"""Seconds that a call waits for the media worker's last figures before its record closes without.
"""


class Call:
    """One call, from the INVITE that was let in to its record."""

    def __init__(
        self, exchange: Exchange, call_id: str, who: Identity, called: str, *, max_forwards: int
    ) -> None:
        self.id = call_id
        self.who = who
        self.called = called
        self.max_forwards = max_forwards
        self.exchange = exchange
        self.plan = exchange.plan
        """The dialplan that was in force when the call began; it stays the call's own."""
        self.language = self.plan.defaults.language
        """The language that the caller is spoken to: zh, yue, en."""
        self.started_at = exchange.clock.wall()
        self.ending: Ending | None = None
        self.legs: dict[int, Leg] = {}
        self.caller_leg: Leg | None = None
        self.bridge = Bridge(exchange.media)
        self.music: str | None = None
        """The folder of what a held party hears, such as its queue's; None for the office's."""
        self.recorded = 0
        """How many recordings were named after this call."""
        self.facts = Facts()
        self.queued: Queued | None = None
        self.supervisors: dict[Leg, Supervision] = {}
        self.kept: Leg | None = None
        """A party that a supervisor left alone, until somebody takes over."""
        self.handing = Handing()
        self.joined_to: str | None = None
        """The call that goes on with what was of use of this one; None: it is a call of its own."""
        self._attendants: set[asyncio.Task[object]] = set()
        self._if_left: Result = "cancelled"
        self._talked = False
        self._over = False
        self._script: asyncio.Task[Outcome] | None = None
        self._patience: asyncio.TimerHandle | None = None  # while figures are waited for

    @property
    def settings(self) -> CallSettings:
        """Return the settings that all calls share."""
        return self.exchange.settings

    @property
    def state(self) -> CallState:
        """Return how far the call is."""
        if self.ending is not None:
            return "ending"
        if self._taken:
            return "talking"
        rung = any(leg is not self.caller_leg for leg in self.legs.values())
        return "ringing" if rung else "routing"

    @property
    def answered_elsewhere(self) -> bool:
        """Tell whether the caller left because somebody else took its call."""
        return self.ending is not None and self.ending.reason == ANSWERED_ELSEWHERE

    def emit(self, event: AnyEvent) -> None:
        """Tell everybody what happened; nothing after CallEnded."""
        if not self._over:
            self.exchange.bus.emit(event)

    # -- what scripts say --------------------------------------------------------------------

    async def go(self, destination: Destination, **overrides: Any) -> Outcome:
        """Take the call to `destination` and return what became of it."""
        if destination.kind not in _TELL_THEMSELVES:
            self.routed(str(destination))
        return await self.exchange.destinations.go(self, destination, **overrides)

    @property
    def caller(self) -> Leg:
        """Return the leg of the party whose call this is."""
        if self.caller_leg is None:
            raise UsageError("the call has no caller's leg yet")
        return self.caller_leg

    @property
    def agent(self) -> Leg | None:
        """Return the leg of the party at the office's phone; None while there is none."""
        return agent_of(self)

    @property
    def customer(self) -> Leg | None:
        """Return the leg of the other party; None while there is none."""
        return customer_of(self)

    def ring(
        self,
        *,
        role: Role | None = None,
        question: Question | None = None,
        early_media: bool = True,
        audible: bool = True,
        hears: Leg | None = None,
    ) -> Ringing:
        """Return the scope that rings contacts: `async with call.ring() as ringing`.

        With a `question`, who answers is asked before it has the call. `early_media` tells whether
        the caller may hear a phone before its answer, `audible` whether it hears it ring; another
        party that `hears` it instead is up.
        """
        return Ringing(self, role, question, early_media=early_media, audible=audible, hears=hears)

    @contextmanager
    def if_left(self, result: Result) -> Iterator[None]:
        """Let the record say `result` of a caller who leaves within the block: `abandoned` in a
        queue, `voicemail` in a mailbox, `cancelled` while somebody is rung.

        Without effect once two parties have talked: that call was answered.
        """
        self._if_left, before = result, self._if_left
        try:
            yield
        finally:
            if self._if_left == result:
                self._if_left = before

    def connect(self, called: Leg) -> None:
        """Answer the caller and let both hear each other."""
        bridge.connect(self, called)

    def early_media(self, called: Leg) -> None:
        """Let the caller hear the called side before its answer (183 with a description).

        A caller who made no offer can only be told that it rings.
        """
        caller = self.caller_leg
        if caller is None:
            return
        if caller.can_listen:
            caller.progress(called.speaks().followed_by(self.settings.capabilities))
            bridge.join(caller, called)
        else:
            caller.ring()

    # -- what legs and bridges report --------------------------------------------------------

    def invite(self, contact: Contact, *, on_news: OnNews, role: Role | None = None) -> Leg:
        """Ring one contact; the leg belongs to whoever called this.

        Without a `role` it is the caller's where the call has none yet, else a called party's.
        """
        role = role or ("called" if self.caller_leg is not None else "caller")
        return Leg.outgoing(self, contact, role=role, on_news=on_news)

    def to_offer(self) -> Capabilities:
        """Return what a leg that is about to be rung is offered. Raises SdpError(488)."""
        if self.caller_leg is None:
            return self.settings.capabilities
        return self.caller_leg.could_speak()

    def neighbour(self) -> LegMedia | None:
        """Return the media of a leg that has a port: all legs of a call share one worker."""
        return next((leg.media for leg in self.legs.values() if leg.media.open), None)

    def routed(self, destination: str) -> None:
        """Add a step to the record's path."""
        self.facts.path.append(destination)
        self.emit(CallRouted(call=self.id, destination=destination))

    def seeking(self) -> AbstractContextManager[None]:
        """Return a block in which somebody is rung: a menu's caller who leaves then has given up.

        What leaving means in a queue stays as it is.
        """
        return self.if_left("cancelled" if self._taken else self._if_left)

    def connected(self) -> None:
        """Remember that the caller reached somebody or something that answers."""
        self._if_left = "answered"
        self.exchange.recordings.answered(self)
        self.handing.reached()

    @property
    def _leaving(self) -> Result:
        """Return the result of a call whose caller leaves now."""
        return "answered" if self._talked else self._if_left

    @property
    def _taken(self) -> bool:
        """Tell whether somebody or something has the call now: it does not fail any more."""
        return self._leaving in ("answered", "voicemail")

    def bridged(self, first: Leg, second: Leg) -> None:
        """Report that two answered legs hear each other."""
        self._talked = True
        self.emit(Bridged(call=self.id, leg=first.id, other=second.id))

    def caller_left(self, ending: LegEnding) -> None:
        """End the call because its own party is gone, unless another is to have it."""
        heir = self.handing.heir
        if heir is not None and heir.up:
            self.belongs_to(heir)
            return
        who: EndedBy = "caller" if self.caller.role == "caller" else "called"
        by_caller = ending.by == "remote" and ending.reason in _CALLER_LEAVES
        if self._taken:
            by: EndedBy = who if by_caller else "system"
            self.end(Ending(self._leaving, ending.reason, 200, ending.cause, by))
        elif by_caller:
            result = self._leaving
            reason = result if ending.reason == "bye" else ending.reason
            self.end(Ending(result, reason, ending.status, ending.cause, "caller"))
        else:
            self.end(Ending("failed", ending.reason, ending.status, ending.cause, "system"))

    def end(self, ending: Ending) -> None:
        """Set how the call ends, once, and stop its script."""
        if self.ending is None:
            self.ending = ending
            if self._script is not None:
                self._script.cancel()
            for attendant in self._attendants:
                attendant.cancel()

    def hang_up(
        self,
        reason: str,
        *,
        status: int = 480,
        cause: int = NORMAL_CLEARING,
        by: EndedBy = "system",
    ) -> None:
        """End the call from inside: an administrator, a shutdown, a lost worker.

        `status` is what a caller is told who was never answered.
        """
        if self._taken:
            self.end(Ending(self._leaving, reason, 200, cause, by))
        else:
            self.end(Ending("failed", reason, status, cause, by))

    def fail(self, error: BaseException) -> None:
        """End the call because of a defect of ours."""
        self.exchange.defects += 1
        log.error("call %s: a defect ended it", self.id, exc_info=error)
        self.hang_up("internal_error", status=500, cause=TEMPORARY_FAILURE)

    def belongs_to(self, leg: Leg) -> None:
        """Make it the call of another party: whoever had it has handed it on."""
        self.caller_leg = leg
        self.emit(CallerChanged(call=self.id, leg=leg.id))

    def join(self, other: Call) -> None:
        """End the call as a part of another: no record is made of it."""
        self.joined_to = other.id
        self.end(Ending("answered", "joined", 487, NORMAL_CLEARING, "system"))

    def attend(self, script: Coroutine[Any, Any, object], name: str) -> asyncio.Task[object]:
        """Run something beside the call's own script: a supervisor listening, an announcement.

        It is cancelled when the call ends; a defect in it costs itself alone.
        """
        task = asyncio.get_running_loop().create_task(script, name=f"call {self.id}: {name}")
        self._attendants.add(task)
        task.add_done_callback(self._attended)
        return task

    def _attended(self, task: asyncio.Task[object]) -> None:
        self._attendants.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.exchange.defects += 1
            log.error("call %s: a defect ended %s", self.id, task.get_name(), exc_info=error)

    def figures_in(self) -> None:
        """Note that a leg's figures are in; the record waits for the last of them."""
        if self._patience is not None and not self._waiting():
            self._close()

    def abandon(self) -> None:
        """End the call and close its record now: the server waits no longer."""
        self.hang_up("shutdown", status=503, cause=TEMPORARY_FAILURE)
        self._close_legs()
        self._close()

    # -- the actor ---------------------------------------------------------------------------

    def run(self, script: Script) -> None:
        """Start `script`; the call closes behind it, whatever happens."""
        if self.ending is not None:
            self._wind_up()
            return
        self._script = asyncio.get_running_loop().create_task(script(self), name=f"call {self.id}")
        self._script.add_done_callback(self._script_over)

    def _script_over(self, script: asyncio.Task[Outcome]) -> None:
        if self.ending is None:
            self._end_as(script)
        elif not script.cancelled() and (error := script.exception()) is not None:
            self.fail(error)  # it broke while it was being cancelled
        if not self._over:
            self._wind_up()

    def _end_as(self, script: asyncio.Task[Outcome]) -> None:
        """End the call as its script did."""
        if script.cancelled():
            self.hang_up("cancelled", status=500, cause=TEMPORARY_FAILURE)
            return
        error = script.exception()
        if isinstance(error, RemoteError):
            self.hang_up(error.slug, status=error.status, cause=cause_of(error.status))
        elif isinstance(error, NoResource):
            self.hang_up("no_resource", status=503, cause=cause_of(503))
        elif error is not None:
            self.fail(error)
        else:
            done = script.result()
            self.end(Ending(done.result, done.reason, done.status, done.cause, done.ended_by))

    def _wind_up(self) -> None:
        self._close_legs()
        if self._waiting():
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(FIGURES_TIMEOUT, self._go_without_figures)
        else:
            self._close()

    def _go_without_figures(self) -> None:
        log.warning("call %s: no media figures within %s s", self.id, FIGURES_TIMEOUT)
        for leg in tuple(self.legs.values()):
            leg.media_gone()
        self._close()

    def _close_legs(self) -> None:
        """Close what is still open: the fence for a leg that cannot be, so that the others are."""
        ending = self.ending
        assert ending is not None
        self.exchange.recordings.unwant(self)
        for leg in tuple(self.legs.values()):
            try:
                leg.close(reason=ending.reason, status=ending.status, cause=ending.cause)
            except Exception as error:
                self.fail(error)

    def _waiting(self) -> bool:
        return self.exchange.recordings.awaited_by(self) or any(
            leg.media.awaits_figures for leg in self.legs.values()
        )

    def _close(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        ending = self.ending
        if ending is None or self._over:
            return
        self.emit(last_event(self.id, ending, joined_to=self.joined_to))
        self._over = True
        log.info(
            "call %s: %s → %s ended: %s (%s)",
            self.id,
            self.who.number,
            self.called,
            ending.result,
            ending.reason,
        )
        self.exchange.forget(self)
        # Call, legs and script hold each other: without this, 100 objects a call would wait for
        # the garbage collector, which takes three times as long to free them.
        self.legs = {}
        self.caller_leg = self._script = None
