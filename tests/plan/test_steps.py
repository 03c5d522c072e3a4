"""Steps, with verbs made up for the purpose: what each way to write them wrongly is taken for."""

from __future__ import annotations

import pytest

from pbx.plan.arguments import Assignments, Name, Names, OneOf, Place, Seconds, Values
from pbx.plan.destination import BACK, HANGUP
from pbx.plan.step import Parameter, Step, VerbSchema
from pbx.plan.vocabulary import Vocabulary
from tests.kit.broken import loaded, mistake


def verb(
    name: str, *parameters: Parameter, main: str | None = None, **more: object
) -> tuple[str, VerbSchema]:
    given = {parameter.name: parameter for parameter in parameters}
    return name, VerbSchema(name, "Does a thing.", given, main, **more)  # type: ignore[arg-type]


PROMPT = Parameter("prompt", Names("prompt"), required=True)
TOY = Vocabulary(
    dict(
        [
            verb("answer"),
            verb("say", PROMPT, Parameter("wait", Seconds(), required=False), main="prompt"),
            verb(
                *("ask", PROMPT, Parameter("save", Values(), required=True)),
                main="prompt",
                outcomes=("give_up", "busy"),
                required=("give_up",),
            ),
            verb("goto", Parameter("to", Place(), required=True), main="to", ends=True),
            verb("choose", Parameter("of", Values(), required=True), main="of", values=True),
            verb("set", Parameter("values", Assignments(), required=True), main="values"),
            verb("hours", Parameter("name", Name("hours"), required=True), main="name",
                 outcomes=("open", "closed")),
            verb("send", Parameter("mail", Values(), required=False)),
            verb("park", later=True),
            verb("hangup", Parameter("cause", OneOf(("busy",)), required=False), main="cause",
                 ends=True),
        ]
    )
)  # fmt: skip
PLACES = "prompts: {p: {zh: 您好。}}\nhours: {o: {weekly: {mon: closed}}}\n"


def steps(lines: str) -> tuple[Step, ...]:
    return loaded(f"{PLACES}flows:\n  f:\n{lines}\n", TOY).flows["f"].steps


def step(lines: str) -> Step:
    (found,) = steps(lines)
    return found


def test_a_step_is_one_word_a_value_or_a_map_of_arguments() -> None:
    assert step("    - answer").arguments == {}
    assert step("    - say: p").arguments == {"prompt": ("p",)}
    assert step("    - say: [p, p]").arguments == {"prompt": ("p", "p")}
    assert step("    - say: {prompt: p, wait: 5s}").arguments == {"prompt": ("p",), "wait": 5.0}
    assert step("    - hangup:").arguments == {}


def test_a_verb_whose_argument_is_a_map_takes_it_whole() -> None:
    assert sorted(step("    - set: {a: 1, b: x}").arguments["values"]) == ["a", "b"]


def test_outcomes_stand_beside_or_inside() -> None:
    beside = step("    - ask: {prompt: p, save: x}\n      give_up: hangup")
    inside = step("    - ask: {prompt: p, save: x, give_up: hangup}")
    assert beside.outcomes == inside.outcomes == {"give_up": HANGUP}
    assert (beside.mark.line, beside.mark.column) == (6, 7)


def test_an_outcome_leads_to_a_place_a_list_or_one_step() -> None:
    hours = step("""\
    - hours: {name: o, open: back}
      closed:
        - say: p
        - hours: o
          open: {goto: hangup}
""")
    assert hours.outcomes["open"] == BACK
    closed = hours.outcomes["closed"]
    assert isinstance(closed, tuple)
    say, inner = closed
    assert (say.verb, say.mark.line) == ("say", 8)
    then = inner.outcomes["open"]
    assert isinstance(then, tuple)
    (goto,) = then
    assert (goto.arguments, goto.mark.line, goto.mark.column) == ({"to": HANGUP}, 10, 18)


