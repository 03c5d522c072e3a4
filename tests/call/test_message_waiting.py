"""What a message summary says (RFC 3842 §5.2)."""

from __future__ import annotations

import pytest

from pbx.call.message_waiting import message_summary, no_boxes
from pbx.sip.headers import Uri


@pytest.mark.parametrize(
    ("new", "old", "waiting"), [(0, 0, "no"), (1, 0, "yes"), (2, 8, "yes"), (0, 100, "no")]
)
def test_only_new_messages_wait(new: int, old: int, waiting: str) -> None:
    summary = message_summary(Uri.parse("sip:101@192.0.2.1"), new, old)
    assert summary.decode().split("\r\n") == [
        f"Messages-Waiting: {waiting}",
        "Message-Account: sip:101@192.0.2.1",
        f"Voice-Message: {new}/{old} (0/0)",
        "",
    ]


def test_an_address_of_ipv6_is_in_brackets() -> None:
    summary = message_summary(Uri("sip", "101", None, "2001:db8::1"), 0, 0)
    assert b"Message-Account: sip:101@[2001:db8::1]\r\n" in summary


def test_an_office_without_boxes_has_no_messages() -> None:
    assert no_boxes("101") == (0, 0)
