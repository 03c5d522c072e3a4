"""The mailroom: mailboxes, the mails that tell of messages, and the lamps of phones. [io]

It is put together here and into the registries of destinations and features; `server.py` starts and
closes it with itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from pbx.call.features import Features
from pbx.call.message_waiting import MessageWaiting
from pbx.call.routing import Destinations
from pbx.mailboxes.recovery import recover
from pbx.mailboxes.store import Mailboxes
from pbx.plan.model import Plan
from pbx.voicemail.boxes import Post
from pbx.voicemail.desk import Voicemail
from pbx.voicemail.notices import Notices

log = logging.getLogger(__name__)


class Mailroom:
    """The voicemail of one office. `plan` returns the dialplan in force."""

    def __init__(
        self,
        boxes: Mailboxes,
        post: Post,
        *,
        plan: Callable[[], Plan],
        alarm: Callable[[str], object],
    ) -> None:
        self._boxes = boxes
        self._alarm = alarm
        self._notices = Notices(boxes, post, plan=plan, alarm=alarm)
        boxes.arrived = self._notices.arrived

    def register(self, destinations: Destinations, features: Features) -> None:
        """Let callers and owners find their boxes."""
        Voicemail(self._boxes).register(destinations, features)

    def light(self, lamps: MessageWaiting) -> None:
        """Let the lamps of phones show what waits."""
        lamps.counts = self._boxes.counts
        self._boxes.changed = lamps.changed

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Read the boxes, begin to write, and mend in the background what a crash left."""
        await self._boxes.load()
        self._boxes.writer.start()
        stack.push_async_callback(self._boxes.close)
        stack.push_async_callback(self._notices.close)
        recovery = asyncio.get_running_loop().create_task(
            recover(self._boxes, self._alarm), name="recovery of voicemail"
        )
        recovery.add_done_callback(_recovered)
        stack.callback(recovery.cancel)

    def forget(self, before: float) -> None:
        """Delete messages that were heard, and left before that time (wall)."""
        self._boxes.forget_heard(before)


def _recovered(recovery: asyncio.Task[object]) -> None:
    if not recovery.cancelled() and (error := recovery.exception()) is not None:
        log.error("voicemail could not be mended", exc_info=error)
