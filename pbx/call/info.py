"""INFO in a call (RFC 6086): keys as two kinds of phones send them, everything else passed on.

Keys: `application/dtmf-relay` ("Signal=5", "Duration=160") and `application/dtmf` (the bare digit).
Neither is an RFC; both are what desk phones call "SIP INFO". A key goes on as the other side takes
keys: as a telephone-event; where it takes none, as INFO, and where it refuses that too, as tones.
Keys that may begin a code of a call are withheld as they are in RTP.

What the other side answers to any other INFO goes back, unless it speaks of that side's dialog or
asks for a password: then it would end this side's dialog too (RFC 5057), and becomes 500.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pbx.call import in_dialog
from pbx.errors import MessageError
from pbx.media.keys.codes import Completed, Verdict
from pbx.sip import events as sip
from pbx.sip.message import Request

if TYPE_CHECKING:
    from pbx.call.leg import Leg

DIGITS = frozenset("0123456789*#ABCD")
_MAX_BODY = 256  # octets of a body that may hold a key
_MAX_DURATION_MS = 60_000
_SENT_MS = 100
_PASSED_BACK = frozenset({413, 415, 469, 488})
_NUMBERED = {"10": "*", "11": "#"}  # some phones number the two as RFC 4733 does


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key, and how long it was held (milliseconds, 0 where nobody said)."""

    digit: str
    duration_ms: int = 0


def received(leg: Leg, event: sip.RequestReceived) -> None:
    """Report a key and let the other side have it; pass any other INFO on where there is one."""
    press, other = read_key(event.request), leg.other
    if press is not None:
        leg.respond_to(event.transaction, 200)
        leg.pressed(press.digit, press.duration_ms, "info")
        pass_on(leg, press.digit)
    elif event.request.body and other is not None and other.up:
        _forward(event, origin=leg, to=other)
    else:
        leg.respond_to(event.transaction, 415 if event.request.body else 200)


def pass_on(leg: Leg, digit: str) -> None:
    """Send a key to the other side as it hears keys, unless it may belong to a code."""
    if leg.codes is None:
        _send(leg, digit)
        return
    now = leg.call.exchange.now()
    _decided(leg, leg.codes.key(digit, now))
    if leg.codes.due is not None:
        delay = max(0.0, leg.codes.due - now)
        asyncio.get_running_loop().call_later(delay, _expire, leg)


def _expire(leg: Leg) -> None:
    if leg.up and leg.codes is not None:
        _decided(leg, leg.codes.expire(leg.call.exchange.now()))


def _decided(leg: Leg, verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if isinstance(verdict, Completed):
            leg.call.exchange.code_heard(leg, verdict.code)
        else:
            _send(leg, verdict.digit)


def _send(leg: Leg, digit: str) -> None:
    other = leg.other
    if other is None or not other.up:
        return
    if other.media.takes_events:
        other.media.send_digits(digit)
        return
    body = f"Signal={digit}\r\nDuration={_SENT_MS}\r\n".encode()
    in_dialog.send(
        other,
        "INFO",
        body=body,
        content_type="application/dtmf-relay",
        then=partial(_sent, other, digit),
    )


def _sent(leg: Leg, digit: str, outcome: sip.RequestAnswered | sip.RequestFailed | None) -> None:
    """Let a party hear the key whose phone takes none by INFO."""
    taken = isinstance(outcome, sip.RequestAnswered) and outcome.response.status < 300
    if not taken and leg.up:
        leg.media.send_digits(digit)


def _forward(event: sip.RequestReceived, *, origin: Leg, to: Leg) -> None:
    """Send an INFO on to `to`; its answer becomes the answer to `origin`."""
    in_dialog.send(
        to,
        "INFO",
        body=event.request.body,
        content_type=event.request.headers.get("Content-Type"),
        then=partial(_pass_back, origin, event.transaction),
    )


def _pass_back(
    origin: Leg,
    transaction: sip.TransactionId,
    outcome: sip.RequestAnswered | sip.RequestFailed | None,
) -> None:
    status = outcome.response.status if isinstance(outcome, sip.RequestAnswered) else 500
    origin.respond_to(transaction, status if status < 300 or status in _PASSED_BACK else 500)


def read_key(request: Request) -> KeyPress | None:
    """Return the key that an INFO carries; None when it carries none."""
    try:
        content_type = request.content_type
    except MessageError:
        return None
    if request.method != "INFO" or content_type is None or len(request.body) > _MAX_BODY:
        return None
    text = request.body.decode("latin-1")
    if content_type.full == "application/dtmf":
        return _press(text.strip(), "")
    if content_type.full != "application/dtmf-relay":
        return None
    fields = dict(_pairs(text))
    return _press(fields.get("signal", ""), fields.get("duration", ""))


def _pairs(text: str) -> list[tuple[str, str]]:
    lines = (line.partition("=") for line in text.splitlines())
    return [(name.strip().lower(), value.strip()) for name, found, value in lines if found]


def _press(signal: str, duration: str) -> KeyPress | None:
    digit = _NUMBERED.get(signal, signal).upper()
    if digit not in DIGITS:
        return None
    held = int(duration) if duration.isascii() and duration.isdigit() and len(duration) < 6 else 0
    return KeyPress(digit, min(held, _MAX_DURATION_MS))
