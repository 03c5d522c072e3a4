"""The call centre live: the engine, its timer, its ears on the bus.

Whoever has something to tell the engine says `tell(input)`. What the engine wants done goes to the
caller whom it concerns (`Place.orders`, which the queue's coroutine awaits), or becomes events on
the bus. Phones are not told of by anybody: each leg of an agent's extension, of a queue's call or
any other, is heard on the bus, so an agent's state follows what its phones really do.

Inputs are worked one after the other, never one within another: what a command leads to waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pbx import events
from pbx.acd import commands, inputs
from pbx.acd.engine import Engine
from pbx.acd.keeping import Duty, Keeping, Stretch
from pbx.acd.model import AgentState, AgentView, RandomSource, Waiting
from pbx.events.bus import Bus, Clock, Stamped

log = logging.getLogger(__name__)

Order = commands.Offer | commands.Withdraw | commands.SendAway | commands.Moved | commands.Relaxed
"""What a caller's coroutine is told."""

_OF_DUTY = inputs.LoggedIn | inputs.LoggedOut | inputs.PauseAsked | inputs.ResumeAsked
"""What changes an agent's duty amid a call, when its state does not change yet."""

_Duty = tuple[bool, str | None, float | None]
"""Whether an agent is logged in, why it is paused, and when that ends (monotonic)."""

_OFF_DUTY: _Duty = (False, None, None)

TellsState = Callable[[commands.StateChanged], None]


@dataclass(eq=False)
class Place:
    """Where a waiting caller's orders arrive."""

    call: str
    orders: asyncio.Queue[Order] = field(default_factory=asyncio.Queue)


