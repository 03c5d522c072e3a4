"""The automatic attendant: everything that a dialplan needs beside calls. [io]

A voice, the outside, day/night switches and the interpreter are built here and put into the
registries of destinations and features; `server.py` starts and closes them with itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

from pbx.call.day_night import DayNight
from pbx.call.exchange import Exchange
from pbx.call.features import DAY_NIGHT, Features
from pbx.call.record_prompt import CODE as RECORD_PROMPT_CODE
from pbx.call.record_prompt import NAME as RECORD_PROMPT
from pbx.call.record_prompt import record_prompt
from pbx.call.routing import Destinations
from pbx.callcentre import AgentsInMemory, CallCentre
from pbx.cdr.history import CallerHistory
from pbx.config import Home, Settings
from pbx.config.values import AllowedHost
from pbx.db.engine import Storage
from pbx.events.bus import Bus, Clock
from pbx.ivr.live import Ivr
from pbx.ivr.sayings import sayings_of
from pbx.mailboxes.store import Mailboxes
from pbx.mailroom import Mailroom
from pbx.outside.enquiries import Outside
from pbx.outside.speech.store import SpeechStore
from pbx.plan.model import Plan
from pbx.sip.registrar import Registrar
from pbx.switches import DayNightSwitches
from pbx.wiring import counting_rules

log = logging.getLogger(__name__)


class Attendant:
    """Voice, outside, switches, voicemail, call centre and interpreter of one office. `plan`
    returns the dialplan in force."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        database: Storage,
        *,
        boxes: Mailboxes,
        registrar: Registrar,
        directory: AgentsInMemory,
        plan: Callable[[], Plan],
        bus: Bus,
        clock: Clock,
        alarm: Callable[[str], None],
    ) -> None:
        self.speech = SpeechStore(
            home.path, home.rendered_sounds, settings.speech, now=clock.wall, alarm=alarm
        )
        self.outside = Outside(
            settings,
            home.path,
            resolve=_Addresses(settings.http.allow),
            monotonic=clock.monotonic,
            alarm=alarm,
        )
        self.switches = DayNightSwitches(database, alarm=alarm)
        self.mailroom = Mailroom(boxes, self.outside, plan=plan, alarm=alarm)
        self.centre = CallCentre(
            database,
            registrar=registrar,
            directory=directory,
            plan=plan,
            bus=bus,
            clock=clock,
            history=CallerHistory(database, clock.wall),
            switches=self.switches,
            rules=lambda: counting_rules(plan(), settings),
            alarm=alarm,
        )
        self._messages_kept_s = settings.retention.recordings_s
        self._rendering: asyncio.Task[Any] | None = None

    def register(self, destinations: Destinations, features: Features) -> None:
        """Put what the attendant brings into the registries."""
        Ivr(self.outside, self.switches).register(destinations)
        self.centre.register(destinations, features)
        features.register(DAY_NIGHT, "", DayNight(self.switches).turn)
        self.mailroom.register(destinations, features)
        features.register(RECORD_PROMPT, RECORD_PROMPT_CODE, record_prompt(self.speech))

    async def start(self, stack: contextlib.AsyncExitStack, exchange: Exchange) -> None:
        """Read what was switched, and begin to render what the plan says."""
        await self.switches.load()
        stack.push_async_callback(self.switches.close)
        stack.push_async_callback(self.outside.close)
        stack.push_async_callback(self.speech.close)
        await self.mailroom.start(stack)
        await self.centre.start(stack, exchange)
        self.prepare(exchange.plan)
        stack.callback(self._stop_rendering)

    def plan_changed(self, plan: Plan) -> None:
        """Work by another plan from the next call on."""
        self.centre.plan_changed()
        self.prepare(plan)

    def prepare(self, plan: Plan) -> None:
        """Render what a plan says and is not rendered yet, while calls go on."""
        self._stop_rendering()
        self._rendering = asyncio.get_running_loop().create_task(
            self.speech.prepare(tuple(sayings_of(plan))), name="rendering prompts"
        )
        self._rendering.add_done_callback(_rendered)

    def forget(self, now: float) -> None:
        """Delete rendered sounds that nobody needs, and messages heard long ago (`now`: wall)."""
        self.speech.forget(now)
        self.mailroom.forget(now - self._messages_kept_s)

    def _stop_rendering(self) -> None:
        if self._rendering is not None:
            self._rendering.cancel()


def _rendered(rendering: asyncio.Task[object]) -> None:
    if not rendering.cancelled() and (error := rendering.exception()) is not None:
        log.error("the prompts could not be rendered", exc_info=error)


class _Addresses:
    """Where hosts are: as the resolver says, or as callpbx.yaml does, which names one address."""

    def __init__(self, allow: Sequence[AllowedHost]) -> None:
        self._named = {
            each.host: str(each.address.network_address)
            for each in allow
            if each.address is not None and each.address.num_addresses == 1
        }

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of a host; none where it has none."""
        if host in self._named:
            return (self._named[host],)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            return ()
        return [str(sockaddr[0]) for *_, sockaddr in found]
