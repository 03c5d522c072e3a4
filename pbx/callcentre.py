"""The call centre put together: engine and floor, agents, places, alarms, and what is kept. [io]

`server.py` starts and closes it with itself; the API sees it through `live_centre.py`.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from pbx.acd import inputs
from pbx.acd.alarms import Watch
from pbx.acd.callback import CallbackKind
from pbx.acd.callback_life import Means, Switches
from pbx.acd.callbacks import Callbacks
from pbx.acd.codes import AgentCodes
from pbx.acd.desk import Desk
from pbx.acd.engine import Engine
from pbx.acd.floor import Floor
from pbx.acd.keeping import BookedCallback
from pbx.acd.model import Profile
from pbx.acd.places import Places
from pbx.acd.presence import Presence, restore
from pbx.acd.queue import Queues
from pbx.acd.screen_pop import History
from pbx.call.exchange import Exchange
from pbx.call.features import Features
from pbx.call.routing import Destinations
from pbx.cdr.counts import Rules
from pbx.cdr.recorder import Recorder
from pbx.cdr.today import Today
from pbx.db.engine import Storage
from pbx.directory.model import Agent, Extension
from pbx.events.bus import Bus, Clock
from pbx.live_centre import CallCentreLive
from pbx.plan.model import Plan, Queue
from pbx.plan.opening import zone_named
from pbx.roster.store import Roster
from pbx.sip.registrar import Registrar


class AgentsInMemory(Protocol):
    """The directory in memory."""

    def agents(self) -> Sequence[Agent]:
        """Return all agents, by number."""

    def extension(self, number: str) -> Extension | None:
        """Return the extension of that number."""


class CallCentre:
    """The call centre of one office. `plan` returns the dialplan in force, `rules` by what calls
    are counted."""

    def __init__(
        self,
        database: Storage,
        *,
        registrar: Registrar,
        directory: AgentsInMemory,
        plan: Callable[[], Plan],
        bus: Bus,
        clock: Clock,
        history: History,
        switches: Switches,
        rules: Callable[[], Rules],
        alarm: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._plan = plan
        self._directory = directory
        self._bus = bus
        self._switches = switches
        self._rng = random.SystemRandom()
        self.roster = Roster(database, alarm=alarm)
        self.floor = Floor(
            Engine(),
            bus=bus,
            clock=clock,
            rng=self._rng,
            keeping=self.roster,
            alarm=alarm,
        )
        self.desk = Desk(self.floor)
        self.places = Places(self.roster, clock)
        self._visits = Queues(self.floor, places=self.places, rng=self._rng, history=history)
        self.presence = Presence(self.floor, registrar, directory, timezone=self._zone)
        registrar.changed = self.presence.changed
        self.today = Today(clock, rules)
        self.callbacks: Callbacks | None = None
        """Who waits to be called back; from the start on."""
        self._watch = Watch(self.floor, self.today, self._queues, alarm)
        self._day = self._date()
        self.live = CallCentreLive(
            floor=self.floor,
            today=self.today,
            alarms=self._watch.alarms,
            rules=self._queues,
            callbacks=lambda: self.callbacks,
        )

    def register(self, destinations: Destinations, features: Features) -> None:
        """Let callers find queues, and agents the codes of their work."""
        self._visits.register(destinations)
        AgentCodes(self.desk).register(features)

    def listen(self, recorder: Recorder) -> None:
        """Count the calls of today as they are recorded."""
        recorder.listen(self.today)

    async def start(self, stack: contextlib.AsyncExitStack, exchange: Exchange) -> None:
        """Go on where the last server stopped: agents on duty, places, call-backs."""
        kept = await self.roster.load()
        self.roster.start()
        stack.push_async_callback(self.roster.close)
        stack.callback(self.floor.close)
        self._bus.attach(self.floor.take)
        self.plan_changed()
        self.directory_changed()
        restore(self.floor, kept.duties)
        self.places.load(kept.places)
        self._begin_calling_back(stack, exchange, kept.callbacks)
        self._watch.start()
        stack.callback(self._watch.close)

    def plan_changed(self) -> None:
        """Work by the queues of the dialplan in force."""
        plan = self._plan()
        self.floor.tell(inputs.QueuesChanged(plan.queues, plan.defaults.between_queues))

    def directory_changed(self) -> None:
        """Know the agents that there are now, and whose phone can be rung."""
        agents = self._directory.agents()
        profiles = tuple(
            Profile(
                number=each.number,
                name=each.name,
                skills=each.skills,
                capacity=each.capacity,
                weight=each.weight,
            )
            for each in agents
        )
        self.floor.tell(inputs.AgentsChanged(profiles))
        self.presence.directory_changed(each.number for each in agents)

    def keep_house(self) -> None:
        """Do what is due each second: a new day begins at the office's midnight."""
        today = self._date()
        if today != self._day:
            self._day = today
            self.floor.tell(inputs.DayBegan())

    def _begin_calling_back(
        self,
        stack: contextlib.AsyncExitStack,
        exchange: Exchange,
        kept: Iterable[BookedCallback],
    ) -> None:
        means = Means(self.floor, exchange, self._clock, self._switches, self._rng)
        callbacks = self.callbacks = Callbacks(means, self.roster)
        CallbackKind(callbacks, self.floor).register(exchange.destinations)
        self.places.booked = callbacks.reclaim
        self._bus.attach(callbacks.take)
        stack.callback(callbacks.close)
        callbacks.load(kept)

    def _date(self) -> date:
        return datetime.fromtimestamp(self._clock.wall(), zone_named(self._zone())).date()

    def _zone(self) -> str:
        return self._plan().defaults.timezone

    def _queues(self) -> Mapping[str, Queue]:
        return self._plan().queues
