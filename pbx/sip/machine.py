"""Runs the tables of `transaction.py`: client and server transactions as objects with a state and
two timers.

Decided here: how a row is carried out, when timers start and stop. Not decided here: which
transaction a message belongs to (`transaction_layer.py`), and what a response means (the user of
the transaction).

Rows are compiled into lists indexed by the numbers of state and input, so that a step costs two
look-ups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pbx.sip.deadlines import NEVER
from pbx.sip.transaction import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    REPEATING,
    TIMER_LENGTHS,
    Do,
    Input,
    Row,
    State,
    Tell,
)

if TYPE_CHECKING:
    from pbx.sip.flow import Flow
    from pbx.sip.message import Request, Response
    from pbx.sip.writing import RequestHead


class Step(NamedTuple):
    """A row as it is run."""

    acts: tuple[Callable[[Transaction, float], None], ...]
    next: State
    tell: Tell | None


class Machine:
    """One compiled table: what to do by state and input, and the timers of each state."""

    __slots__ = ("first", "keeps", "name", "repeats", "steps", "stops")

    def __init__(self, name: str, rows: tuple[Row, ...]) -> None:
        states, inputs = len(State), len(Input)
        self.name = name
        self.first = rows[0].state
        self.steps: list[list[Step | None]] = [[None] * inputs for _ in range(states)]
        self.repeats: list[Input | None] = [None] * states
        self.stops: list[Input | None] = [None] * states
        self.keeps = [False] * states  # whether the last message may be wanted again
        for row in rows:
            if Do.RESEND in row.do or Do.ACK in row.do:
                self.keeps[row.state] = True
            acts = tuple(_ACTS[do] for do in row.do)
            self.steps[row.state][row.on] = Step(acts, row.next, row.tell)
            if row.on in TIMER_LENGTHS:
                (self.repeats if row.on in REPEATING else self.stops)[row.state] = row.on


class TransactionUser(Protocol):
    """What is told of a client transaction: the TU of RFC 3261 §17."""

    def response_received(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> None:
        """Take a response; copies of a final one come only for 2xx to INVITE."""

    def transaction_failed(self, transaction: ClientTransaction, tell: Tell, now: float) -> None:
        """Take note that no final response will come (`Tell.TIMEOUT` or `Tell.TRANSPORT`)."""


class ServerUser(Protocol):
    """What is told of a server transaction of an INVITE or re-INVITE; it answers with its tag."""

    local_tag: str

    def request_cancelled(
        self, transaction: ServerTransaction, cancel: Request, now: float
    ) -> None:
        """Answer 487: a CANCEL came before the final response."""

    def response_failed(self, transaction: ServerTransaction, tell: Tell, now: float) -> None:
        """Take note that a response did not get through."""


class Keeper(Protocol):
    """What a transaction needs of the table that holds it."""

    lengths: tuple[tuple[float, ...], tuple[float, ...]]
    """Seconds of each timer by number of its input: over UDP, over a stream."""
    t2: float

    def send(self, message: bytes, flow: Flow) -> None:
        """Send it."""

    def arm(self, transaction: Transaction, at: float) -> None:
        """Wake the transaction at this time or before."""

    def forget(self, transaction: Transaction) -> None:
        """Take the transaction, which has just terminated, out of the table."""


class Transaction:
    """What client and server transactions share: a machine, its state, two timers, the last message
    sent."""

    __slots__ = (
        "_interval",
        "_lengths",
        "_machine",
        "_repeat_at",
        "_stop_at",
        "armed_at",
        "flow",
        "keeper",
        "key",
        "last",
        "state",
    )

    def __init__(
        self, machine: Machine, keeper: Keeper, key: tuple[object, ...], flow: Flow, now: float
    ) -> None:
        self._machine = machine
        self._lengths = keeper.lengths[flow.reliable]
        self.keeper = keeper
        self.key = key
        self.flow = flow
        self.last = b""
        self.state = State.TERMINATED
        self.armed_at = self._repeat_at = self._stop_at = self._interval = NEVER
        self._enter(machine.first, now)

    @property
    def name(self) -> str:
        """Return the name of the machine, such as `INVITE client`."""
        return self._machine.name

    @property
    def answered(self) -> bool:
        """Tell whether the final response is there, or none will be."""
        return self.state > State.PROCEEDING

    def step(self, given: Input, now: float) -> Tell | None:
        """Run the row for this input; return what the user is to be told."""
        step = self._machine.steps[self.state][given]
        if step is None:
            return None
        for act in step.acts:
            act(self, now)
        if step.next is not self.state:
            self._enter(step.next, now)
        return step.tell

    def terminate(self) -> None:
        """Forget the transaction at once; the user asks for it, no row does."""
        if self.state is not State.TERMINATED:
            self._enter(State.TERMINATED, 0.0)

    def wakes_at(self) -> float:
        """Return when the earlier of the two timers fires."""
        repeat, stop = self._repeat_at, self._stop_at
        return repeat if repeat < stop else stop

    def wake(self, now: float) -> None:
        """Fire the timer that is due."""
        state = self.state
        given = (self._machine.stops if now >= self._stop_at else self._machine.repeats)[state]
        if given is not None:
            tell = self.step(given, now)
            if tell is not None:
                self.tell_user(tell, now)

    def tell_user(self, tell: Tell, now: float) -> None:
        """Pass on a timeout or a transport error; server transactions have nobody who would act on
        it."""

    def _enter(self, state: State, now: float) -> None:
        machine, left = self._machine, self.state
        lengths = self._lengths
        self.state = state
        repeat, stop = machine.repeats[state], machine.stops[state]
        if repeat is None:
            self._repeat_at = NEVER
        elif repeat is not machine.repeats[left]:
            self._interval = lengths[repeat]
            self._repeat_at = now + self._interval
        if stop is None:
            self._stop_at = NEVER
        elif stop is not machine.stops[left]:
            length = lengths[stop]
            if length == 0.0:
                self.step(stop, now)
                return
            self._stop_at = now + length
        if not machine.keeps[state]:
            self.last = b""
        if state is State.TERMINATED:
            self.keeper.forget(self)
        elif repeat is not None or stop is not None:
            self.keeper.arm(self, self.wakes_at())

    def send_last(self, now: float) -> None:
        """Put the last message on the wire (again), if there is one yet."""
        if self.last:
            self.keeper.send(self.last, self.flow)

    def double(self, now: float) -> None:
        """Repeat after twice the interval (timer A)."""
        self._interval *= 2
        self._repeat_at = now + self._interval

    def double_to_t2(self, now: float) -> None:
        """Repeat after twice the interval, at most T2 (timers E and G)."""
        self._interval = min(self._interval * 2, self.keeper.t2)
        self._repeat_at = now + self._interval

    def every_t2(self, now: float) -> None:
        """Repeat every T2 (timer E after a provisional response)."""
        self._interval = self.keeper.t2
        self._repeat_at = now + self._interval


_ACTS: dict[Do, Callable[[Transaction, float], None]] = {
    Do.SEND: Transaction.send_last,
    Do.RESEND: Transaction.send_last,
    Do.ACK: Transaction.send_last,
    Do.DOUBLE: Transaction.double,
    Do.DOUBLE_TO_T2: Transaction.double_to_t2,
    Do.EVERY_T2: Transaction.every_t2,
}

_INVITE_CLIENT = Machine("INVITE client", INVITE_CLIENT)
_NON_INVITE_CLIENT = Machine("non-INVITE client", NON_INVITE_CLIENT)
_INVITE_SERVER = Machine("INVITE server", INVITE_SERVER)
_NON_INVITE_SERVER = Machine("non-INVITE server", NON_INVITE_SERVER)

_BY_CLASS = (
    (None, Input.PROVISIONAL, Input.FINAL, Input.FINAL, Input.FINAL, Input.FINAL, Input.FINAL),
    (
        None,
        Input.PROVISIONAL,
        Input.SUCCESS,
        Input.FAILURE,
        Input.FAILURE,
        Input.FAILURE,
        Input.FAILURE,
    ),
)
"""The input that a response is, by its class: for non-INVITE, for INVITE."""


class ClientTransaction(Transaction):
    """A request of ours that waits for its final response.

    `head` and `via` are kept for the ACK to a failure and for CANCEL, which repeat them.
    """

    __slots__ = ("branch", "head", "user", "via")

    def __init__(
        self,
        keeper: Keeper,
        key: tuple[object, ...],
        head: RequestHead,
        method: str,
        via: str,
        branch: str,
        message: bytes,
        flow: Flow,
        user: TransactionUser,
        now: float,
    ) -> None:
        machine = _INVITE_CLIENT if method == "INVITE" else _NON_INVITE_CLIENT
        self.head = head
        self.via = via
        self.branch = branch
        self.user = user
        super().__init__(machine, keeper, key, flow, now)
        self.last = message
        self.send_last(now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matches."""
        given = _BY_CLASS[self._machine is _INVITE_CLIENT][response.status // 100]
        if given is Input.FAILURE and self.state <= State.PROCEEDING:
            self.last = self.head.write("ACK", self.via, to=response.headers.get("To"))
        if given is not None and self.step(given, now) is Tell.MESSAGE:
            self.user.response_received(self, response, now)

    def tell_user(self, tell: Tell, now: float) -> None:
        """Tell the user that no final response will come."""
        self.user.transaction_failed(self, tell, now)


class ServerTransaction(Transaction):
    """A request from a remote that waits for our final response, or has had it.

    `alternative` is where responses go when the stream of the request has closed (RFC 3261
    §18.2.2), `merge_key` what merged copies of the request share (§8.2.2.2).
    """

    __slots__ = ("alternative", "merge_key", "user")

    def __init__(
        self,
        keeper: Keeper,
        key: tuple[object, ...],
        method: str,
        flow: Flow,
        now: float,
    ) -> None:
        machine = _INVITE_SERVER if method == "INVITE" else _NON_INVITE_SERVER
        self.merge_key: tuple[object, ...] | None = None
        self.alternative: Flow | None = None
        self.user: ServerUser | None = None
        super().__init__(machine, keeper, key, flow, now)

    @property
    def is_invite(self) -> bool:
        """Tell whether the request is an INVITE."""
        return self._machine is _INVITE_SERVER

    def respond(self, status: int, message: bytes, now: float) -> bool:
        """Send a response; return False where the machine does not allow it any more."""
        given = _BY_CLASS[self.is_invite][status // 100]
        if given is None or self._machine.steps[self.state][given] is None:
            return False
        self.last = message
        self.step(given, now)
        return True

    def tell_user(self, tell: Tell, now: float) -> None:
        """Tell the user, where there is one, that a response did not get through."""
        if self.user is not None:
            self.user.response_failed(self, tell, now)
