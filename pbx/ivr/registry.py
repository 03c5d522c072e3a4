"""The registry of verbs: a decorated function is its own schema.

    @verb("Let the caller hear prompts.", main="prompt", asks=False)
    async def say(run: Run, prompt: Annotated[tuple[str, ...], Names("prompt")], …) -> None:

The parameters behind `run` are what the file may say; their annotation tells how it is written, a
default makes it optional. What a verb returns is what follows: None (the next step), the name of an
outcome, a `Destination`, or the `Outcome` of a call that is over.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pbx.call.outcome import Outcome
from pbx.errors import UsageError
from pbx.plan.destination import Destination
from pbx.plan.step import ArgumentType, Parameter, VerbSchema

Following = str | Destination | Outcome | None
"""What follows a step."""

Function = Callable[..., Awaitable[Following]]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: what it does, and what the file may say of it."""

    schema: VerbSchema
    function: Function

    def __call__(self, run: Any, arguments: Mapping[str, Any]) -> Awaitable[Following]:
        """Do it with the arguments as the file names them."""
        return self.function(run, **{_python_name(name): arguments[name] for name in arguments})


VERBS: dict[str, Verb] = {}
"""All verbs, by name, in the order of the documentation."""


def verb(
    summary: str,
    *,
    main: str | None = None,
    outcomes: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    values: bool = False,
    later: bool = False,
    ends: bool = False,
    asks: bool = False,
) -> Callable[[Function], Function]:
    """Register a function as the verb of its name, without the underscore that a keyword needs."""

    def register(function: Function) -> Function:
        name = function.__name__.rstrip("_")
        if name in VERBS:
            raise UsageError(f"verb {name!r} is registered twice")
        schema = VerbSchema(
            name,
            summary,
            _parameters(function),
            main,
            outcomes=outcomes,
            required=required,
            values=values,
            later=later,
            ends=ends,
            asks=asks,
        )
        VERBS[name] = Verb(schema, function)
        return function

    return register


def _python_name(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def _parameters(function: Function) -> dict[str, Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        default = None if parameter.default is parameter.empty else parameter.default
        found[name.rstrip("_")] = Parameter(
            name.rstrip("_"), _type_of(hints[name]), parameter.default is parameter.empty, default
        )
    return found


def _type_of(hint: Any) -> ArgumentType:
    if get_origin(hint) is not Annotated:
        raise UsageError(f"the parameter {hint!r} of a verb does not say how it is written")
    written: ArgumentType = get_args(hint)[1]
    return written
