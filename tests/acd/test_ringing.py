"""What a phone's refusal says of the agent who sits at it."""

from __future__ import annotations

import pytest

from pbx.acd.ringing import why
from pbx.call.outcome import failed, no_answer, unanswered


@pytest.mark.parametrize(
    ("status", "rang", "silent"),
    [
        (486, "rejected", "busy"),
        (600, "rejected", "busy"),
        (603, "rejected", "rejected"),
        (607, "rejected", "rejected"),
        (408, "no_answer", "unreachable"),
        (480, "no_answer", "unreachable"),
        (404, "no_answer", "unreachable"),
        (488, "failed", "failed"),
        (606, "failed", "failed"),
    ],
)
def test_a_refusal_means_something_else_of_a_phone_that_rang(
    status: int, rang: str, silent: str
) -> None:
    refusal = unanswered(status)
    assert (why(refusal, rang=True), why(refusal, rang=False)) == (rang, silent)


def test_who_let_it_ring_did_not_answer() -> None:
    assert why(no_answer(), rang=True) == why(no_answer(), rang=False) == "no_answer"


def test_what_we_could_not_do_is_nobodys_fault() -> None:
    assert why(failed(488, "no_common_codec"), rang=False) == "failed"
