"""What is to be sent without anybody waiting: tried, tried again later, given up with an alarm.

In memory and bounded. What has not gone out when the server stops is lost, and said so; a message
in a mailbox is on disk whatever becomes of its mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pbx.errors import Refused
from pbx.outside.breaker import Unavailable

log = logging.getLogger(__name__)

MAX_WAITING: Final = 1_000
"""Letters that are kept at a time."""

AT_ONCE: Final = 4
"""Letters that are under way at a time."""

PAUSES: Final = (60.0, 300.0, 1800.0)
"""Seconds after which a mail that did not go out is tried again."""

Deliver = Callable[[], Awaitable[None]]
"""Sends one letter. Raises Unavailable where a later try may help, Refused where none will."""


class Outbox:
    """All letters that are not sent yet."""

    def __init__(self, alarm: Callable[[str], None]) -> None:
        """`alarm` takes one sentence that an administrator should know."""
        self._alarm = alarm
        self._waiting: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def __len__(self) -> int:
        return len(self._waiting)

    def post(self, what: str, deliver: Deliver, pauses: Sequence[float] = PAUSES) -> None:
        """Send a letter when there is time. `what` names it in sentences: "mail to a@b.example".

        Raises Refused where too many wait.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise Refused(f"{MAX_WAITING} mails and webhooks wait to be sent already")
        task = asyncio.create_task(self._send(what, deliver, pauses), name=f"outbox {what}")
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def idle(self) -> None:
        """Wait until nothing waits any more: everything went out or was given up."""
        while self._waiting:
            await asyncio.wait(self._waiting)

    async def close(self) -> None:
        """Give up what waits."""
        waiting = list(self._waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if waiting:
            log.warning("%d mails and webhooks were not sent before the end", len(waiting))

    async def _send(self, what: str, deliver: Deliver, pauses: Sequence[float]) -> None:
        reason = ""
        for pause in (0.0, *pauses):
            await asyncio.sleep(pause)
            try:
                async with self._turns:
                    await deliver()
            except Unavailable as error:
                reason = str(error)
                log.info("%s: %s", what, reason)
            except Refused as error:
                reason = str(error)
                break
            except Exception:  # the fence: a defect costs its own letter only
                log.exception("%s could not be sent", what)
                reason = "callpbx failed; its log says where"
                break
            else:
                return
        self._alarm(f"{what} was not sent: {reason}")
