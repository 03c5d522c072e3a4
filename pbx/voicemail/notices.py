"""The mail that tells of a message, with its sound attached, in the office's language.

It goes to the address that the dialplan names for the box, else to the one that was set for it. The
message is in its box already: whatever becomes of the mail, it stays there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pbx.errors import CallpbxError
from pbx.plan.model import Plan
from pbx.voicemail.boxes import Boxes, Message, Post

log = logging.getLogger(__name__)


class Texts(NamedTuple):
    """The words of a mail; `unknown` stands for a number that is not known."""

    subject: str
    body: str
    unknown: str


TEXTS: Final[Mapping[str, Texts]] = {
    "zh": Texts(
        "信箱 {box}：{caller} 的留言（{length}）",
        "{caller} 于 {at} 在信箱 {box} 留言，时长 {length}。\n\n留言录音见附件，信箱里也有一份。\n",
        "未知号码",
    ),
    "yue": Texts(
        "信箱 {box}：{caller} 嘅留言（{length}）",
        "{caller} 喺 {at} 喺信箱 {box} 留言，長 {length}。\n\n留言錄音喺附件，信箱入面都有一份。\n",
        "未知號碼",
    ),
    "en": Texts(
        "Mailbox {box}: message from {caller} ({length})",
        "{caller} left a message in mailbox {box} at {at}. It is {length} long.\n\n"
        "The message is attached, and it is in the mailbox too.\n",
        "an unknown number",
    ),
}
"""By language; Mandarin for one that is not named."""


class Notices:
    """Mails messages as they arrive. `plan` returns the dialplan in force, `alarm` takes one
    sentence that an administrator should know."""

    def __init__(
        self,
        boxes: Boxes,
        post: Post,
        *,
        plan: Callable[[], Plan],
        alarm: Callable[[str], object],
    ) -> None:
        self._boxes = boxes
        self._post = post
        self._plan = plan
        self._alarm = alarm
        self._tasks: set[asyncio.Task[None]] = set()

    def arrived(self, message: Message) -> None:
        """Mail a message, if its box has an address; nobody waits for it."""
        plan = self._plan()
        office = plan.voicemail.get(message.box)
        to = (office.mail if office is not None else None) or self._boxes.mail(message.box)
        if to is not None:
            task = asyncio.get_running_loop().create_task(
                self._mail(to, message, plan), name=f"mail of message {message.id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._sent)

    async def close(self) -> None:
        """Give up what is not sent."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _mail(self, to: str, message: Message, plan: Plan) -> None:
        texts = TEXTS.get(plan.defaults.language, TEXTS["zh"])
        values = _values(message, plan, texts)
        file = self._boxes.file(message.id)
        attachment = Path(file) if file is not None else None
        try:
            await self._post.mail(
                to,
                texts.subject.format_map(values),
                texts.body.format_map(values),
                attachment=attachment,
            )
        except CallpbxError as error:
            self._alarm(f"the message in mailbox {message.box} was not mailed to {to}: {error}")

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)


def _values(message: Message, plan: Plan, texts: Texts) -> dict[str, str]:
    minutes, seconds = divmod(round(message.seconds or 0.0), 60)
    number = message.caller or texts.unknown
    at = datetime.fromtimestamp(message.at, UTC).astimezone(ZoneInfo(plan.defaults.timezone))
    return {
        "box": message.box,
        "caller": f"{message.caller_name} ({number})" if message.caller_name else number,
        "at": f"{at:%Y-%m-%d %H:%M}",
        "length": f"{minutes}:{seconds:02d}",
    }
