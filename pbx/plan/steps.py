"""Steps as the file writes them: one verb with its inputs inside and its outcomes beside.

    - hours: office
      open: menu:main
      closed: [{say: closed}, {goto: voicemail:service}]

Which verbs there are, what each takes and which outcomes it has comes from the vocabulary. What is
wrong with a step is told as what its writer most probably meant: two steps in one line, an input
that stands beside, an outcome that nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pbx.marks import ListNode, MapNode, Node, TextNode, did_you_mean
from pbx.marks.problem import MISSING_OUTCOME, TWO_STEPS, UNKNOWN_KEY, WRONG_TYPE
from pbx.plan.destination import KINDS, Destination
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.step import Branch, Parameter, Step, Steps, VerbSchema
from pbx.plan.vocabulary import LATER_ARGUMENTS

NOT_YET = "is not in this version yet"

Pair = tuple[TextNode, Node]


def read_steps(reader: PlanReader, node: Node, what: str) -> Steps:
    """Return the steps of a list; those that are wrong are noted and left out."""
    if not isinstance(node, ListNode):
        sentence = f"{what} must be a list of steps"
        suggestion = 'put "- " before each step'
        if isinstance(node, TextNode) and node.is_null:
            sentence, suggestion = f"{what} has no steps", "write a step, such as - hangup"
        reader.problem(node, WRONG_TYPE, sentence, suggestion)
        return ()
    if not node.items:
        reader.problem(node, WRONG_TYPE, f"{what} has no steps", "write a step, such as - hangup")
    steps = [read_step(reader, item, what) for item in node.items]
    return tuple(step for step in steps if step is not None)


def read_branch(reader: PlanReader, node: Node, what: str) -> Branch | None:
    """Return what follows an outcome: a destination, or steps (a list, or a map of one)."""
    if isinstance(node, TextNode):
        return reader.destination(node, what)
    if isinstance(node, ListNode):
        return read_steps(reader, node, what) or None
    step = read_step(reader, node, what)
    return None if step is None else (step,)


def read_step(reader: PlanReader, node: Node, what: str) -> Step | None:
    """Return one step, None where it is wrong."""
    if isinstance(node, TextNode):
        return _bare(reader, node, what)
    if isinstance(node, ListNode):
        sentence = f"{what}: a list stands where a step is expected"
        reader.problem(node, WRONG_TYPE, sentence, "write one step a line")
        return None
    found = _verb_of(reader, node, what)
    if found is None:
        return None
    key, value, schema = found
    return _Writing(reader, schema, key, f"{what} {schema.name}").step(
        value, [pair for pair in node.entries if pair[0] is not key]
    )


def read_verb(reader: PlanReader, key: TextNode, value: Node, what: str) -> Step | None:
    """Return the step of one verb and its value, with nothing beside it; None where it is wrong."""
    schema = known_verb(reader, key, what)
    if schema is None:
        return None
    return _Writing(reader, schema, key, f"{what} {schema.name}").step(value, [])


_SAY, _GOTO, _RING = "write say: PROMPT", "write goto: ext:NUMBER", "write ring: [ext:NUMBER]"

_OTHER_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("play", "playback", "prompt", "speak", "tell", "announce", "read"), _SAY),
    **dict.fromkeys(("transfer", "forward", "route", "redirect", "send_to", "jump"), _GOTO),
    **dict.fromkeys(("dial", "call", "connect"), _RING),
    **dict.fromkeys(("wait", "sleep", "delay"), "write pause: 2s"),
    **dict.fromkeys(
        ("input", "gather", "get_digits", "collect"), "write ask: {prompt: …, save: …}"
    ),
    **dict.fromkeys(("end", "bye", "disconnect", "stop"), "write hangup"),
    **dict.fromkeys(("email", "webhook", "notify"), "write send: {mail: …} or {webhook: …}"),
    "press": "write keys: for keys that callpbx presses; a menu is a section of its own",
    "switch": "write choose: VARIABLE",
    "http": "write lookup: NAME, and the address under lookups",
}
"""What other systems call things → what to write here."""


def known_verb(reader: PlanReader, key: TextNode, what: str) -> VerbSchema | None:
    """Return the verb of that name; an unknown one is noted."""
    schema = reader.vocabulary.verbs.get(key.value)
    if schema is None:
        near = _OTHER_WORDS.get(key.value) or did_you_mean(key.value, reader.vocabulary.verbs)
        kind, colon, _ = key.value.partition(":")
        if kind in KINDS:
            near = f"write goto: {key.value}" if colon else f"write goto: {kind}:NAME"
        sentence = f'{what}: unknown verb "{key.value}"'
        reader.problem(key, UNKNOWN_KEY, sentence, near or "docs/dialplan.md lists the verbs")
        return None
    if schema.later:
        reader.problem(key, UNKNOWN_KEY, f'verb "{key.value}" {NOT_YET}', "remove this step")
        return None
    return schema


def _bare(reader: PlanReader, node: TextNode, what: str) -> Step | None:
    """Return the step that is one word: `- answer`."""
    if node.is_null:
        reader.problem(
            node, TWO_STEPS, f"{what}: an empty step", "write a verb, or remove the dash"
        )
        return None
    word, colon, _ = node.value.partition(":")
    if node.value not in reader.vocabulary.verbs and colon:
        suggestion = f"write goto: {node.value}"
        if word in reader.vocabulary.verbs:
            suggestion = f'put a space after the colon: "{word}: …", or write goto: {node.value}'
        sentence = f'{what}: "{node.value}" is no step'
        reader.problem(node, TWO_STEPS, sentence, suggestion)
        return None
    return read_verb(reader, node, TextNode("", node.line, node.column, file=node.file), what)


def _verb_of(
    reader: PlanReader, node: MapNode, what: str
) -> tuple[TextNode, Node, VerbSchema] | None:
    """Return the one verb of a step: its key, its value and its schema."""
    verbs = reader.vocabulary.verbs
    found = [pair for pair in node.entries if pair[0].value in verbs]
    if found and verbs[found[0][0].value].values:
        found = found[:1]  # beside it stand values, whatever they are called
    if not found:
        _tell_no_verb(reader, node, what)
        return None
    if len(found) > 1:
        first, second = found[0][0].value, found[1][0]
        sentence = f'{what}: two steps in one item, "{first}" and "{second.value}"'
        suggestion = 'write each on a line of its own, with "- " before it'
        reader.problem(second, TWO_STEPS, sentence, suggestion)
        return None
    key, value = found[0]
    schema = known_verb(reader, key, what)
    return None if schema is None else (key, value, schema)


def _tell_no_verb(reader: PlanReader, node: MapNode, what: str) -> None:
    outcomes = {name for verb in reader.vocabulary.verbs.values() for name in verb.outcomes}
    strange = next((key for key, _ in node.entries if key.value not in outcomes), None)
    if strange is not None:
        known_verb(reader, strange, what)
        return
    sentence = f"{what}: a step without a verb"
    reader.problem(
        node, TWO_STEPS, sentence, "write a verb, such as say: NAME, before its outcomes"
    )


@dataclass(slots=True)
class _Writing:
    """One step as it is written: `key` is its verb's place, `what` names it in sentences."""

    reader: PlanReader
    schema: VerbSchema
    key: TextNode
    what: str

    def step(self, value: Node, beside: Sequence[Pair]) -> Step | None:
        """Return the step; None where an argument is missing or wrong."""
        before = len(self.reader.problems)
        inside, outcomes = self._inside(value)
        arguments = {}
        for parameter, node in inside:
            what = (
                self.what if parameter.name == self.schema.main else f"{self.what} {parameter.name}"
            )
            found = parameter.type.read(self.reader, node, what)
            if found is not None:
                arguments[parameter.name] = found
        given = {parameter.name for parameter, _ in inside} | {key.value for key, _ in beside}
        if inside or len(self.reader.problems) == before:  # else what stands there is wrong
            self._tell_missing_arguments(given)
        branches = self._branches([*outcomes, *self._beside(beside, value)])
        if any(
            parameter.required and name not in arguments
            for name, parameter in self.schema.parameters.items()
        ):
            return None
        return Step(self.schema.name, arguments, branches, mark_of(self.key))

    def _inside(self, value: Node) -> tuple[list[tuple[Parameter, Node]], list[Pair]]:
        """Return the arguments, and outcomes that stand among them."""
        parameters, main = self.schema.parameters, self.schema.main
        if isinstance(value, TextNode) and value.is_null:
            return [], []
        if not isinstance(value, MapNode) or self._takes_map():
            if main is not None:
                return [(parameters[main], value)], []
            self._tell_value(value)
            return [], []
        arguments: list[tuple[Parameter, Node]] = []
        outcomes: list[Pair] = []
        for key, node in value.entries:
            if key.value in parameters:
                arguments.append((parameters[key.value], node))
            elif key.value in self.schema.outcomes:
                outcomes.append((key, node))
            else:
                self._tell_strange(key, node)
        return arguments, outcomes

    def _takes_map(self) -> bool:
        """Tell whether a map is the verb's one argument, rather than all its arguments."""
        parameters = list(self.schema.parameters.values())
        return len(parameters) == 1 and parameters[0].type.schema().get("type") == "object"

    def _tell_value(self, value: Node) -> None:
        names = ", ".join(f"{name}: …" for name in self.schema.parameters)
        suggestion = f"write {self.schema.name}: {{{names}}}" if names else "remove what follows it"
        sentence = (
            f"{self.what} takes no value by itself" if names else f"{self.what} takes no value"
        )
        self.reader.problem(value, WRONG_TYPE, sentence, suggestion)

    def _tell_strange(self, key: TextNode, node: Node) -> None:
        known = (*self.schema.parameters, *self.schema.outcomes)
        if (self.schema.name, key.value) in LATER_ARGUMENTS:
            sentence = f"{self.schema.name}: {key.value} {NOT_YET}"
            self.reader.problem(key, UNKNOWN_KEY, sentence, "remove it")
            return
        suggestion = did_you_mean(key.value, known)
        if isinstance(node, TextNode) and node.is_null and self.schema.main is not None:
            suggestion = suggestion or f'did you mean "${{{key.value}}}"?'
        self.reader.problem(key, UNKNOWN_KEY, f'{self.what}: unknown key "{key.value}"', suggestion)

    def _tell_missing_arguments(self, given: set[str]) -> None:
        for name, parameter in self.schema.parameters.items():
            if parameter.required and name not in given:
                written = parameter.type.written
                sentence = f"{self.what} has no {name}"
                suggestion = f"write {name}: {written}"
                if name == self.schema.main:
                    suggestion = f"write {self.schema.name}: {written}"
                self.reader.problem(self.key, WRONG_TYPE, sentence, suggestion)

    def _beside(self, beside: Sequence[Pair], value: Node) -> list[Pair]:
        """Return the outcomes among the keys beside the verb; others are noted."""
        outcomes = []
        for key, node in beside:
            if key.value in self.schema.outcomes or self.schema.values:
                outcomes.append((key, node))
            elif key.value in self.schema.parameters:
                sentence = f"{self.what}: {key.value} stands beside the verb"
                suggestion = f"write it inside: {self.schema.name}: {{{key.value}: …}}"
                if isinstance(value, TextNode) and value.is_null:
                    suggestion = f"indent it further than {self.schema.name}"
                self.reader.problem(key, UNKNOWN_KEY, sentence, suggestion)
            else:
                self._tell_strange_beside(key)
        return outcomes

    def _tell_strange_beside(self, key: TextNode) -> None:
        suggestion = did_you_mean(key.value, (*self.schema.outcomes, *self.schema.parameters))
        if suggestion is None and (near := did_you_mean(key.value, self.reader.vocabulary.verbs)):
            suggestion = f'{near} Each step begins with "- "'
        sentence = f'unknown key "{key.value}" beside {self.schema.name}'
        self.reader.problem(key, UNKNOWN_KEY, f"{self.what}: {sentence}", suggestion)

    def _branches(self, pairs: Sequence[Pair]) -> Mapping[str, Branch]:
        """Return where each outcome leads; required ones that are missing are noted."""
        branches: dict[str, Branch] = {}
        for key, node in pairs:
            branch = read_branch(self.reader, node, f"{self.what} {key.value}")
            if branch is not None:
                branches[key.value] = branch
        there = {key.value for key, _ in pairs}
        for name in self.schema.required:
            if name not in there:
                sentence = f"{self.what} has no {name}"
                suggestion = f"write where the call goes then: {name}: operator"
                self.reader.problem(self.key, MISSING_OUTCOME, sentence, suggestion)
        return branches


