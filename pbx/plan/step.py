"""Steps of a flow and the schema of their verbs.

A step is one verb with its inputs inside and its outcomes beside it. The verbs themselves are
functions of `pbx.ivr`; what the loader needs to know of each is its `VerbSchema`, which `pbx.ivr`
makes of the function's typed arguments and hands in. So the file's grammar has one source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pbx.marks import Node
from pbx.plan.destination import Destination


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; `line` and `column` count from 1. 0 is for what stands in no file."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NOWHERE: Final = Mark()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what `verb` is called with, and where each outcome leads."""

    verb: str
    arguments: Mapping[str, Any]
    outcomes: Mapping[str, Branch] = field(default_factory=dict)
    mark: Mark = NOWHERE


Steps = tuple[Step, ...]

Branch = Destination | Steps
"""What follows an outcome: a place to go to, or steps after which the flow goes on."""


class Reading(Protocol):
    """What an argument's type may ask of the loader while it is read."""

    def problem(self, node: Node, code: str, sentence: str, suggestion: str | None = None) -> None:
        """Note what is wrong at the place of `node`."""

    def text(self, node: Node, what: str) -> str | None:
        """Return a scalar's text; None where there is none, which is noted."""

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list; one text stands for a list of one."""

    def destination(self, node: Node, what: str) -> Destination | None:
        """Return a destination; whether it exists is checked once all files are read."""

    def name(self, node: Node, kind: str, what: str) -> str | None:
        """Return a name of that kind (flow, prompt, hours, lookup, …), checked likewise."""


class ArgumentType(Protocol):
    """How an argument is written, and what it becomes."""

    @property
    def written(self) -> str:
        """Return how to write it, for people: `5s`, `yes or no`, `kind:name`."""

    def read(self, reading: Reading, node: Node, what: str) -> Any:
        """Return the value; None where it is wrong, which is noted. `what` names the argument."""

    def schema(self) -> Mapping[str, Any]:
        """Return its JSON Schema."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a verb."""

    name: str
    type: ArgumentType
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class VerbSchema:
    """What the file may say of a verb.

    `main` is the argument that stands behind the verb where nothing else is given (`say: NAME`);
    None for a verb without arguments. A verb with one parameter takes the whole value as that one.
    `outcomes` may stand beside it or among its arguments, `required` ones must; with `values` any
    other word may, too (`choose`). `later` tells that this version refuses it. `summary` is its one
    line of the documentation.
    """

    name: str
    summary: str
    parameters: Mapping[str, Parameter]
    main: str | None
    outcomes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    values: bool = False
    later: bool = False
    ends: bool = False
    """Whether no step can follow: `goto`, `hangup`."""
    asks: bool = False
    """Whether the caller is asked for keys, or time passes: what breaks an endless circle."""
