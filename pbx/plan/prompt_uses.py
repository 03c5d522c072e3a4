"""Who says a prompt: every place of a plan that names it, for people who look a prompt up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pbx.plan.arguments import Name, Names
from pbx.plan.model import Plan
from pbx.plan.step import Step, VerbSchema
from pbx.plan.uses import steps_of

PROMPT = "prompt"


def prompt_uses(plan: Plan, verbs: Mapping[str, VerbSchema]) -> dict[str, tuple[str, ...]]:
    """Return, for each prompt of a plan, the places that say it: `flow:NAME`, `menu:NAME`, …

    `verbs` know which of their arguments are names of prompts. Places come in the order of the
    plan, each once; a prompt that nobody says has none.
    """
    found: dict[str, dict[str, None]] = {name: {} for name in plan.prompts}
    for place, name in _uses(plan, verbs):
        if name in found:
            found[name][place] = None
    return {name: tuple(places) for name, places in found.items()}


def _uses(plan: Plan, verbs: Mapping[str, VerbSchema]) -> Iterator[tuple[str, str]]:
    for place, step in steps_of(plan):
        for name in _named(step, verbs):
            yield place, name
    for menu in plan.menus.values():
        yield from ((f"menu:{menu.name}", name) for name in menu.prompt)
    for queue in plan.queues.values():
        if queue.announce is not None:
            yield f"queue:{queue.name}", queue.announce
        if queue.whisper:
            yield f"queue:{queue.name}", queue.name  # where there is a prompt of that name
    for survey in plan.surveys.values():
        yield f"survey:{survey.name}", survey.prompt
    for box in plan.voicemail.values():
        if box.greeting is not None:
            yield f"voicemail:{box.name}", box.greeting


def _named(step: Step, verbs: Mapping[str, VerbSchema]) -> Iterator[str]:
    """Yield the prompts that a step's arguments name."""
    parameters = verbs[step.verb].parameters if step.verb in verbs else {}
    for name, value in step.arguments.items():
        kind = parameters[name].type if name in parameters else None
        if isinstance(kind, Name) and kind.kind == PROMPT and value is not None:
            yield value
        elif isinstance(kind, Names) and kind.kind == PROMPT:
            yield from value or ()
