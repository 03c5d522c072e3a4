"""The lamp that says that messages wait (RFC 3842): who is told, when, and in which words.

A phone that subscribed is told in its subscription. Every other registered phone is told without
having asked, after each REGISTER and whenever the counts change: so the lamp is right again after
a restart of the phone. One that refuses such a NOTIFY is left alone until it starts anew, one that
did not answer until its next REGISTER. What is sent unasked is paced, with one NOTIFY on its way to
each phone at a time; whatever changes meanwhile is one more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pbx.call.admission import Admission, DirectoryLookup, Refusal
from pbx.sip.binding import Binding, BindingKey
from pbx.sip.events import (
    RequestAnswered,
    RequestFailed,
    RequestId,
    RequestReceived,
    SubscriptionEnded,
    SubscriptionId,
)
from pbx.sip.flow import Address, Flow
from pbx.sip.grammar import printable
from pbx.sip.headers import NameAddr, Uri
from pbx.sip.registrar import Registrar
from pbx.sip.subscription import Package
from pbx.sip.uri import escape_user
from pbx.sip.user_agent import UserAgent

Counts = Callable[[str], tuple[int, int]]
"""Returns the new and the old messages in the box of an extension number; 0, 0 without a box."""


def no_boxes(_box: str) -> tuple[int, int]:
    """Count nothing: the office keeps no messages."""
    return 0, 0


SUMMARY = Package("message-summary", "application/simple-message-summary")

MAX_SUBSCRIPTIONS = 20
"""Subscriptions of one extension; a further one gets 403."""

BURST = 20
"""Unasked NOTIFYs that go out at once."""

PAUSE = 0.1
"""Seconds between two bursts."""

REFUSALS = frozenset({403, 404, 405, 481, 489, 501})
"""Answers to an unasked NOTIFY by which a phone says that it wants none."""


class MessageWaiting:
    """Keeps the lamps of all phones right."""

    def __init__(
        self,
        ua: UserAgent,
        *,
        admission: Admission,
        registrar: Registrar,
        directory: DirectoryLookup,
        advertise: Callable[[Flow], Address],
        transmit_soon: Callable[[], None],
        now: Callable[[], float],
        counts: Counts = no_boxes,
    ) -> None:
        self.counts = counts
        self._ua = ua
        self._admission = admission
        self._registrar = registrar
        self._directory = directory
        self._advertise = advertise
        self._transmit_soon = transmit_soon
        self._now = now
        self._subscriptions: dict[str, dict[SubscriptionId, Flow]] = {}
        self._boxes: dict[SubscriptionId, str] = {}
        self._waiting: dict[BindingKey, None] = {}
        self._asked: dict[RequestId, Binding] = {}
        self._under_way: dict[BindingKey, bool] = {}
        """Phones that have not answered yet → whether there is news since."""
        self._silent: dict[str, dict[BindingKey, str | None]] = {}
        """By box, phones that are not asked → the Call-ID of the REGISTERs that does not change
        this, None where the next REGISTER does."""
        self._pacing = False

    # -- what happens ------------------------------------------------------------------------

    def changed(self, box: str) -> None:
        """Tell every phone of an extension that the messages in its box are others now."""
        now = self._now()
        for subscription, flow in tuple(self._subscriptions.get(box, {}).items()):
            self._ua.notify(subscription, self._summary(box, flow), now=now)
        for binding in self._registrar.bindings(box, now):
            self._want(binding)
        self._transmit_soon()

    def registered(self, binding: Binding) -> None:
        """Tell a phone that has registered, or that answers again, how its box is.

        A subscription over the same flow may be from before the phone was switched off and on: the
        phone is told in it, and where it knows of none, unasked after that.
        """
        silent = self._silent.get(binding.aor, {})
        if binding.key in silent and silent[binding.key] != binding.call_id:
            del silent[binding.key]
        for subscription, flow in tuple(self._subscriptions.get(binding.aor, {}).items()):
            if _same_way(flow, binding.flow):
                summary = self._summary(binding.aor, flow)
                self._ua.notify(subscription, summary, now=self._now())
        self._want(binding)
        self._transmit_soon()

    def directory_changed(self) -> None:
        """End the subscriptions of extensions that are no more."""
        for box in [*self._subscriptions, *self._silent]:
            if self._directory.extension(box) is None:
                self._silent.pop(box, None)
                for subscription in self._subscriptions.pop(box, {}):
                    del self._boxes[subscription]
                    self._ua.end_subscription(subscription, now=self._now())
        self._transmit_soon()

    # -- subscriptions -----------------------------------------------------------------------

    def receive(self, event: RequestReceived) -> Refusal | None:
        """Act on a SUBSCRIBE; a Refusal is for the caller to send."""
        now = self._now()
        user = self._admission.authenticate(event.request, event.flow, now)
        if isinstance(user, Refusal):
            return user
        box = printable(event.request.uri.number)
        if self._directory.extension(box) is None:
            return Refusal(404)
        if box != user or len(self._subscriptions.get(box, ())) >= MAX_SUBSCRIPTIONS:
            return Refusal(403)
        subscription = self._ua.accept_subscription(
            event.transaction, SUMMARY, body=self._summary(box, event.flow), now=now
        )
        if subscription is not None:
            self._subscriptions.setdefault(box, {})[subscription] = event.flow
            self._boxes[subscription] = box
        self._transmit_soon()
        return None

    def ended(self, event: SubscriptionEnded) -> None:
        """Forget a subscription; where its last NOTIFY may be lost, tell the phones unasked."""
        box = self._boxes.pop(event.subscription, None)
        if box is None:
            return
        others = self._subscriptions[box]
        del others[event.subscription]
        if not others:
            del self._subscriptions[box]
        if event.slug in ("dialog_gone", "transport"):
            for binding in self._registrar.bindings(box, self._now()):
                self._want(binding)

    # -- unasked -----------------------------------------------------------------------------

    def answered(self, event: RequestAnswered) -> None:
        """Note what a phone answered to our NOTIFY; without effect when the request was another."""
        binding = self._asked.pop(event.request_id, None)
        if binding is not None:
            self._settle(binding, event.response.status)

    def failed(self, event: RequestFailed) -> None:
        """Note that a phone did not answer; without effect when the request was another."""
        binding = self._asked.pop(event.request_id, None)
        if binding is not None:
            self._settle(binding, event.status)

    def _settle(self, binding: Binding, status: int) -> None:
        news = self._under_way.pop(binding.key)
        if status in REFUSALS:
            self._silence(binding, binding.call_id)
        elif status in (408, 503):
            self._silence(binding, None)
        elif news:
            self._want(binding)

    def _silence(self, binding: Binding, call_id: str | None) -> None:
        silent = self._silent.setdefault(binding.aor, {})
        live = {each.key for each in self._registrar.bindings(binding.aor, self._now())}
        for key in silent.keys() - live:
            del silent[key]
        silent[binding.key] = call_id

    def _want(self, binding: Binding) -> None:
        """Let a phone be told soon, unless it wants nothing or has subscribed."""
        key = binding.key
        flows = self._subscriptions.get(binding.aor, {}).values()
        if key in self._silent.get(binding.aor, ()) or not binding.reachable:
            return
        if any(_same_way(flow, binding.flow) for flow in flows):
            return
        if key in self._under_way:
            self._under_way[key] = True
            return
        self._waiting[key] = None
        if not self._pacing:
            self._pacing = True
            asyncio.get_running_loop().call_soon(self._send_some)

    def _send_some(self) -> None:
        """Send a burst; the pause after it is kept even where nobody waits any more."""
        keys = [key for key, _ in zip(self._waiting, range(BURST), strict=False)]
        for key in keys:
            del self._waiting[key]
            self._send(key)
        self._pacing = bool(keys)
        if keys:
            asyncio.get_running_loop().call_later(PAUSE, self._send_some)
            self._transmit_soon()

    def _send(self, key: BindingKey) -> None:
        now = self._now()
        live = self._registrar.bindings(key[0], now)
        binding = next((each for each in live if each.key == key), None)
        if binding is None:
            return
        account = NameAddr(None, self._account(binding.aor, binding.flow))
        request = self._ua.send(
            "NOTIFY",
            binding.contact,
            destinations=(binding.flow,),
            to=account,
            from_=account,
            route=binding.path,
            headers=(("Event", SUMMARY.name), ("Subscription-State", "terminated")),
            content_type=SUMMARY.content_type,
            body=self._summary(binding.aor, binding.flow),
            now=now,
        )
        self._asked[request] = binding
        self._under_way[key] = False

    # -- the words ---------------------------------------------------------------------------

    def _account(self, box: str, flow: Flow) -> Uri:
        return Uri("sip", escape_user(box), None, self._advertise(flow)[0])

    def _summary(self, box: str, flow: Flow) -> bytes:
        return message_summary(self._account(box, flow), *self.counts(box))

    def snapshot(self) -> dict[str, int]:
        """Return how many subscriptions there are, and phones that wait, answer or are silent."""
        return {
            "subscriptions": len(self._boxes),
            "waiting": len(self._waiting),
            "under_way": len(self._under_way),
            "silent": sum(map(len, self._silent.values())),
        }


def message_summary(account: Uri, new: int, old: int) -> bytes:
    """Write how many messages are in a box (RFC 3842 §5.2); urgent ones are not told apart."""
    waiting = "yes" if new else "no"
    lines = (
        f"Messages-Waiting: {waiting}",
        f"Message-Account: {account}",
        f"Voice-Message: {new}/{old} (0/0)",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _same_way(one: Flow, other: Flow) -> bool:
    return (one.transport, one.remote) == (other.transport, other.remote)
