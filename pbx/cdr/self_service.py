"""What menus did without people: choices, containment, surveys; pure figures over records.

    choices          how often each key of each menu was chosen, and how many callers left inside
    containment      of the calls that heard a menu, how many were served without a person
    opinions         how often a survey was asked, answered, and how

A call is *contained* when a flow tagged it with something that ends in `_done` and it neither went
to a person or a queue nor talked to anybody. Who just hangs up in a menu is not: that caller gave
up, or had the wrong number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pbx.cdr.record import CallRecord

DONE: Final = "_done"
"""The end of the tags that say that a caller was served."""

PEOPLE: Final = frozenset({"ext", "queue", "ring", "number"})
"""Kinds of stations where a caller asks for a person."""

WITH_PEOPLE: Final = frozenset({"ring", "talk", "queue"})
"""Kinds of segments that show the same."""

_CUT_OFF: Final = frozenset({"ended", "interrupted"})


@dataclass(frozen=True, slots=True)
class MenuCount:
    """One menu: how often it was heard, how often each choice was made there (keys, extensions,
    `no_input`, `invalid`, `give_up`), and how many calls ended inside."""

    visits: int = 0
    choices: Mapping[str, int] = field(default_factory=dict)
    ended_inside: int = 0


@dataclass(frozen=True, slots=True)
class Containment:
    """`entered` calls heard a menu, or were served by a flow; of those `contained` were served
    without a person, `to_people` asked for one, and `gave_up` did neither."""

    entered: int
    contained: int
    to_people: int

    @property
    def gave_up(self) -> int:
        """Return how many left without being served and without asking for a person."""
        return self.entered - self.contained - self.to_people

    @property
    def rate(self) -> float | None:
        """Return contained calls of those that heard a menu, 0 to 1; None where none did."""
        return self.contained / self.entered if self.entered else None


@dataclass(frozen=True, slots=True)
class Opinions:
    """One survey: how often it was asked, and how often each key was the answer."""

    asked: int
    answers: Mapping[str, int]
    meanings: Mapping[str, str]
    """What each key means; by the newest record where that has changed."""

    @property
    def answered(self) -> int:
        """Return how many answered."""
        return sum(self.answers.values())

    @property
    def response_rate(self) -> float:
        """Return answers of those who were asked, 0 to 1."""
        return self.answered / self.asked


def menu_counts(records: Iterable[CallRecord]) -> dict[str, MenuCount]:
    """Return what was chosen in each menu, by its name."""
    choices: dict[str, Counter[str]] = {}
    visits: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for record in records:
        for menu, choice in _stations_in_menus(record):
            visits[menu] += 1
            chosen = choices.setdefault(menu, Counter())
            if choice:
                chosen[choice] += 1
        last = record.segments[-1] if record.segments else None
        if last is not None and last.kind == "menu" and last.result in _CUT_OFF:
            inside[last.with_] += 1
    return {
        menu: MenuCount(visits[menu], dict(sorted(chosen.items())), inside[menu])
        for menu, chosen in sorted(choices.items())
    }


def containment(records: Iterable[CallRecord]) -> Containment:
    """Return how many of the calls that heard a menu, or were served by a flow, needed nobody."""
    entered = contained = to_people = 0
    for record in records:
        served = any(tag.endswith(DONE) for tag in record.tags)
        if not served and not any(_stations_in_menus(record)):
            continue
        entered += 1
        if asked_for_people(record):
            to_people += 1
        elif served:
            contained += 1
    return Containment(entered, contained, to_people)


def asked_for_people(record: CallRecord) -> bool:
    """Tell whether the call went to somebody, whether or not anybody answered."""
    kinds = {station.partition(":")[0] for station in record.path}
    return bool(kinds & PEOPLE) or any(segment.kind in WITH_PEOPLE for segment in record.segments)


def opinions(records: Iterable[CallRecord]) -> dict[str, Opinions]:
    """Return the answers to each survey, by its name."""
    asked: Counter[str] = Counter()
    answers: dict[str, Counter[str]] = {}
    meanings: dict[str, dict[str, str]] = {}
    for record in sorted(records, key=_started):
        survey = record.survey
        if survey is None:
            continue
        asked[survey.name] += 1
        counted = answers.setdefault(survey.name, Counter())
        known = meanings.setdefault(survey.name, {})
        if survey.key is not None:
            counted[survey.key] += 1
            known[survey.key] = survey.meaning or ""
    return {
        name: Opinions(asked[name], dict(sorted(answers[name].items())), meanings[name])
        for name in sorted(asked)
    }


def _stations_in_menus(record: CallRecord) -> Iterator[tuple[str, str]]:
    """Yield each menu that the caller heard, and what was chosen there; "" for nothing."""
    for station in record.path:
        kind, _, rest = station.partition(":")
        if kind == "menu":
            menu, _, choice = rest.partition(":")
            yield menu, choice


def _started(record: CallRecord) -> str:
    return record.started_at
