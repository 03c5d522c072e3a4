"""How a caller's way through the plan ends, as outcomes of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, cause_of
from pbx.events import Result

TAKEN: Final = 200
"""The status of an outcome where somebody or something took the call, and had its say."""

HangupCause = Literal["normal", "busy", "rejected"]

_UNANSWERED: Final[Mapping[HangupCause, tuple[int, Result]]] = {
    "normal": (480, "unavailable"),
    "busy": (486, "busy"),
    "rejected": (603, "rejected"),
}

REFUSALS: Final[Mapping[OutcomeKind, str]] = {
    OutcomeKind.NO_ANSWER: "no_answer",
    OutcomeKind.BUSY: "busy",
    OutcomeKind.FAILED: "failed",
}
"""What a step's outcome is called when nobody was reached."""


def hung_up(
    cause: HangupCause = "normal", *, answered: bool, reason: str = "hung_up_by_dialplan"
) -> Outcome:
    """Return the outcome of a call that the dialplan ends.

    A caller who was never answered is told by a SIP status: 480, 486, 603.
    """
    if answered:
        return Outcome(OutcomeKind.LEFT, "answered", reason, TAKEN, NORMAL_CLEARING, "system")
    status, result = _UNANSWERED[cause]
    return Outcome(OutcomeKind.LEFT, result, reason, status, cause_of(status), "system")


def unreached(outcome: Outcome, *, answered: bool) -> Outcome:
    """Return what the call ends as when nothing follows `outcome`.

    A call that the dialplan answered ended well as far as SIP knows, though nobody was reached.
    """
    if outcome.status == TAKEN or not answered:
        return outcome
    return replace(outcome, status=TAKEN, ended_by="system")
