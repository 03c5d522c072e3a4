"""The tables of all transactions: which one a message belongs to (RFC 3261 §17.1.3, §17.2.3).

Decided here: matching, by branch or by the rules of RFC 2543; merged requests (§8.2.2.2); where
responses go (§18.2.2, RFC 3581); what becomes of transactions whose stream closes. What a
transaction does on an input is `transaction.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pbx.sip.flow import Address, Flow
from pbx.sip.machine import ClientTransaction, ServerTransaction, Transaction, TransactionUser
from pbx.sip.transaction import TIMER_LENGTHS, Input

if TYPE_CHECKING:
    from pbx.sip.deadlines import Deadlines
    from pbx.sip.headers import Via
    from pbx.sip.message import Request, Response
    from pbx.sip.settings import Timers
    from pbx.sip.writing import RequestHead

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}

Key = tuple[object, ...]


class TransactionLayer:
    """All client and server transactions of a user agent. `outbox` collects what is to be sent."""

    def __init__(
        self, timers: Timers, deadlines: Deadlines, outbox: list[tuple[bytes, Flow]]
    ) -> None:
        self.lengths = (_lengths(timers, stream=False), _lengths(timers, stream=True))
        self.t2 = timers.t2
        self.arm = deadlines.arm
        self._outbox = outbox
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._originals: dict[Key, ServerTransaction] = {}
        self._by_flow: dict[Flow, dict[Transaction, None]] = {}  # dicts as ordered sets

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def send(self, message: bytes, flow: Flow) -> None:
        """Put a message into the outbox."""
        self._outbox.append((message, flow))

    # Client transactions.

    def start_client(
        self,
        head: RequestHead,
        method: str,
        *,
        via: str,
        branch: str,
        message: bytes,
        flow: Flow,
        user: TransactionUser,
        now: float,
    ) -> ClientTransaction:
        """Send `message` and wait for its responses. `method` is that of `head`, or CANCEL."""
        key = (branch, method)
        transaction = ClientTransaction(
            self, key, head, method, via, branch, message, flow, user, now
        )
        self._clients[key] = transaction
        self._by_flow.setdefault(flow, {})[transaction] = None
        return transaction

    def receive_response(self, response: Response, now: float) -> bool:
        """Give a response to its transaction; return False where there is none (§17.1.3)."""
        transaction = self._clients.get((response.via.branch, response.cseq.method))
        if transaction is None:
            return False
        transaction.receive(response, now)
        return True

    def sent(self, branch: str | None, method: str) -> ClientTransaction | None:
        """Return our own transaction with this branch: the request in hand once passed here."""
        return self._clients.get((branch, method))

    # Server transactions.

    def find_server(self, request: Request, method: str) -> ServerTransaction | None:
        """Return the transaction that `request` belongs to if its method were `method`
        (§17.2.3)."""
        return self._servers.get(_server_key(request, method))

    def find_original(self, key: Key) -> ServerTransaction | None:
        """Return the transaction in progress of a request with this `merge_key` (§8.2.2.2)."""
        return self._originals.get(key)

    def start_server(
        self, request: Request, flow: Flow, now: float, *, merge_key: Key | None = None
    ) -> ServerTransaction:
        """Make the transaction of a new request, which came on `flow` and has its Via stamped."""
        key = _server_key(request, request.method)
        back = response_flow(request.via, flow)
        transaction = ServerTransaction(self, key, request.method, back, now)
        self._servers[key] = transaction
        if merge_key is not None:
            transaction.merge_key = merge_key
            self._originals[merge_key] = transaction
        if flow.reliable:
            port = request.via.port or DEFAULT_PORT.get(flow.transport, 5060)
            transaction.alternative = flow._replace(remote=(flow.remote[0], port))
            self._by_flow.setdefault(flow, {})[transaction] = None
        return transaction

    def forget(self, transaction: Transaction) -> None:
        """Take a terminated transaction out of all tables."""
        users = self._by_flow.get(transaction.flow)
        if users is not None:
            users.pop(transaction, None)
            if not users:
                del self._by_flow[transaction.flow]
        if isinstance(transaction, ServerTransaction):
            self._drop(self._servers, transaction.key, transaction)
            if transaction.merge_key is not None:
                self._drop(self._originals, transaction.merge_key, transaction)
        else:
            self._clients.pop(transaction.key, None)

    @staticmethod
    def _drop(
        table: dict[Key, ServerTransaction], key: Key, transaction: ServerTransaction
    ) -> None:
        if table.get(key) is transaction:
            del table[key]

    # Flows.

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Fail the requests that wait on a closed stream; responses take the way of §18.2.2."""
        for transaction in self._by_flow.pop(flow, ()):
            if isinstance(transaction, ServerTransaction) and transaction.alternative is not None:
                transaction.flow, transaction.alternative = transaction.alternative, None
                self._by_flow.setdefault(transaction.flow, {})[transaction] = None
            else:
                self._fail(transaction, now)

    def flow_failed(self, flow: Flow, now: float) -> None:
        """Fail every transaction that has no other way than `flow`."""
        for transaction in self._by_flow.pop(flow, ()):
            self._fail(transaction, now)

    def _fail(self, transaction: Transaction, now: float) -> None:
        tell = transaction.step(Input.TRANSPORT_ERROR, now)
        if tell is not None:
            transaction.tell_user(tell, now)

    def snapshot(self) -> dict[str, int]:
        """Return how many transactions are in which state, such as `INVITE client CALLING: 3`."""
        counts = Counter(_describe(item) for item in self._clients.values())
        counts.update(_describe(item) for item in self._servers.values())
        return dict(sorted(counts.items()))


def response_flow(via: Via, flow: Flow) -> Flow:
    """Return where responses to a request go that came on `flow` with this top Via (§18.2.2).

    A stream is answered on itself. With rport, UDP is answered to the source (RFC 3581). Without
    it the port of Via counts, as phones expect that send from one port and listen on another. But
    where the host of Via is not the source, its port is not one of the source's either (NAT), and
    the source is answered. `maddr` is not followed: nobody else may be made to receive.
    """
    if flow.reliable or via.wants_rport or via.host != flow.remote[0]:
        return flow
    remote: Address = (flow.remote[0], via.port or DEFAULT_PORT["udp"])
    return flow if remote == flow.remote else flow._replace(remote=remote)


def _server_key(request: Request, method: str) -> Key:
    via = request.via
    branch = via.unique_branch
    if branch is not None:
        return (branch, via.host, via.port, method)
    # RFC 2543: no branch that can be trusted, so all that a copy repeats is compared.
    number = request.cseq.number
    return (request.call_id, request.from_tag, number, str(via), request.uri_text, method)


def _lengths(timers: Timers, *, stream: bool) -> tuple[float, ...]:
    lengths = [0.0] * len(Input)
    for timer, length in TIMER_LENGTHS.items():
        lengths[timer] = length.stream(timers) if stream else length.datagram(timers)
    return tuple(lengths)


def _describe(transaction: Transaction) -> str:
    return f"{transaction.name} {transaction.state.name}"
