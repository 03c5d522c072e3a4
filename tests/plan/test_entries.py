"""`like: NAME`: whole keys are copied, places are kept, and circles are told."""

from __future__ import annotations

import pytest

from pbx.plan.model import Relaxation
from tests.kit.broken import loaded, mistake, problems


def test_own_keys_replace_whole_keys() -> None:
    queues = loaded("""\
queues:
  c: {like: b, ring: 7s}
  b: {like: a, skills: {tech: 5}, relax: {60s: any}}
  a: {skills: {service: 3, en: 1}, ring: 5s, relax: {30s: service 1}, if_no_agents: hangup}
""").queues
    assert queues["b"].skills == {"tech": 5}
    assert queues["b"].relax == (Relaxation(60.0, {}),)
    assert queues["b"].ring_s == 5.0
    assert queues["c"].skills == {"tech": 5}
    assert (queues["c"].ring_s, queues["c"].name) == (7.0, "c")
    assert queues["c"].mark.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "hours: {b: {weekly: {mon: closed}}, a: {like: b}}",
        "lookups: {b: {sql: s, query: SELECT 1}, a: {like: b}}",
        "menus: {b: {prompt: p, keys: {1: hangup}, give_up: hangup}, a: {like: b}}",
        "ring_groups: {b: {members: ext:101}, a: {like: b}}",
        "voicemail: {b: {mail: a@b.example}, a: {like: b}}",
        "surveys: {b: {prompt: p, keys: {1: a}}, a: {like: b}}",
    ],
)
def test_any_named_thing_may_be_like_another(text: str) -> None:
    plan = loaded("prompts: {p: {zh: a}, q: {like: p, en: b}}\n" + text)
    assert list(plan.prompts["q"].spoken) == ["zh", "en"]
    things = getattr(plan, text.partition(":")[0])
    values = [
        {name: getattr(thing, name) for name in thing.__slots__ if name not in ("name", "mark")}
        for thing in things.values()
    ]
    assert values[0] == values[1]


def test_what_is_wrong_in_a_copy_is_told_once() -> None:
    group = "members: [ext:101], how: ▸al, no_answer: hangup"
    mistake(f"ring_groups:\n  b: {{like: a}}\n  a: {{{group}}}\n  c: {{like: a}}\n")


def test_what_a_copy_lacks_is_told_at_its_own_name() -> None:
    found = problems("ring_groups:\n  a: {how: all}\n  b: {like: a}\n")
    assert [(problem.line, problem.code) for problem in found] == [(3, "E005"), (4, "E005")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a: {like: ▸bb}", 'E014 ring_groups.a like: unknown ring group "bb"'),
        ("a: {like: ▸ring:s}", "E005 ring_groups.a like: the name alone stands here — write s"),
        ("a: {like: ▸[s]}", "E005 ring_groups.a like must be a text"),
        ("a: {like: ▸a}", "E017 ring_groups: like goes in a circle: a → a"),
    ],
)
def test_a_like_that_leads_nowhere_is_the_only_mistake(line: str, words: str) -> None:
    assert words in mistake(f"ring_groups:\n  s: {{members: ext:101}}\n  {line}\n")


def test_a_circle_is_told_once() -> None:
    text = "ring_groups:\n  c: {like: a}\n  a: {like: ▸b}\n  b: {like: a}\n"
    found = mistake(text)
    assert found == "E017 ring_groups: like goes in a circle: a → b → a — remove one of them"


def test_a_long_chain_is_followed_to_its_end() -> None:
    links = "".join(f"  g{number}: {{like: g{number - 1}}}\n" for number in range(1, 200))
    groups = loaded(f"ring_groups:\n{links}  g0: {{members: ext:101}}\n").ring_groups
    assert all(group.members == groups["g0"].members for group in groups.values())
