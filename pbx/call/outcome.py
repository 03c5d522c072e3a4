"""How things end: the outcome of a destination, the ending of a leg, the ending of a call.

One table turns a SIP status into a Q.850 cause (RFC 3398 §8.2.6.1, RFC 8606), one turns it into the
record's result. Nothing here does anything; these are the values that scripts return and records
are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pbx.events import EndedBy, Result

NORMAL_CLEARING = 16
NO_ANSWER = 19
SUBSCRIBER_ABSENT = 20
NO_CIRCUIT_AVAILABLE = 34
TEMPORARY_FAILURE = 41
INCOMPATIBLE_DESTINATION = 88
RECOVERY_ON_TIMER = 102
INTERWORKING = 127

_CAUSE_OF_STATUS = {
    400: 41,
    401: 21,
    402: 21,
    403: 21,
    404: 1,
    405: 63,
    406: 79,
    407: 21,
    408: RECOVERY_ON_TIMER,
    410: 22,
    413: INTERWORKING,
    414: INTERWORKING,
    415: 79,
    416: INTERWORKING,
    420: INTERWORKING,
    480: 18,
    481: 41,
    482: 25,
    483: 25,
    484: 28,
    485: 1,
    486: 17,
    487: NORMAL_CLEARING,
    488: 88,
    500: 41,
    501: 79,
    502: 38,
    503: 41,
    504: RECOVERY_ON_TIMER,
    505: INTERWORKING,
    513: INTERWORKING,
    600: 17,
    603: 21,
    604: 1,
    606: 88,
}


def cause_of(status: int) -> int:
    """Return the Q.850 cause for a SIP final status: 16 for 2xx, 127 for one that no table
    names."""
    if 200 <= status < 300:
        return NORMAL_CLEARING
    return _CAUSE_OF_STATUS.get(status, INTERWORKING)


class OutcomeKind(Enum):
    """What became of a destination."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FULL = "full"
    NO_AGENTS = "no_agents"
    TIMEOUT = "timeout"
    FAILED = "failed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `call.go` returns: the kind, and what the caller is told when nothing else follows.

    `result` and `reason` are what the record says if the call ends here; `status` is the SIP status
    for a caller who was never answered, `ended_by` who ended a call that was.
    """

    kind: OutcomeKind
    result: Result
    reason: str
    status: int
    cause: int
    ended_by: EndedBy = "called"


@dataclass(frozen=True, slots=True)
class LegEnding:
    """Why a leg is gone. `by` says whose doing it was; `status` is 200 for a leg that was up."""

    by: Literal["remote", "local"]
    reason: str
    status: int
    cause: int
    was_up: bool = False
    contacts: tuple[str, ...] = ()
    """URIs of a 3xx's Contact headers, best first; empty for every other ending."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the call as a whole ended; exactly one is set for each call."""

    result: Result
    reason: str
    status: int
    cause: int
    ended_by: EndedBy


_UNANSWERED: dict[int, tuple[OutcomeKind, Result, str]] = {
    404: (OutcomeKind.FAILED, "failed", "unknown_number"),
    408: (OutcomeKind.FAILED, "unavailable", "no_response"),
    480: (OutcomeKind.NO_ANSWER, "unavailable", "temporarily_unavailable"),
    482: (OutcomeKind.FAILED, "failed", "loop"),
    483: (OutcomeKind.FAILED, "failed", "too_many_hops"),
    486: (OutcomeKind.BUSY, "busy", "busy"),
    487: (OutcomeKind.FAILED, "failed", "terminated"),
    488: (OutcomeKind.FAILED, "failed", "no_common_codec"),
    503: (OutcomeKind.FAILED, "unavailable", "unreachable"),
    600: (OutcomeKind.BUSY, "busy", "busy"),
    603: (OutcomeKind.BUSY, "rejected", "declined"),
    606: (OutcomeKind.FAILED, "failed", "no_common_codec"),
    607: (OutcomeKind.BUSY, "rejected", "declined"),
}