Choice = Destination | Steps


def read_choice(reader: PlanReader, node: Node, what: str) -> Choice | None:
    """Return what a key of a menu does: a destination, or verbs in order of which the last goes on:
    `{say: x, then: repeat}`. The value is a destination, or steps that end with `goto`."""
    if isinstance(node, TextNode):
        return reader.destination(node, what)
    if isinstance(node, ListNode):
        steps = list(read_steps(reader, node, what))
    else:
        steps = _in_order(reader, node, what)
    if steps and not any(reader.vocabulary.verbs[step.verb].ends for step in steps):
        sentence = f"{what} does not say where the call goes"
        reader.problem(node, MISSING_OUTCOME, sentence, "end it with goto: back, or repeat")
    return tuple(steps) or None


def _in_order(reader: PlanReader, node: MapNode, what: str) -> list[Step]:
    steps = []
    for number, (key, value) in enumerate(node.entries, start=1):
        if key.value in ("goto", "then"):
            step = _goto(reader, key, value, what)
            if number < len(node.entries):
                sentence = f"{what}: {key.value} ends it, and more follows"
                reader.problem(key, TWO_STEPS, sentence, "write it last")
        else:
            step = read_verb(reader, key, value, what)
        if step is not None:
            steps.append(step)
    return steps


def _goto(reader: PlanReader, key: TextNode, value: Node, what: str) -> Step | None:
    schema = reader.vocabulary.verbs.get("goto")
    destination = reader.destination(value, f"{what} {key.value}")
    if destination is None or schema is None or schema.main is None:
        return None
    return Step(schema.name, {schema.main: destination}, mark=mark_of(key))
