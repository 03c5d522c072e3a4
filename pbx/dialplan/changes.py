"""What another dialplan would change: the numbers whose calls would go differently, and why.

A number changes where its own line does, or anything that its calls can reach: a menu three flows
away, the words of a prompt, a holiday. Where things stand in the files does not matter. What can be
reached is never missed; a word that happens to be the name of a prompt, say, counts as that prompt.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from pbx.plan.destination import OPERATOR, Destination
from pbx.plan.model import NumberRoute, Plan
from pbx.plan.names import SECTION_OF

ONLY_NAMED: Final = ("prompt", "hours", "lookup", "flow", "menu", "survey")
"""Kinds that are also meant by a bare name, without their kind before it."""

REST: Final = ("outbound", "features", "tests")
"""Sections whose changes are told as a whole."""

ANYTHING_ELSE: Final = "anything_else"
_EVERYWHERE: Final = "defaults"
_PLACES: Final = frozenset({"mark", "key_marks"})


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A number whose calls go differently. `was` and `now` are where they start, None for nowhere;
    `because` names what differs on their way: `menu:main`."""

    number: str
    was: str | None
    now: str | None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two plans. `sections` are those of `REST` that do."""

    numbers: tuple[NumberChange, ...] = ()
    sections: tuple[str, ...] = ()


NOTHING: Final = Changes()


def changes_between(old: Plan, new: Plan) -> Changes:
    """Return what becomes different when `new` follows `old`."""
    before, after = _Map(old), _Map(new)
    different = frozenset(
        name
        for name in before.content.keys() | after.content.keys()
        if before.content.get(name) != after.content.get(name)
    )
    numbers = {number: None for plan in (old, new) for number, _ in _routes(plan)}
    found = (_change(number, before, after, different) for number in numbers)
    sections = (name for name in REST if _plain(old, name) != _plain(new, name))
    return Changes(tuple(change for change in found if change is not None), tuple(sections))


class _Map:
    """One plan as a map: what each thing says, and what it leads to."""

    def __init__(self, plan: Plan) -> None:
        self.routes = dict(_routes(plan))
        self.content: dict[str, Hashable] = {}
        self._leads: dict[str, frozenset[str]] = {}
        self._reached: dict[frozenset[str], frozenset[str]] = {}
        things = {
            f"{kind}:{name}": thing
            for kind, section in SECTION_OF.items()
            for name, thing in getattr(plan, section).items()
        }
        self._names = frozenset(things)
        defaults = plan.defaults
        things[_EVERYWHERE] = (defaults.language, defaults.timezone, defaults.menu)
        things[str(OPERATOR)] = defaults.operator
        for name, thing in things.items():
            self.content[name], self._leads[name] = self.read(thing)

    def read(self, value: object) -> tuple[Hashable, frozenset[str]]:
        """Return a value without its places in the file, and the things that it leads to."""
        leads: set[str] = set()
        return _flat(value, leads, self._names), frozenset(leads)

    def reach(self, route: NumberRoute | None) -> frozenset[str]:
        """Return all things that calls by a route can reach."""
        if route is None:
            return frozenset()
        first = self.read(route)[1]
        if first not in self._reached:  # a thousand numbers start at a few places
            self._reached[first] = self._reach(first)
        return self._reached[first]

    def _reach(self, first: frozenset[str]) -> frozenset[str]:
        found, waiting = {_EVERYWHERE}, set(first)
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= self._leads.get(name, frozenset()) - found
        return frozenset(found)


def _flat(value: object, leads: set[str], names: frozenset[str]) -> Hashable:
    """Return a value without its places in the file; add what it leads to to `leads`."""
    if isinstance(value, Destination):
        leads.add(str(value))
        return str(value)
    if isinstance(value, str):
        leads.update({f"{kind}:{value}" for kind in ONLY_NAMED} & names)
        return value
    if isinstance(value, Mapping):
        pairs = ((str(key), _flat(each, leads, names)) for key, each in value.items())
        return tuple(sorted(pairs, key=lambda pair: pair[0]))
    if isinstance(value, tuple | list | set | frozenset):
        return tuple(_flat(each, leads, names) for each in value)
    if is_dataclass(value):
        kept = (field.name for field in fields(value) if field.name not in _PLACES)
        return (type(value).__name__, *(_flat(getattr(value, each), leads, names) for each in kept))
    return value if isinstance(value, Hashable) else repr(value)


def _routes(plan: Plan) -> Iterator[tuple[str, NumberRoute]]:
    """Yield each number with where it starts: `numbers`, `anything_else`, rooms of conferences."""
    yield from plan.numbers.items()
    if plan.other is not None:
        yield ANYTHING_ELSE, plan.other
    for room in plan.conferences:
        if room not in plan.numbers:
            yield room, NumberRoute(room, Destination("conference", room))


def _change(
    number: str, before: _Map, after: _Map, different: frozenset[str]
) -> NumberChange | None:
    old, new = before.routes.get(number), after.routes.get(number)
    because = different & (before.reach(old) | after.reach(new))
    if not because and before.read(old)[0] == after.read(new)[0]:
        return None
    if old is None or new is None:
        because = frozenset()  # it comes or goes as a whole
    return NumberChange(number, _start(old), _start(new), tuple(sorted(because)))


def _start(route: NumberRoute | None) -> str | None:
    if route is None:
        return None
    said = [f"{name} {value}" for name in ("language", "tag") if (value := getattr(route, name))]
    return str(route.destination) + (f" ({', '.join(said)})" if said else "")


def _plain(plan: Plan, section: str) -> Hashable:
    return _flat(getattr(plan, section), set(), frozenset())
