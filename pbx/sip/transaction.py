"""The four transaction machines of RFC 3261 §17 with the corrections of RFC 6026, one table each.

Rule 1: every state, input and timer of a transaction is in these tables. Rule 2: this file does not
know dialogs, nor what an INVITE is for; what a transaction tells its user (the TU of the RFC) is in
the last column.

Theory of operation. A row reads: in this state, on this input, do this, be in that state, tell the
user. An input without a row is ignored: late provisional responses, 300–699 behind a 2xx, an ACK
too many. The inputs PROVISIONAL, SUCCESS and FAILURE (FINAL where the machine does not tell them
apart) are received by clients and sent by servers. Timers need no column: a state runs the timers
that its rows name. Entering it starts them, leaving it stops them, and one that both states name
runs on (F from Trying to Proceeding). Their lengths are in `TIMER_LENGTHS`.

Traps. A 2xx to an INVITE is retransmitted by the user, not here, and its ACK is a request of its
own that matches no transaction; ACCEPTED (RFC 6026) is there on both sides so that retransmitted
INVITEs are absorbed and 2xx of further branches of a fork still find their INVITE. The ACK to
300–699 is made here. CANCEL is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum, auto
from typing import NamedTuple

from pbx.sip.deadlines import NEVER
from pbx.sip.settings import Timers


class State(IntEnum):
    """The states of all four machines (RFC 3261 §17, RFC 6026 §7)."""

    CALLING = 0
    TRYING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Input(IntEnum):
    """What can happen to a transaction."""

    REQUEST = 0
    """The request came again."""
    ACK = auto()
    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    """300–699."""
    FINAL = auto()
    """200–699."""
    TRANSPORT_ERROR = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()
    TIMER_L = auto()
    TIMER_M = auto()


class Do(Enum):
    """What a transaction does on the wire and with the timer that repeats."""

    SEND = "send it"
    RESEND = "resend the last message"
    ACK = "send ACK"
    DOUBLE = "double the interval"
    DOUBLE_TO_T2 = "double the interval up to T2"
    EVERY_T2 = "interval T2"


class Tell(Enum):
    """What a transaction tells its user."""

    MESSAGE = "the message"
    TIMEOUT = "timeout"
    TRANSPORT = "transport error"


class Row(NamedTuple):
    """One line of a machine."""

    state: State
    on: Input
    do: tuple[Do, ...]
    next: State
    tell: Tell | None


def _row(state: State, on: Input, next_state: State, *also: Do | Tell) -> Row:
    tells = [item for item in also if isinstance(item, Tell)]
    return Row(
        state,
        on,
        tuple(item for item in also if isinstance(item, Do)),
        next_state,
        tells[0] if tells else None,
    )


# The tables.

CALLING, TRYING, PROCEEDING, ACCEPTED, COMPLETED, CONFIRMED, TERMINATED = State

INVITE_CLIENT = (
    # RFC 3261 §17.1.1, RFC 6026 §7.2 and §8.4. Calling: the INVITE is repeated (A) until any
    # response, 64·T1 long (B). Proceeding waits without limit; the user cancels. A failure is ACKed
    # here and its copies are ACKed again for D. Accepted passes every 2xx on for M: copies of the
    # first one, and those of other branches.
    _row(CALLING, Input.PROVISIONAL, PROCEEDING, Tell.MESSAGE),
    _row(CALLING, Input.SUCCESS, ACCEPTED, Tell.MESSAGE),
    _row(CALLING, Input.FAILURE, COMPLETED, Do.ACK, Tell.MESSAGE),
    _row(CALLING, Input.TIMER_A, CALLING, Do.RESEND, Do.DOUBLE),
    _row(CALLING, Input.TIMER_B, TERMINATED, Tell.TIMEOUT),
    _row(CALLING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(PROCEEDING, Input.PROVISIONAL, PROCEEDING, Tell.MESSAGE),
    _row(PROCEEDING, Input.SUCCESS, ACCEPTED, Tell.MESSAGE),
    _row(PROCEEDING, Input.FAILURE, COMPLETED, Do.ACK, Tell.MESSAGE),
    _row(ACCEPTED, Input.SUCCESS, ACCEPTED, Tell.MESSAGE),
    _row(ACCEPTED, Input.TIMER_M, TERMINATED),
    _row(COMPLETED, Input.FAILURE, COMPLETED, Do.ACK),
    _row(COMPLETED, Input.TIMER_D, TERMINATED),
    _row(COMPLETED, Input.TRANSPORT_ERROR, TERMINATED),
)

NON_INVITE_CLIENT = (
    # RFC 3261 §17.1.2. The request is repeated (E), after a provisional response every T2, 64·T1
    # long in all (F). Completed absorbs copies of the final response for K.
    _row(TRYING, Input.PROVISIONAL, PROCEEDING, Tell.MESSAGE),
    _row(TRYING, Input.FINAL, COMPLETED, Tell.MESSAGE),
    _row(TRYING, Input.TIMER_E, TRYING, Do.RESEND, Do.DOUBLE_TO_T2),
    _row(TRYING, Input.TIMER_F, TERMINATED, Tell.TIMEOUT),
    _row(TRYING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(PROCEEDING, Input.PROVISIONAL, PROCEEDING, Tell.MESSAGE),
    _row(PROCEEDING, Input.FINAL, COMPLETED, Tell.MESSAGE),
    _row(PROCEEDING, Input.TIMER_E, PROCEEDING, Do.RESEND, Do.EVERY_T2),
    _row(PROCEEDING, Input.TIMER_F, TERMINATED, Tell.TIMEOUT),
    _row(PROCEEDING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(COMPLETED, Input.TIMER_K, TERMINATED),
)

INVITE_SERVER = (
    # RFC 3261 §17.2.1, RFC 6026 §7.1 and §8.5. Copies of the INVITE get the last response again. A
    # failure is repeated (G) until its ACK, 64·T1 long (H); Confirmed then absorbs further copies
    # of the ACK (I). After a 2xx, Accepted absorbs copies of the INVITE for L; the 2xx itself is
    # repeated by the user.
    _row(PROCEEDING, Input.REQUEST, PROCEEDING, Do.RESEND),
    _row(PROCEEDING, Input.PROVISIONAL, PROCEEDING, Do.SEND),
    _row(PROCEEDING, Input.SUCCESS, ACCEPTED, Do.SEND),
    _row(PROCEEDING, Input.FAILURE, COMPLETED, Do.SEND),
    _row(PROCEEDING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(ACCEPTED, Input.REQUEST, ACCEPTED),
    _row(ACCEPTED, Input.SUCCESS, ACCEPTED, Do.SEND),
    _row(ACCEPTED, Input.ACK, ACCEPTED, Tell.MESSAGE),
    _row(ACCEPTED, Input.TRANSPORT_ERROR, ACCEPTED, Tell.TRANSPORT),
    _row(ACCEPTED, Input.TIMER_L, TERMINATED),
    _row(COMPLETED, Input.REQUEST, COMPLETED, Do.RESEND),
    _row(COMPLETED, Input.ACK, CONFIRMED),
    _row(COMPLETED, Input.TIMER_G, COMPLETED, Do.RESEND, Do.DOUBLE_TO_T2),
    _row(COMPLETED, Input.TIMER_H, TERMINATED, Tell.TIMEOUT),
    _row(COMPLETED, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(CONFIRMED, Input.ACK, CONFIRMED),
    _row(CONFIRMED, Input.TIMER_I, TERMINATED),
)

NON_INVITE_SERVER = (
    # RFC 3261 §17.2.2. Copies of the request are absorbed, or get the last response again, for J
    # after the final one.
    _row(TRYING, Input.REQUEST, TRYING),
    _row(TRYING, Input.PROVISIONAL, PROCEEDING, Do.SEND),
    _row(TRYING, Input.FINAL, COMPLETED, Do.SEND),
    _row(TRYING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(PROCEEDING, Input.REQUEST, PROCEEDING, Do.RESEND),
    _row(PROCEEDING, Input.PROVISIONAL, PROCEEDING, Do.SEND),
    _row(PROCEEDING, Input.FINAL, COMPLETED, Do.SEND),
    _row(PROCEEDING, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(COMPLETED, Input.REQUEST, COMPLETED, Do.RESEND),
    _row(COMPLETED, Input.TRANSPORT_ERROR, TERMINATED, Tell.TRANSPORT),
    _row(COMPLETED, Input.TIMER_J, TERMINATED),
)

MACHINES = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": NON_INVITE_SERVER,
}


class TimerLength(NamedTuple):
    """How long a timer runs: in words, and in seconds over UDP and over a stream."""

    text: str
    datagram: Callable[[Timers], float]
    stream: Callable[[Timers], float]


def _timeout(timers: Timers) -> float:
    return timers.timeout


def _none(timers: Timers) -> float:
    return 0.0


TIMER_LENGTHS = {
    # RFC 3261 Table 4, RFC 6026 §8.
    Input.TIMER_A: TimerLength("T1, doubled; never over streams", lambda t: t.t1, lambda t: NEVER),
    Input.TIMER_B: TimerLength("64·T1", _timeout, _timeout),
    Input.TIMER_D: TimerLength("32 s; 0 over streams", lambda t: max(t.timeout, 32.0), _none),
    Input.TIMER_E: TimerLength(
        "T1, doubled to T2; never over streams", lambda t: t.t1, lambda t: NEVER
    ),
    Input.TIMER_F: TimerLength("64·T1", _timeout, _timeout),
    Input.TIMER_G: TimerLength(
        "T1, doubled to T2; never over streams", lambda t: t.t1, lambda t: NEVER
    ),
    Input.TIMER_H: TimerLength("64·T1", _timeout, _timeout),
    Input.TIMER_I: TimerLength("T4; 0 over streams", lambda t: t.t4, _none),
    Input.TIMER_J: TimerLength("64·T1; 0 over streams", _timeout, _none),
    Input.TIMER_K: TimerLength("T4; 0 over streams", lambda t: t.t4, _none),
    Input.TIMER_L: TimerLength("64·T1", _timeout, _timeout),
    Input.TIMER_M: TimerLength("64·T1", _timeout, _timeout),
}

REPEATING = frozenset({Input.TIMER_A, Input.TIMER_E, Input.TIMER_G})
"""The timers that resend; every other one ends a state."""