class Floor:
    """The engine at work. `take` is a sink of the bus."""

    def __init__(
        self,
        engine: Engine,
        *,
        bus: Bus,
        clock: Clock,
        rng: RandomSource,
        keeping: Keeping,
        alarm: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.keeping = keeping
        self.alarm = alarm
        self.bus = bus
        self.defects = 0
        """How often an input could not be taken."""
        self.healed = 0
        """How often the watchdog found what cannot be."""
        self.on_state: list[TellsState] = []
        """Who else wants to know of agents' states."""
        self._rng = rng
        self._doing: dict[str, commands.StateChanged] = {}
        self._duties: dict[str, _Duty] = {}
        self._places: dict[str, Place] = {}
        self._legs: dict[int, tuple[str, str]] = {}
        self._inputs: deque[inputs.AnyInput] = deque()
        self._working = False
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None

    def close(self) -> None:
        """Stop the timer."""
        for handle in (self._timer, self._soon):
            if handle is not None:
                handle.cancel()
        self._timer = self._soon = None

    # -- in ----------------------------------------------------------------------------------

    def tell(self, event: inputs.AnyInput) -> None:
        """Tell the engine, and do what it wants; after what it is told just now, if it is."""
        self._inputs.append(event)
        self._work()

    def join(self, waiting: Waiting) -> Place:
        """Let somebody wait; orders arrive at the place."""
        place = self._places[waiting.call] = Place(waiting.call)
        self.tell(inputs.CallerJoined(waiting))
        return place

    def leave(self, call: str) -> None:
        """The caller waits no longer, for whatever reason; without effect on one who does not."""
        if self._places.pop(call, None) is not None:
            self.tell(inputs.CallerGone(call))

    def take(self, stamped: Stamped) -> None:
        """Hear what the phones of agents do. Who is rung to call somebody back does not dial."""
        heard = self._heard(stamped.event)
        if heard is not None:
            self._inputs.append(heard)
            if self._soon is None:
                self._soon = asyncio.get_running_loop().call_soon(self._work_soon)

    def _heard(self, event: events.Event) -> inputs.AnyInput | None:
        match event:
            case events.LegInvited(leg=leg, number=number, call=call, trunk=None):
                if self.engine.agent(number) is None:
                    return None
                self._legs[leg] = (number, call)
                dials = event.role == "caller" and call not in self._places
                return inputs.PhoneRings(number, call, leg, outbound=dials)
            case events.LegAnswered(leg=leg) if leg in self._legs:
                return inputs.PhoneTalks(*self._legs[leg], leg)
            case events.HoldStarted(leg=leg) | events.HoldEnded(leg=leg) if leg in self._legs:
                on = isinstance(event, events.HoldStarted)
                return inputs.PhoneHolds(*self._legs[leg], leg, on)
            case events.LegEnded(leg=leg) if leg in self._legs:
                return inputs.PhoneFree(*self._legs.pop(leg), leg)
        return None

    # -- work --------------------------------------------------------------------------------

    def _work_soon(self) -> None:
        self._soon = None
        self._work()

    def _work(self) -> None:
        if self._working:
            return
        self._working = True
        try:
            while self._inputs:
                self._take_one(self._inputs.popleft())
        finally:
            self._working = False
        self._wind()

    def _take_one(self, event: inputs.AnyInput) -> None:
        """Let the engine take one input: the fence for its defects, which must not stop the floor.

        A caller who joins at such a moment is sent on, not left with music for ever.
        """
        try:
            for command in self.engine.step(event, self.clock.monotonic(), self._rng):
                self._do(command)
            if isinstance(event, _OF_DUTY):
                self._keep_duty(event.agent, event)
        except Exception:  # the fence: a defect of the engine costs the one input alone
            self.defects += 1
            log.exception("the queue engine could not take %s", event)
            self.alarm("the queue engine has a defect; the log says which")
            if isinstance(event, inputs.CallerJoined):
                waiting = event.waiting
                self._do(commands.SendAway(waiting.call, waiting.queue, "no_agents"))

    def _wind(self) -> None:
        """Set the timer to what the engine waits for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.engine.next_timer()
        if due is not None:
            delay = max(0.0, due - self.clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        self.tell(inputs.TimePassed())

    # -- out ---------------------------------------------------------------------------------

    def _do(self, command: commands.Command) -> None:
        match command:
            case commands.StateChanged():
                self._state_changed(command)
            case commands.Decided():
                self._decided(command)
            case commands.WrapUpDone():
                self.bus.emit(
                    events.WrapUpEnded(
                        call=command.call,
                        agent=command.agent,
                        seconds=command.seconds,
                        queue=command.queue,
                    )
                )
            case commands.Healed():
                self.healed += 1
                log.error("agent %s: %s", command.agent, command.sentence)
                self.alarm(f"agent {command.agent}: {command.sentence}")
            case _:
                place = self._places.get(command.call)
                if place is not None:
                    place.orders.put_nowait(command)

    def _state_changed(self, command: commands.StateChanged) -> None:
        now = self.clock.wall()
        before = self._doing.get(command.agent)
        self._doing[command.agent] = command
        self.keeping.keep_stretch(
            Stretch(
                agent=command.agent,
                state=command.before.value,
                since=now - command.seconds,
                until=now,
                reason=before.reason if before is not None else "",
                call=before.call if before is not None else "",
                queue=before.queue if before is not None else None,
            )
        )
        self._keep_duty(command.agent)
        self.bus.emit(
            events.AgentStateChanged(
                call=command.call,
                agent=command.agent,
                state=command.after.value,
                previous=command.before.value,
                seconds=round(command.seconds, 3),
                reason=command.reason,
                queue=command.queue,
            )
        )
        for tell in tuple(self.on_state):
            tell(command)

    def _keep_duty(self, number: str, asked: inputs.AgentInput | None = None) -> None:
        """Keep what an agent goes on with after a restart: whether on duty, whether paused."""
        view = self.engine.agent(number)
        if view is None:
            self._duties.pop(number, None)
            return
        before = self._duties.get(number, _OFF_DUTY)
        duty = view.logged_in, view.pause, self._pause_ends(view, asked, before)
        if duty == before:
            return
        self._duties[number] = duty
        logged_in, pause, until = duty
        now, monotonic = self.clock.wall(), self.clock.monotonic()
        ends = None if until is None else until - monotonic + now
        self.keeping.keep_duty(
            Duty(agent=number, logged_in=logged_in, pause=pause, since=now, until=ends)
        )

    def _pause_ends(
        self, view: AgentView, asked: inputs.AgentInput | None, before: _Duty
    ) -> float | None:
        """Return when a pause ends; one that has not begun yet ends as if it began when asked."""
        if view.pause is None:
            return None
        if view.state is AgentState.PAUSED:
            return view.until
        if isinstance(asked, inputs.PauseAsked):
            return None if asked.for_s is None else self.clock.monotonic() + asked.for_s
        return before[2] if before[1] == view.pause else None

    def _decided(self, command: commands.Decided) -> None:
        self.bus.emit(
            events.OfferDecided(
                call=command.call,
                queue=command.queue,
                chosen=command.chosen,
                strategy=command.strategy,
                waited_s=round(command.waited_s, 3),
                waiting=command.waiting,
                candidates=command.candidates,
                others=dict(command.others),
            )
        )
