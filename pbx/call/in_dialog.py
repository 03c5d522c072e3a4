"""Requests that we send within a leg's dialog, and who waits for what comes of them: INFO, OPTIONS,
NOTIFY, UPDATE without a description."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx.call.leg_state import HeaderList
from pbx.sip import events as sip

if TYPE_CHECKING:
    from pbx.call.leg import Leg

OnOutcome = Callable[[sip.RequestAnswered | sip.RequestFailed | None], None]
"""Takes the outcome of a request in the dialog; None when the leg ended before it had one."""


def send(
    leg: Leg,
    method: str,
    *,
    headers: HeaderList = (),
    body: bytes | None = None,
    content_type: str | None = None,
    then: OnOutcome,
) -> None:
    """Send a request; `then` gets its outcome."""
    exchange = leg.call.exchange
    request = exchange.ua.request(
        leg.invite,
        method,
        headers=headers,
        body=body,
        content_type=content_type,
        now=exchange.now(),
    )
    leg.asking[request] = then
    exchange.expect_answer(request, leg)
    exchange.outward.transmit_soon()


def settled(leg: Leg, event: sip.RequestAnswered | sip.RequestFailed) -> None:
    """Give an outcome to whoever waits for it."""
    leg.call.exchange.forget_request(event.request_id)
    leg.asking.pop(event.request_id)(event)


def drop(leg: Leg) -> None:
    """Let nobody wait any longer: the leg is over."""
    waiting, leg.asking = leg.asking, {}
    for request, then in waiting.items():
        leg.call.exchange.forget_request(request)
        then(None)
