"""Section `menus`: keys, tries and extensions, and the mistakes of menus."""

from __future__ import annotations

import pytest

from pbx.plan.destination import BACK, OPERATOR, REPEAT, Destination
from pbx.plan.model import Choice
from pbx.plan.step import Step
from tests.kit.broken import loaded, mistake, problems

PROMPT = "prompts: {w: {zh: 您好。}, x: {zh: 再见。}}\n"


def steps(choice: Choice | None) -> list[tuple[str, dict[str, object]]]:
    assert isinstance(choice, tuple)
    return [(step.verb, dict(step.arguments)) for step in choice]


def test_a_menu_is_read_whole() -> None:
    menu = loaded(
        PROMPT
        + """\
menus:
  main:
    prompt: [w, x]
    keys:
      1: ext:101
      0123: {language: en, goto: back}
      12: {say: x, then: repeat}
      "#": [{say: x}, {goto: operator}]
      "*": back
    dial_extension: 8000-8999
    no_input: [repeat, {say: x, then: repeat}, operator]
    invalid: repeat
    give_up: {hangup: busy}
    timeout: 3s
    between_keys: 1s
    tries: 2
    interrupt: no
"""
    ).menus["main"]
    assert menu.prompt == ("w", "x")
    assert list(menu.keys) == ["1", "0123", "12", "#", "*"]
    assert menu.keys["1"] == Destination("ext", "101")
    assert [verb for verb, _ in steps(menu.keys["0123"])] == ["language", "goto"]
    assert steps(menu.keys["12"]) == [("say", {"prompt": ("x",)}), ("goto", {"to": REPEAT})]
    assert steps(menu.keys["#"])[1] == ("goto", {"to": OPERATOR})
    assert menu.keys["*"] == BACK
    assert menu.extensions == ("8000", "8999")
    assert [isinstance(choice, tuple) for choice in menu.no_input] == [False, True, False]
    assert menu.invalid == (REPEAT,)
    assert steps(menu.give_up) == [("hangup", {"cause": "busy"})]
    assert (menu.timeout_s, menu.between_keys_s, menu.tries) == (3.0, 1.0, 2)
    assert not menu.interrupt


def test_keys_and_their_steps_know_their_places() -> None:
    menu = loaded(
        PROMPT + "menus:\n  m:\n    prompt: w\n    keys:\n      1: {say: x, goto: back}\n"
        "    give_up: hangup\n"
    ).menus["m"]
    assert (menu.key_marks["1"].line, menu.key_marks["1"].column) == (7, 7)
    choice = menu.keys["1"]
    assert isinstance(choice, tuple)
    assert [(step.mark.line, step.mark.column) for step in choice if isinstance(step, Step)] == [
        *((7, 11), (7, 19)),
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("keys: {1: ▸ext:x}, give_up: hangup", 'E005 menus.m key 1: "x" is no extension number'),
        ("keys: {1: ▸queue:teck}, give_up: hangup", 'E014 menus.m key 1: unknown queue "teck"'),
        ("keys: {▸a: hangup}, give_up: hangup", 'E005 menus.m keys: "a" is no key of a phone'),
        ("keys: {▸give_up: hangup}, give_up: hangup", "it stands beside keys: indent it less"),
        ("keys: {1: ▸{say: x}}, give_up: hangup", "E016 menus.m key 1 does not say where"),
        ("keys: {1: {▸goto: back, say: x}}", "E006 menus.m key 1: goto ends it, and more follows"),
        (
            "keys: {1: {▸sya: x, goto: back}}, give_up: hangup",
            'E002 menus.m key 1: unknown verb "sya"',
        ),
        (
            "keys: {1: {say: ▸y, goto: back}}, give_up: hangup",
            "E014 menus.m key 1 say: unknown prompt",
        ),
        ("keys: ▸hangup, give_up: hangup", "E005 menus.m keys must hold lines of KEY: VALUE"),
        (
            "keys: {8: hangup}, no_input: ▸x, give_up: hangup",
            'E005 menus.m no_input: "x" is no dest',
        ),
        (
            "keys: {8: hangup}, dial_extension: ▸1999-1000, give_up: hangup",
            "no range of extensions",
        ),
        ("keys: {8: hangup}, tries: ▸99, give_up: hangup", '"99" is no whole number from 1 to 10'),
        (
            "keys: {▸1: hangup}, dial_extension: 1000-1999, give_up: hangup",
            "W028 menus.m: key 1 begins",
        ),
        (
            "keys: {▸1100: hangup}, dial_extension: 1000-1999, give_up: hangup",
            "E011 menus.m: key 1100",
        ),
        ("keys: {8: hangup}, ▸giveup: hangup", 'E002 unknown key "giveup" in menus.m'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    if "give" not in keys or "giveup" in keys:
        keys += ", give_up: hangup"
    assert words in mistake(f"{PROMPT}menus:\n  m: {{prompt: w, {keys}}}\n")


def test_a_destination_among_the_verbs_of_a_key_wants_goto() -> None:
    told = problems(
        PROMPT + "menus: {m: {prompt: w, keys: {1: {say: x, ext:103}}, give_up: hangup}}\n"
    )
    assert 'unknown verb "ext:103" — write goto: ext:103' in " ".join(map(str, told))


def test_what_must_be_there_is_missed_at_the_name() -> None:
    assert "E016 menus.m has no give_up" in mistake(
        PROMPT + "menus:\n  ▸m: {prompt: w, keys: {1: hangup}}\n"
    )
    assert "E005 menus.m has no prompt" in mistake(
        "menus:\n  ▸m: {keys: {1: hangup}, give_up: hangup}\n"
    )


def test_keys_outside_the_range_do_not_wait() -> None:
    loaded(
        PROMPT + "menus: {m: {prompt: w, keys: {2: hangup, 10001: hangup}, "
        "dial_extension: 1000-1999, give_up: hangup}}"
    )
