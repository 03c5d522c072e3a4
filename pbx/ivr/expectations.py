"""`tests:` of the file: calls that are rehearsed on request, and before each reload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pbx.ivr.rehearsal import Circumstances
from pbx.ivr.simulate import Rehearsal, local_moment, rehearse
from pbx.marks.problem import TEST_FAILED, Problem
from pbx.plan.model import Expectation, Plan


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one test. `missing` is the first place that was not passed; None: all were."""

    test: Expectation
    rehearsal: Rehearsal
    missing: str | None

    @property
    def passed(self) -> bool:
        """Tell whether the call passed all places in their order."""
        return self.missing is None

    @property
    def went(self) -> str:
        """Return where the call went: `flow:night → say:closed`."""
        places = " → ".join(_told(self.rehearsal.places))
        return places or f"nowhere ({self.rehearsal.outcome.reason})"

    def problem(self) -> Problem:
        """Return what a failed test says."""
        mark = self.test.mark
        return Problem(
            TEST_FAILED,
            mark.file,
            mark.line,
            mark.column,
            f'test "{self.test.name}": the call did not pass {self.missing}; it went {self.went}',
            f"see each step: callpbx simulate {_as_options(self.test)}",
        )


def run_tests(plan: Plan, now: datetime) -> Iterator[Verdict]:
    """Rehearse every test of the plan; `now` is the time where a test says none."""
    for test in plan.tests:
        rehearsal = rehearse(plan, circumstances_of(plan, test, now))
        yield Verdict(test, rehearsal, _first_missing(test.expect, rehearsal.places))


def circumstances_of(plan: Plan, test: Expectation, now: datetime) -> Circumstances:
    """Return what a test tells of its call."""
    return Circumstances(
        to=test.to,
        from_=test.from_,
        at=now if test.at is None else local_moment(plan, test.at),
        press=test.press,
        mocks=test.mock,
        phones=test.phones,
        queues=test.queues,
    )


def _first_missing(expected: Sequence[str], places: Sequence[str]) -> str | None:
    left = iter(places)
    return next((place for place in expected if place not in left), None)


def _told(places: Sequence[str]) -> list[str]:
    """Return the places without what says nothing: `if`, and the same place twice in a row."""
    kinds = ("numbers", "flow", "menu", "say", "queue", "ring", "ext", "voicemail", "survey")
    told = [place for place in places if place.partition(":")[0] in kinds]
    return [place for index, place in enumerate(told) if index == 0 or told[index - 1] != place]


def _as_options(test: Expectation) -> str:
    options = f"--to {test.to}"
    options += f" --from {test.from_}" if test.from_ else ""
    options += f' --at "{test.at}"' if test.at else ""
    return options + (f' --press "{" ".join(test.press)}"' if test.press else "")
