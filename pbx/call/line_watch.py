"""Registering with carriers, and asking them whether they are there: REGISTER and OPTIONS of lines.

Each second what is due is sent (`tick`): a REGISTER where a line's `RegisterClient` wants one, an
OPTIONS every 30 s. Any answer to OPTIONS, a refusal too, says that somebody is there. A line that
goes wrong is an alarm once, until it is right again. At the end of the server `stop` takes our
registrations back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from pbx.call.line import PROBE_EVERY, Line
from pbx.sip.events import RequestAnswered, RequestFailed, RequestId
from pbx.sip.flow import Address, Flow
from pbx.sip.headers import NameAddr, Uri, escape_user
from pbx.sip.register_client import Asked
from pbx.sip.user_agent import UserAgent

log = logging.getLogger(__name__)

FAREWELL = 2.0
"""Seconds that carriers have to take our registrations back before the server ends."""

SPREAD = 16
"""Lines whose first OPTIONS do not come in one second."""


class Outward(Protocol):
    """What lines need of the transport."""

    def transmit_soon(self) -> None:
        """Send what the user agent has queued, once the current work is done."""

    def flows_for(self, uri: Uri) -> list[Flow] | None:
        """Return the flows to a URI with a numeric host; None when its name must be resolved."""

    async def resolve(self, uri: Uri) -> list[Flow]:
        """Return the flows to a URI, in the order to try them."""

    def advertise(self, flow: Flow) -> Address:
        """Return the address that the remote of `flow` should see as ours."""


class LineWatch:
    """Sends what lines want sent, and takes the answers."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        outward: Outward,
        now: Callable[[], float],
        alarm: Callable[[str], None],
    ) -> None:
        self._ua = ua
        self._outward = outward
        self._now = now
        self._alarm = alarm
        self._registers: dict[RequestId, Line] = {}
        self._probes: dict[RequestId, tuple[Line, float]] = {}
        self._alarmed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()

    async def find(self, line: Line) -> tuple[Flow, ...]:
        """Return where a line's server is; what was known before where its name has no address
        now."""
        flows = self._outward.flows_for(line.server)
        if flows is None:
            flows = await self._outward.resolve(line.server)
        line.found(tuple(flows))
        return line.flows

    def tick(self, lines: Iterable[Line]) -> None:
        """Send what is due."""
        now = self._now()
        for place, line in enumerate(lines):
            if line.probe_at == 0.0:
                line.probe_at = now + place % SPREAD
            registers = line.client is not None and line.client.due(now)
            if not line.busy and (registers or now >= line.probe_at):
                line.busy = True
                self._start(self._send(line))

    def take(self, event: RequestAnswered | RequestFailed) -> bool:
        """Take the outcome of a request of ours; False where it was another's."""
        line = self._registers.pop(event.request_id, None)
        if line is not None:
            self._registered(line, event)
            if not self._registers:
                self._quiet.set()
            return True
        probe = self._probes.pop(event.request_id, None)
        if probe is not None:
            self._probed(*probe, event)
        return probe is not None

    def forget(self, line: Line) -> None:
        """Take back the registration of a line that is no more."""
        line.forgotten = True
        self._alarmed.discard(line.name)
        asked = None if line.client is None else line.client.ask_to_forget()
        if asked is not None and line.flows:
            self._register(line, asked)
            self._outward.transmit_soon()

    async def stop(self, lines: Iterable[Line]) -> None:
        """Take back all registrations, and wait for the carriers' answers for a moment."""
        for task in self._tasks:
            task.cancel()
        for line in lines:
            self.forget(line)
        try:
            async with asyncio.timeout(FAREWELL):
                while self._registers:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            log.warning("not every carrier took our registration back in time")

    # -- what is sent ------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="line")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, line: Line) -> None:
        try:
            found = await self.find(line)
        finally:
            line.busy = False
        now = self._now()
        if not found:
            self._nowhere(line, now)
            return
        if line.client is not None and line.client.due(now):
            self._register(line, line.client.ask())
        if now >= line.probe_at:
            line.probe_at = now + PROBE_EVERY
            self._probe(line, now)
        self._outward.transmit_soon()

    def _nowhere(self, line: Line, now: float) -> None:
        line.probe_at = now + PROBE_EVERY
        if line.client is not None:
            line.client.unresolved(now)
        line.silent(f"{line.server.host} has no address")
        self._wrong(line)

    def _register(self, line: Line, asked: Asked) -> None:
        assert line.account is not None
        assert line.client is not None
        account = NameAddr(None, Uri("sip", escape_user(line.account.username), host=line.host))
        request = self._ua.send(
            "REGISTER",
            line.to(None),
            destinations=line.flows,
            to=account,
            from_=account,
            headers=(("Expires", str(asked.expires)),),
            contact=line.client.token,
            account=line.account,
            same=asked.same,
            now=self._now(),
        )
        self._registers[request] = line

    def _probe(self, line: Line, now: float) -> None:
        if any(probed is line for probed, _ in self._probes.values()):
            return  # the one before has no outcome yet
        ours = Uri("sip", "callpbx", host=self._outward.advertise(line.flows[0])[0])
        request = self._ua.send(
            "OPTIONS",
            line.to(None),
            destinations=line.flows[:1],
            to=NameAddr(None, line.to(None)),
            from_=NameAddr(None, ours),
            now=now,
        )
        self._probes[request] = (line, now)

    # -- what comes of it --------------------------------------------------------------------

    def _registered(self, line: Line, event: RequestAnswered | RequestFailed) -> None:
        client = line.client
        assert client is not None
        if isinstance(event, RequestAnswered):
            client.answered(event.response, self._now())
        else:
            client.failed(event.slug, self._now())
        if client.failing:
            self._wrong(line)
        elif line.answers:
            self._right(line)

    def _probed(self, line: Line, sent_at: float, event: RequestAnswered | RequestFailed) -> None:
        now = self._now()
        if isinstance(event, RequestFailed):
            line.silent("it does not answer")
            self._wrong(line)
            return
        was_away = not line.answers
        line.answered((now - sent_at) * 1000.0)
        if was_away and line.client is not None:
            line.client.again(now)
        if line.client is None or not line.client.failing:
            self._right(line)

    def _wrong(self, line: Line) -> None:
        if line.name not in self._alarmed and not line.forgotten:
            self._alarmed.add(line.name)
            self._alarm(
                f"trunk {line.name} is out of order: {line.trouble}; "
                "callpbx trunk list shows when it is back"
            )

    def _right(self, line: Line) -> None:
        if line.name in self._alarmed:
            self._alarmed.discard(line.name)
            log.info("trunk %s is back", line.name)
