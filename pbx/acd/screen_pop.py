"""What an agent's screen shows of a caller, as the phone begins to ring (AgentOffered).

Earlier calls of the number are asked for when the caller joins, and go with the offer if they are
there by then, or within a tenth of a second: no phone rings later for the sake of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from pbx.events import AgentOffered, PastCall

if TYPE_CHECKING:
    from pbx.acd.model import Waiting
    from pbx.call.call import Call

log = logging.getLogger(__name__)

PATIENCE: Final = 0.1
"""Seconds that an offer waits for the history at most."""

SHOWN: Final = 5
"""How many earlier calls are shown."""

LONGEST_AGO: Final = 90 * 86_400.0
"""Seconds within which they were."""


REMEMBERED: Final = 7 * 86_400.0
"""Seconds for which the agent is remembered whom a caller talked to."""


class History(Protocol):
    """Who called before."""

    async def of(self, number: str) -> Sequence[PastCall]:
        """Return the newest calls of a number within `LONGEST_AGO`, at most `SHOWN`, the newest
        first. Who asks waits for `PATIENCE` at most, and then goes on without."""


class NoHistory:
    """A history that remembers nothing."""

    async def of(self, number: str) -> Sequence[PastCall]:
        """Return nothing."""
        return ()


class ScreenPop:
    """What is shown of one caller."""

    def __init__(self, call: Call, history: History) -> None:
        self._call = call
        self._asking: asyncio.Task[Sequence[PastCall]] | None = None
        if call.who.number:
            self._asking = asyncio.get_running_loop().create_task(
                history.of(call.who.number), name=f"call {call.id}: history"
            )

    def close(self) -> None:
        """Ask no longer."""
        if self._asking is not None:
            self._asking.cancel()

    async def ready(self) -> None:
        """Wait until the earlier calls are known, or long enough."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait((self._asking,), timeout=PATIENCE)

    def last_agent(self) -> str | None:
        """Return whom the caller talked to last, lately, as far as that is known by now."""
        since = self._call.exchange.clock.wall() - REMEMBERED
        for past in self._history():
            if (
                past.agent is not None
                and datetime.fromisoformat(past.started_at).timestamp() > since
            ):
                return past.agent
        return None

    def show(self, agent: str, waiting: Waiting, waited_s: float) -> None:
        """Let everybody know that the agent's phone is about to ring."""
        call = self._call
        call.emit(
            AgentOffered(
                call=call.id,
                agent=agent,
                queue=waiting.queue,
                caller=call.who.number,
                caller_name=call.who.name,
                called=call.called,
                waited_s=round(waited_s, 3),
                priority=waiting.priority,
                path=tuple(call.facts.path),
                notes=tuple(call.facts.notes),
                fields=dict(call.facts.fields),
                history=self._history(),
            )
        )

    def _history(self) -> tuple[PastCall, ...]:
        asking = self._asking
        if asking is None or not asking.done() or asking.cancelled():
            return ()
        if (error := asking.exception()) is not None:
            log.error("the history of callers cannot be read", exc_info=error)
            return ()
        return tuple(asking.result())[:SHOWN]
