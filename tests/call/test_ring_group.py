"""What became of a group, of what became of its members."""

from __future__ import annotations

import pytest

from pbx.call.outcome import (
    ABSENT,
    DENIED,
    NO_LINE,
    Outcome,
    OutcomeKind,
    failed,
    no_answer,
    reached_nobody,
    unanswered,
)

BUSY, DECLINED = unanswered(486), unanswered(603)


@pytest.mark.parametrize(
    ("members", "kind", "result", "reason"),
    [
        ([BUSY], OutcomeKind.BUSY, "busy", "busy"),
        ([BUSY, DECLINED], OutcomeKind.BUSY, "busy", "busy"),
        ([BUSY, ABSENT, NO_LINE], OutcomeKind.BUSY, "busy", "busy"),
        ([BUSY, no_answer()], OutcomeKind.NO_ANSWER, "no_answer", "no_answer"),
        ([unanswered(480)], OutcomeKind.NO_ANSWER, "no_answer", "no_answer"),
        ([failed(482, "loop")], OutcomeKind.NO_ANSWER, "no_answer", "no_answer"),
        ([ABSENT, ABSENT], OutcomeKind.NO_ANSWER, "unavailable", "not_registered"),
        ([ABSENT, NO_LINE], OutcomeKind.NO_ANSWER, "unavailable", "not_registered"),
        ([NO_LINE], OutcomeKind.FAILED, "unavailable", "no_line"),
        ([NO_LINE, DENIED], OutcomeKind.FAILED, "rejected", "denied"),
        ([], OutcomeKind.NO_ANSWER, "unavailable", "not_registered"),
    ],
)
def test_what_became_of_all(
    members: list[Outcome], kind: OutcomeKind, result: str, reason: str
) -> None:
    outcome = reached_nobody(members)
    assert (outcome.kind, outcome.result, outcome.reason) == (kind, result, reason)