def test_values_may_be_called_anything() -> None:
    found = step("    - choose: ${x}\n      say: back\n      '1': hangup\n      else: back")
    assert found.outcomes == {"say": BACK, "1": HANGUP, "else": BACK}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("- ▸sya: p", 'E002 flows.f: unknown verb "sya" — did you mean "say"?'),
        ("- ▸sya", 'E002 flows.f: unknown verb "sya"'),
        ("- say: p\n      ▸goto: hangup", 'E006 flows.f: two steps in one item, "say" and "goto"'),
        ("- ▸open: hangup", "E006 flows.f: a step without a verb"),
        ("- ▸menu:main", 'E006 flows.f: "menu:main" is no step — write goto: menu:main'),
        ("- ▸say:p", 'E006 flows.f: "say:p" is no step — put a space after the colon'),
        ("-▸", "E006 flows.f: an empty step"),
        ("- ▸[answer]", "E005 flows.f: a list stands where a step is expected"),
        ("- ▸{}", "E006 flows.f: a step without a verb"),
        ("- ▸park", 'E002 verb "park" is not in this version yet'),
        ("- ▸park:", 'E002 verb "park" is not in this version yet'),
        ("- send: {▸sms: x}", "E002 send: sms is not in this version yet"),
        ("- send: ▸x", "E005 flows.f send takes no value by itself — write send: {mail: …}"),
        ("- answer: ▸yes", "E005 flows.f answer takes no value"),
        ("- ▸say", "E005 flows.f say has no prompt — write say: name of a prompt"),
        ("- ▸say: {wait: 5s}", "E005 flows.f say has no prompt"),
        (
            "- say: {prompt: p, ▸wiat: 5s}",
            'E002 flows.f say: unknown key "wiat" — did you',
        ),
        ("- say: {prompt: p, wait: ▸5}", 'E005 flows.f say wait: "5" is no duration'),
        ("- say: ▸q", 'E014 flows.f say: unknown prompt "q"'),
        ("- say: {▸caller}", 'did you mean "${caller}"?'),
        (
            "- say: p\n      ▸wait: 5s",
            "E002 flows.f say: wait stands beside the verb — write",
        ),
        ("- say: p\n      ▸opne: back", 'E002 flows.f say: unknown key "opne" beside say'),
        ("- hours: o\n      ▸opne: back", 'beside hours — did you mean "open"?'),
        ("- hours: o\n      open:▸", "E005 flows.f hours open is missing"),
        ("- hours: o\n      open: ▸x", 'E005 flows.f hours open: "x" is no destination'),
        ("- hours: o\n      open： back", ""),
        ("- ▸ask: {prompt: p, save: x}", "E016 flows.f ask has no give_up"),
        ("- goto: ▸{say: p}", "E002 "),
        ("- goto: ▸ring:x", 'E014 flows.f goto: unknown ring group "x"'),
        ("- set: {▸A: b}", "is no name of a variable"),
        ("- set: {a: ▸'${secret.x}'}", "${secret.x} may stand only in address and headers"),
    ],
)
def test_a_mistake_is_told_where_it_stands(lines: str, words: str) -> None:
    if "：" in lines:
        lines, words = lines.replace("： ", "▸： "), "E001 a full-width colon ："
    if lines == "- goto: ▸{say: p}":
        lines, words = "- goto: {▸say: p}", 'E002 flows.f goto: unknown key "say"'
    assert words in mistake(f"{PLACES}flows:\n  f:\n    {lines}\n", TOY)


@pytest.mark.parametrize("level", ["high", "0", "11", "1.5"])
def test_a_level_that_is_written_out_is_one(level: str) -> None:
    told = mistake(
        "numbers: {400: flow:f}\n"
        "queues: {q: {max_wait: 5m, if_timeout: hangup, if_no_agents: hangup}}\n"
        f"flows: {{f: [{{queue: {{name: q, skills: {{tech: ▸{level}}}}}}}]}}\n"
    )
    assert told == f'E005 flows.f queue skills: tech: "{level}" is no level from 1 to 10'


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("play", "write say: PROMPT"),
        ("transfer", "write goto: ext:NUMBER"),
        ("dial", "write ring: [ext:NUMBER]"),
        ("wait", "write pause: 2s"),
        ("menu", "write goto: menu:NAME"),
        ("frobnicate", "docs/dialplan.md lists the verbs"),
    ],
)
def test_the_words_of_other_systems_are_known(word: str, instead: str) -> None:
    told = mistake(f"flows: {{f: [{{▸{word}: x}}, hangup]}}\n")
    assert told == f'E002 flows.f: unknown verb "{word}" — {instead}'
