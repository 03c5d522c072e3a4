"""How things end: causes, outcomes, and which refusal a caller hears."""

from __future__ import annotations

import pytest

from pbx.call.outcome import (
    LegEnding,
    OutcomeKind,
    answered,
    cause_of,
    most_telling,
    no_answer,
    not_registered,
    unanswered,
)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(200, 16), (404, 1), (408, 102), (480, 18), (486, 17), (487, 16), (488, 88), (503, 41)],
)
def test_causes_of_rfc_3398(status: int, cause: int) -> None:
    assert cause_of(status) == cause


def test_a_status_that_no_table_names_is_interworking() -> None:
    assert cause_of(499) == 127


@pytest.mark.parametrize(
    ("status", "result"),
    [(486, "busy"), (600, "busy"), (603, "rejected"), (480, "unavailable"), (500, "failed")],
)
def test_results_of_refusals(status: int, result: str) -> None:
    assert unanswered(status).result == result


def test_ringing_out_is_480_with_cause_19_and_an_absent_phone_cause_20() -> None:
    assert (no_answer().status, no_answer().cause) == (480, 19)
    assert (not_registered().status, not_registered().cause) == (480, 20)


def test_a_talk_that_the_called_party_ends() -> None:
    outcome = answered(LegEnding("remote", "bye", 200, 16, was_up=True))
    assert (outcome.kind, outcome.ended_by) == (OutcomeKind.ANSWERED, "called")


def test_a_talk_that_a_vanished_phone_ends_is_the_systems_doing() -> None:
    assert answered(LegEnding("remote", "dialog_gone", 200, 102)).ended_by == "system"


@pytest.mark.parametrize(
    ("statuses", "winner"), [([480, 486], 486), ([486, 603], 603), ([404, 480], 480), ([499], 499)]
)
def test_the_most_telling_refusal_wins(statuses: list[int], winner: int) -> None:
    assert most_telling([unanswered(status) for status in statuses]) == unanswered(winner)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (486, 486),
        (603, 603),
        (488, 488),
        (401, 480),
        (420, 480),
        (302, 480),
        (502, 500),
        (503, 480),
    ],
)
def test_a_caller_is_told_what_concerns_the_called_party_and_no_more(
    status: int, told: int
) -> None:
    assert unanswered(status).status == told


def test_a_phone_that_cannot_be_reached_is_unavailable() -> None:
    assert (unanswered(503).result, unanswered(503).reason) == ("unavailable", "unreachable")
