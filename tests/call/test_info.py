"""Keys in INFO bodies."""

from __future__ import annotations

import pytest

from pbx.call.info import KeyPress, read_key
from pbx.sip.message import Request, parse_message


def info(body: str, content_type: str = "application/dtmf-relay", method: str = "INFO") -> Request:
    text = (
        f"{method} sip:a@192.0.2.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
        "From: <sip:b@192.0.2.9>;tag=1\r\nTo: <sip:a@192.0.2.1>;tag=2\r\n"
        f"Call-ID: x\r\nCSeq: 1 {method}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("body", "press"),
    [
        ("Signal=5\r\nDuration=160\r\n", KeyPress("5", 160)),
        ("signal = # \nduration = 100", KeyPress("#", 100)),
        ("Signal=10\r\nDuration=250", KeyPress("*", 250)),
        ("Signal=11", KeyPress("#", 0)),
        ("Signal=d\r\nDuration=soon", KeyPress("D", 0)),
    ],
)
def test_dtmf_relay(body: str, press: KeyPress) -> None:
    assert read_key(info(body)) == press


def test_the_bare_digit() -> None:
    assert read_key(info("7", "application/dtmf")) == KeyPress("7")


@pytest.mark.parametrize("body", ["", "Signal=", "Signal=55", "Duration=100", "x" * 300])
def test_no_key(body: str) -> None:
    assert read_key(info(body)) is None


def test_other_bodies_and_methods_hold_no_key() -> None:
    assert read_key(info("Signal=5", "application/media_control+xml")) is None
    assert read_key(info("Signal=5", method="MESSAGE")) is None
