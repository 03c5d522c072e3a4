"""What each point of a plan names: prompts, lookups, hours, flows.

Which arguments are names is known from the types of a verb's parameters, so a new verb needs
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pbx.ivr.check.graph import Point
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.arguments import Name, Names
from pbx.plan.model import Plan, Queue
from pbx.plan.step import Step


@dataclass(frozen=True, slots=True)
class Named:
    """A `kind` of that name; a prompt may be said in one `language` only."""

    kind: str
    name: str
    language: str | None = None


def named_at(plan: Plan, point: Point) -> Iterator[Named]:
    """Yield what a point names, in the order of the file."""
    if point.step is not None:
        yield from named_by(point.step)
    elif point.is_place:
        yield from _named_by_place(plan, *point.owner)


def named_by(step: Step) -> Iterator[Named]:
    """Yield what a step names in its arguments."""
    language = step.arguments.get("language")
    spoken_in = language if isinstance(language, str) else None
    for parameter in VOCABULARY.verbs[step.verb].parameters.values():
        value = step.arguments.get(parameter.name)
        if value is None:
            continue
        if isinstance(parameter.type, Name):
            yield Named(parameter.type.kind, value, spoken_in)
        elif isinstance(parameter.type, Names):
            yield from (Named(parameter.type.kind, name, spoken_in) for name in value)


def _named_by_place(plan: Plan, kind: str, name: str) -> Iterator[Named]:
    if kind == "menu":
        yield from (Named("prompt", prompt) for prompt in plan.menus[name].prompt)
    elif kind == "survey":
        yield Named("prompt", plan.surveys[name].prompt)
    elif kind == "voicemail" and (greeting := plan.voicemail[name].greeting) is not None:
        yield Named("prompt", greeting)
    elif kind == "queue":
        yield from _named_by_queue(plan, plan.queues[name])


def _named_by_queue(plan: Plan, queue: Queue) -> Iterator[Named]:
    """Yield what callers hear, what agents hear (the prompt that is named like the queue), and the
    hours of call-backs."""
    if queue.announce is not None:
        yield Named("prompt", queue.announce)
    if queue.whisper and queue.name in plan.prompts:
        yield Named("prompt", queue.name, plan.defaults.language)
    if queue.callback.hours is not None:
        yield Named("hours", queue.callback.hours)


def title(owner: tuple[str, str]) -> str:
    """Return how sentences call the place of a point: `flow night`."""
    kind, name = owner
    return f"{kind}:{name}"