_PASSED_ON = frozenset({403, 404, 408, 410, 480, 482, 483, 484, 486, 488, 500})


def unanswered(status: int, reason: str | None = None) -> Outcome:
    """Return the outcome of a far end that answered with a final non-2xx `status`."""
    kind, result, slug = _UNANSWERED.get(status, (OutcomeKind.FAILED, "failed", f"status_{status}"))
    return Outcome(kind, result, reason or slug, status_for_caller(status), cause_of(status))


def status_for_caller(status: int) -> int:
    """Return what the caller is told when the called side refused with `status`.

    What says something of the called party goes on. The rest speaks of our own request to that
    side (its credentials, its body, its timer) and would mislead a caller who sent another; and 503
    would turn the caller's phone away from us (RFC 3261 §16.7 step 6).
    """
    if status in _PASSED_ON or status >= 600:
        return status
    return 500 if status >= 500 and status != 503 else 480


def failed(status: int, reason: str) -> Outcome:
    """Return the outcome of a destination that callpbx itself cannot reach."""
    return Outcome(OutcomeKind.FAILED, "failed", reason, status, cause_of(status), "system")


def not_registered() -> Outcome:
    """Return the outcome of an extension that no phone is registered for."""
    return Outcome(
        OutcomeKind.FAILED, "unavailable", "not_registered", 480, SUBSCRIBER_ABSENT, "system"
    )


def no_answer() -> Outcome:
    """Return the outcome of ringing to the end of the ringing time."""
    return Outcome(OutcomeKind.NO_ANSWER, "no_answer", "no_answer", 480, NO_ANSWER, "system")


def answered(ending: LegEnding, party: EndedBy = "called") -> Outcome:
    """Return the outcome of a talk that ended because the leg of a party, the called one if not
    said, ended."""
    by: EndedBy = party if ending.by == "remote" and ending.reason == "bye" else "system"
    return Outcome(OutcomeKind.ANSWERED, "answered", ending.reason, 200, ending.cause, by)


# Which of several contacts' refusals the caller hears: the first that is in the list (RFC 3261
# §16.7 step 6 prefers 6xx; then what tells a person most).
_MOST_TELLING = (
    603,
    607,
    608,
    600,
    606,
    604,
    486,
    488,
    480,
    404,
    484,
    482,
    483,
    403,
    408,
    500,
    503,
)


def most_telling(refusals: Sequence[Outcome]) -> Outcome:
    """Return the refusal that says most among those of several contacts, of which there is one at
    least."""

    def rank(refusal: Outcome) -> int:
        try:
            return _MOST_TELLING.index(refusal.status)
        except ValueError:
            return len(_MOST_TELLING)

    return min(refusals, key=rank)


ABSENT = Outcome(
    OutcomeKind.NO_ANSWER, "unavailable", "not_registered", 480, SUBSCRIBER_ABSENT, "system"
)
NO_RULE = failed(404, "unknown_number")
DENIED = Outcome(OutcomeKind.FAILED, "rejected", "denied", 403, cause_of(403), "system")
NO_LINE = Outcome(OutcomeKind.FAILED, "unavailable", "no_line", 503, NO_CIRCUIT_AVAILABLE, "system")
NOT_RUNG = (ABSENT, NO_RULE, DENIED, NO_LINE)
"""What became of those for whom no phone could be rung."""


def reached_nobody(refusals: Sequence[Outcome]) -> Outcome:
    """Return the outcome for all, of what became of each member.

    Busy where all that were rung are; where none could be rung, that is no answer too, but for
    numbers of the outside alone: they failed, each for the reason of the last.
    """
    rung = [refusal for refusal in refusals if refusal not in NOT_RUNG]
    if rung:
        all_busy = all(refusal.kind is OutcomeKind.BUSY for refusal in rung)
        return unanswered(486) if all_busy else no_answer()
    return refusals[-1] if refusals and ABSENT not in refusals else ABSENT
