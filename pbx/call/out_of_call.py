"""Requests that belong to no call: REGISTER and SUBSCRIBE of phones, and what phones answer to our
OPTIONS and NOTIFY.

Which of them goes to whom, and how a refusal is sent: at once, or later to somebody who guesses
passwords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pbx.call.admission import Refusal
from pbx.call.message_waiting import MessageWaiting
from pbx.call.registration import Registrations
from pbx.sip import events as sip
from pbx.sip.settings import AgentSettings
from pbx.sip.user_agent import UserAgent

ALLOW = (("Allow", ", ".join(AgentSettings().allow)),)
"""What a 405 says; a method that only calls know is 405 outside them too."""


class OutOfCall:
    """Gives each event that is about no call to whom it concerns."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        registrations: Registrations,
        message_waiting: MessageWaiting,
        transmit_soon: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._ua = ua
        self._registrations = registrations
        self._message_waiting = message_waiting
        self._transmit_soon = transmit_soon
        self._now = now

    def take(self, event: sip.UserAgentEvent) -> None:
        """Act on an event; one about a leg that ended a moment ago has no effect."""
        match event:
            case sip.RequestReceived(invite=None):
                self._receive(event)
            case sip.RequestAnswered():
                self._registrations.answered(event)
                self._message_waiting.answered(event)
            case sip.RequestFailed():
                self._registrations.failed(event)
                self._message_waiting.failed(event)
            case sip.SubscriptionEnded():
                self._message_waiting.ended(event)
            case _:
                pass

    def _receive(self, event: sip.RequestReceived) -> None:
        match event.request.method:
            case "REGISTER":
                refusal = self._registrations.receive(event)
            case "SUBSCRIBE":
                refusal = self._message_waiting.receive(event)
            case _:
                refusal = Refusal(405, ALLOW)
        if refusal is not None:
            self.refuse(event.transaction, refusal)

    def refuse(self, transaction: sip.TransactionId, refusal: Refusal) -> None:
        """Turn a request down, after the delay that the refusal names."""
        if refusal.delay > 0:
            asyncio.get_running_loop().call_later(
                refusal.delay, self._respond, transaction, refusal
            )
        else:
            self._respond(transaction, refusal)

    def _respond(self, transaction: sip.TransactionId, refusal: Refusal) -> None:
        self._ua.respond(transaction, refusal.status, headers=refusal.headers, now=self._now())
        self._transmit_soon()
