"""Requests that belong to no call: REGISTER and SUBSCRIBE of phones, and what phones answer to our
OPTIONS and NOTIFY.

Which of them goes to whom, and how a refusal is sent: at once, or later to somebody who guesses
passwords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from pbx.call.admission import Admission, DirectoryLookup, Refusal
from pbx.call.message_waiting import MessageWaiting
from pbx.call.registration import BindingKeeper, Registrations
from pbx.sip import events as sip
from pbx.sip.flow import Address, Flow
from pbx.sip.registrar import Registrar
from pbx.sip.settings import AgentSettings
from pbx.sip.user_agent import UserAgent

ALLOW = (("Allow", ", ".join(AgentSettings().allow)),)
"""What a 405 says; a method that only calls know is 405 outside them too."""


class Outward(Protocol):
    """What is needed of the transport."""

    def transmit_soon(self) -> None:
        """Send what the user agent has queued, once the current work is done."""

    def advertise(self, flow: Flow) -> Address:
        """Return the address that the remote of `flow` should see as ours."""


class OutOfCall:
    """Gives each event that is about no call to whom it concerns: `registrations` and
    `message_waiting`, which it makes."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        admission: Admission,
        registrar: Registrar,
        directory: DirectoryLookup,
        keeper: BindingKeeper,
        outward: Outward,
        now: Callable[[], float],
        alarm: Callable[[str], None],
    ) -> None:
        self._ua = ua
        self._transmit_soon = outward.transmit_soon
        self._now = now
        self.message_waiting = MessageWaiting(
            ua,
            admission=admission,
            registrar=registrar,
            directory=directory,
            advertise=outward.advertise,
            transmit_soon=outward.transmit_soon,
            now=now,
        )
        self.registrations = Registrations(
            ua,
            admission=admission,
            registrar=registrar,
            directory=directory,
            keeper=keeper,
            message_waiting=self.message_waiting,
            transmit_soon=outward.transmit_soon,
            now=now,
            alarm=alarm,
        )

    def take(self, event: sip.UserAgentEvent) -> None:
        """Act on an event; one about a leg that ended a moment ago has no effect."""
        match event:
            case sip.RequestReceived(invite=None):
                self._receive(event)
            case sip.RequestAnswered():
                self.registrations.answered(event)
                self.message_waiting.answered(event)
            case sip.RequestFailed():
                self.registrations.failed(event)
                self.message_waiting.failed(event)
            case sip.SubscriptionEnded():
                self.message_waiting.ended(event)
            case _:
                pass

    def _receive(self, event: sip.RequestReceived) -> None:
        match event.request.method:
            case "REGISTER":
                refusal = self.registrations.receive(event)
            case "SUBSCRIBE":
                refusal = self.message_waiting.receive(event)
            case "REFER":
                refusal = Refusal(403)  # nobody is referred who is in no call
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
