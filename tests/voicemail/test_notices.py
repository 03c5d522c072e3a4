"""Mails of messages: to whom, in which words, and what a failure costs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.errors import Refused
from pbx.plan.model import Defaults, Mailbox, Plan
from pbx.voicemail.notices import Notices
from tests.kit.loop import run
from tests.kit.mailboxes import MemoryMailboxes


class PostOffice:
    """Keeps what it is given, or refuses it."""

    def __init__(self, *, closed: bool = False) -> None:
        self.sent: list[tuple[str, str, str, Path | None]] = []
        self.closed = closed

    async def mail(self, to: str, subject: str, body: str, attachment: Path | None = None) -> None:
        """Take a mail."""
        if self.closed:
            raise Refused("no mail can be sent")
        self.sent.append((to, subject, body, attachment))


def mailed(
    plan: Plan, *, box: str = "101", caller: str = "13800138000", set_to: str | None = None
) -> tuple[PostOffice, MemoryMailboxes]:
    """Return what was mailed of one message."""
    post, boxes = PostOffice(), MemoryMailboxes()

    async def main() -> None:
        notices = Notices(boxes, post, plan=lambda: plan, alarm=print)
        if set_to is not None:
            boxes.set_mail(box, set_to)
        (id,) = boxes.fill(box, caller)
        message = boxes.find(id)
        assert message is not None
        notices.arrived(message)
        await asyncio.sleep(0)
        await notices.close()

    run(main())
    return post, boxes


def test_a_message_is_mailed_with_its_sound() -> None:
    post, boxes = mailed(Plan("test"), set_to="a@b.example")
    ((to, subject, body, attachment),) = post.sent
    (message,) = boxes.messages("101")
    assert to == "a@b.example"
    assert subject == "信箱 101：13800138000 的留言（0:05）"
    assert "2026-11-21 16:00" in body
    assert str(attachment) == f"/voicemail/{message.id}.wav"


def test_the_dialplan_says_where_an_office_box_is_mailed_to() -> None:
    office = {"service": Mailbox("service", mail="service@b.example")}
    post, _ = mailed(Plan("test", voicemail=office), box="service", set_to="a@b.example")
    assert [to for to, *_ in post.sent] == ["service@b.example"]


def test_no_address_no_mail() -> None:
    assert mailed(Plan("test"))[0].sent == []


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Mailbox 101: message from an unknown number (0:05)"),
        ("yue", "信箱 101：未知號碼 嘅留言（0:05）"),
        ("zh", "信箱 101：未知号码 的留言（0:05）"),
    ],
)
def test_mails_are_in_the_offices_language(language: str, subject: str) -> None:
    plan = Plan("test", defaults=Defaults(language=language))
    post, _ = mailed(plan, caller="", set_to="a@b.example")
    assert post.sent[0][1] == subject


def test_braces_in_a_name_are_only_braces() -> None:
    post, _ = mailed(Plan("test"), caller="{box}", set_to="a@b.example")
    assert "{box}" in post.sent[0][1]


def test_a_mail_that_fails_costs_nothing_but_an_alarm() -> None:
    alarms: list[str] = []

    async def main() -> None:
        boxes = MemoryMailboxes()
        boxes.set_mail("101", "a@b.example")
        notices = Notices(
            boxes, PostOffice(closed=True), plan=lambda: Plan("t"), alarm=alarms.append
        )
        (id,) = boxes.fill("101", "102")
        message = boxes.find(id)
        assert message is not None
        notices.arrived(message)
        await asyncio.sleep(0)
        assert boxes.counts("101") == (1, 0)

    run(main())
    assert alarms == [
        "the message in mailbox 101 was not mailed to a@b.example: no mail can be sent"
    ]
