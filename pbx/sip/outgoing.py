"""A request on its way: it is tried at one destination after the other until one answers.

Decided here: which destination comes next (RFC 3263 §4.3) and when, and that a large request goes
by a stream where the remote takes one, else by UDP after all (RFC 3261 §18.1.1). Each attempt is a
transaction of its own with its own branch. What the response means is the owner's business, but for
the challenges of a carrier whose `Account` the request has: those are answered here (§22.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from pbx.sip.account import Account, Proofs
from pbx.sip.deadlines import NEVER
from pbx.sip.transaction import Tell

if TYPE_CHECKING:
    from pbx.sip.endpoint import Endpoint
    from pbx.sip.flow import Flow
    from pbx.sip.machine import ClientTransaction
    from pbx.sip.message import Response
    from pbx.sip.writing import RequestHead


class RequestOwner(Protocol):
    """Who wants to know what became of a request."""

    def response_received(self, outgoing: Outgoing, response: Response, now: float) -> None:
        """Take a response: provisional ones, the final one, copies of a 2xx to INVITE."""

    def unanswered(self, outgoing: Outgoing, status: int, slug: str, now: float) -> None:
        """Take note that no destination answered: 408 "timeout" or 503 "transport"."""

    def abandoned(self, outgoing: Outgoing, transaction: ClientTransaction) -> None:
        """Take over an attempt that was given up and may still be answered."""


class Nobody:
    """The owner of a request whose outcome changes nothing."""

    def response_received(self, sender: object, response: Response, now: float) -> None:
        """Ignore it."""

    def transaction_failed(self, sender: object, tell: Tell, now: float) -> None:
        """Ignore it."""

    def unanswered(self, sender: object, status: int, slug: str, now: float) -> None:
        """Ignore it."""

    def abandoned(self, sender: object, transaction: ClientTransaction) -> None:
        """Hear no more of it."""
        transaction.user = NOBODY


NOBODY = Nobody()


class Outgoing:
    """One request and its attempts. `flow` is where the latest one went, `pending` its transaction
    while that waits for the final response.

    `contact` is the user part of the Contact to add, None for requests without one. With `moves_on`
    a destination that stays silent, or answers 408 or 503, is left for the next one; after
    `silent_after` seconds without any response so is the last one, and nobody answered. `renew`
    returns the head of the request that goes out again with the answer to a challenge of `account`.
    """

    __slots__ = (
        "_body",
        "_by_stream",
        "_contact",
        "_endpoint",
        "_extra",
        "_flows",
        "_given_time",
        "_moves_on",
        "_owner",
        "_proofs",
        "_quiet_at",
        "_renew",
        "_silent_after",
        "armed_at",
        "flow",
        "head",
        "pending",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        head: RequestHead,
        flows: Iterable[Flow],
        owner: RequestOwner,
        now: float,
        *,
        contact: str | None = None,
        extra: str = "",
        body: bytes | None = None,
        moves_on: bool = False,
        silent_after: float | None = None,
        account: Account | None = None,
        renew: Callable[[], RequestHead] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._flows = list(flows)
        self._owner = owner
        self._contact = contact
        self._extra = extra
        self._body = body
        self._moves_on = moves_on
        self._silent_after = silent_after
        self._proofs = None if account is None else Proofs(account)
        self._renew = renew or self._next_head
        self._by_stream = self._given_time = False
        self._quiet_at = self.armed_at = NEVER
        self.head = head
        self.flow = self._flows[0]
        self.pending: ClientTransaction | None = None
        self._try_next(now)

    def stop(self) -> None:
        """Try no further destination, and prove nothing."""
        self._flows.clear()
        self._proofs = None
        self._quiet_at = NEVER

    @property
    def proof(self) -> str:
        """Return the header lines that prove who sends it; its ACK repeats them (§22.1)."""
        return "" if self._proofs is None else self._proofs.lines

    def forget(self) -> None:
        """Wait no longer: no response is wanted any more."""
        if self.pending is not None:
            self.pending.terminate()
            self.pending = None

    def response_received(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> None:
        """Move on where another destination may do better, else pass the response on."""
        self._quiet_at = NEVER
        if self._flows:
            if self._by_stream:
                del self._flows[0]  # The stream works: the same host by UDP is no alternative.
            if self._flows and self._moves_on and response.status in (408, 503):
                self._try_next(now)
                return
            self._flows.clear()
        if self._proved(response):
            self._flows.append(self.flow)
            self._try_next(now)
            return
        if response.status >= 200:
            self.pending = None
        self._owner.response_received(self, response, now)

    def transaction_failed(self, transaction: ClientTransaction, tell: Tell, now: float) -> None:
        """Move on, or tell the owner that there is nowhere left to go."""
        self.pending = None
        if self._flows:
            self._move_on(now)
        elif tell is Tell.TIMEOUT:
            self._owner.unanswered(self, 408, "timeout", now)
        else:
            self._owner.unanswered(self, 503, "transport", now)

    def wakes_at(self) -> float:
        """Return when silence has lasted long enough."""
        return self._quiet_at

    def wake(self, now: float) -> None:
        """Leave the destination that stayed silent, but give a stream that did open its time."""
        self._quiet_at = NEVER
        if not self._flows:
            self._give_up(now)
        elif self._by_stream and not self._given_time and self.flow in self._endpoint.open_flows:
            self._given_time = True
            self._watch(now, self._endpoint.settings.failover_after)
        else:
            if self.pending is not None:
                self._owner.abandoned(self, self.pending)
            self._move_on(now)

    def _give_up(self, now: float) -> None:
        """Wait no longer for the last destination, which has not said a word."""
        pending, self.pending = self.pending, None
        if pending is not None:
            self._owner.abandoned(self, pending)
            self._owner.unanswered(self, 408, "silent", now)

    def _proved(self, response: Response) -> bool:
        """Tell whether the response is a challenge that the next attempt answers."""
        proofs, head = self._proofs, self.head
        if proofs is None or not proofs.answer(
            response,
            remote=self.flow.remote,
            method=head.method,
            uri=head.uri,
            cnonce=self._endpoint.token,
        ):
            return False
        self.head = self._renew()
        return True

    def _next_head(self) -> RequestHead:
        return self.head.again()

    def _move_on(self, now: float) -> None:
        if self._by_stream:
            self._endpoint.note_no_stream(self.flow.remote, now)
        self._try_next(now)

    def _try_next(self, now: float) -> None:
        settings = self._endpoint.settings
        flow = self._flows.pop(0)
        branch, via, message = self._write(flow)
        stream = self._stream_for(flow, now) if len(message) > settings.max_udp else None
        if stream is not None:
            self._flows.insert(0, flow)
            flow = stream
            branch, via, message = self._write(flow)
        self.flow = flow
        self._by_stream = stream is not None
        self._given_time = flow in self._endpoint.open_flows
        if self._flows and self._moves_on:
            opens = self._by_stream and not self._given_time
            self._watch(now, settings.stream_try if opens else settings.failover_after)
        elif self._silent_after is not None:
            self._watch(now, self._silent_after)
        self.pending = self._endpoint.transactions.start_client(
            self.head,
            self.head.method,
            via=via,
            branch=branch,
            message=message,
            flow=flow,
            user=self,
            now=now,
        )

    def _write(self, flow: Flow) -> tuple[str, str, bytes]:
        branch, via = self._endpoint.via(flow)
        extra = self._extra + self.proof
        if self._contact is not None:
            sips = self.head.uri.startswith("sips:")
            extra = self._endpoint.contact_line(flow, self._contact, sips=sips) + extra
        return branch, via, self.head.write(self.head.method, via, extra=extra, body=self._body)

    def _stream_for(self, flow: Flow, now: float) -> Flow | None:
        if flow.reliable:
            return None
        stream = flow._replace(transport="tcp")
        if stream in self._endpoint.open_flows:
            return stream
        worth_a_try = self._moves_on and self._endpoint.takes_stream(flow.remote, now)
        return stream if worth_a_try else None

    def _watch(self, now: float, seconds: float) -> None:
        self._quiet_at = now + seconds
        self._endpoint.deadlines.arm(self, self._quiet_at)
