"""Which variables a step, a lookup or a prompt needs, and which there are afterwards.

What callpbx itself supplies is listed here. A lookup gives `LOOKUP.FIELD`: those that its `save`
names, and any at all where it saves whatever is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pbx.ivr.verbs import VOCABULARY
from pbx.plan.arguments import VARIABLE
from pbx.plan.condition import Condition
from pbx.plan.model import Lookup, Plan, PromptText
from pbx.plan.outward import SECRET
from pbx.plan.step import Step
from pbx.plan.text import Text

SUPPLIED: Final = (
    "caller.number",
    "caller.name",
    "caller.area",
    "caller.verified",
    "called.number",
    "call.id",
    "now",
    "queue.name",
    "queue.ahead",
    "queue.wait",
    "queue.estimate",
    "hours.reopens",
    "language",
    "agent.number",
    "digits",
)
"""Variables that nobody has to set."""

ANY: Final = ".*"
"""Behind the name of a lookup: every field of it."""


def needed_by(step: Step) -> Iterator[str]:
    """Yield the variables that a step's own arguments need, but not those that it sets before."""
    parameters = VOCABULARY.verbs[step.verb].parameters
    for name, value in step.arguments.items():
        if isinstance(value, Text | Condition):
            yield from _sorted(value.names)
        elif isinstance(value, Mapping):
            yield from _needed_in_turn(value)
        elif parameters[name].type is VARIABLE and name != "save":
            yield value


def _needed_in_turn(values: Mapping[str, object]) -> Iterator[str]:
    """Yield what the texts of a map need; each may use those above it."""
    above: set[str] = set()
    for name, text in values.items():
        if isinstance(text, Text):
            yield from _sorted(text.names - above)
        above.add(name)


def given_by(plan: Plan, step: Step) -> Iterator[str]:
    """Yield the variables that a step sets."""
    if step.verb == "set":
        yield from step.arguments["values"]
    elif step.verb == "lookup":
        lookup = plan.lookups.get(step.arguments["name"])
        if lookup is not None:
            yield from fields_of(lookup)
    elif "save" in step.arguments:
        yield step.arguments["save"]


def fields_of(lookup: Lookup) -> Iterator[str]:
    """Yield the variables that a lookup gives; `NAME.*` where it saves whatever it finds."""
    instead = [each for each in (lookup.if_empty, lookup.if_error) if isinstance(each, Mapping)]
    fields = {name: None for each in (lookup.save, *instead) for name in each}
    yield from (f"{lookup.name}.{field}" for field in fields)
    if not lookup.save:
        yield f"{lookup.name}{ANY}"


def needed_by_lookup(lookup: Lookup) -> Iterator[str]:
    """Yield the variables that a lookup asks with; secrets are no variables."""
    texts = (*((lookup.http,) if lookup.http is not None else ()), *lookup.headers.values())
    names = {name for text in texts for name in text.names}
    yield from _sorted(names | set(lookup.parameters.values()))


def needed_by_prompt(plan: Plan, name: str, language: str | None = None) -> Iterator[str]:
    """Yield the variables in the words of a prompt, in one language or all."""
    prompt = plan.prompts.get(name)
    spoken = prompt.spoken if prompt is not None else {}
    texts = [
        said.text
        for code, said in spoken.items()
        if isinstance(said, PromptText) and language in (None, code)
    ]
    yield from _sorted({name for text in texts for name in text.names})


def is_given(name: str, given: Collection[str]) -> bool:
    """Tell whether a variable is among those given."""
    return name in given or lookup_of(name) in given


def lookup_of(name: str) -> str:
    """Return what stands for every field of the lookup that a variable may come from."""
    return name.partition(".")[0] + ANY


def _sorted(names: set[str] | frozenset[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith(SECRET))
