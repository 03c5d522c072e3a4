"""Every place that says a prompt is found, whatever verb or section it is in."""

from __future__ import annotations

from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan
from pbx.plan.prompt_uses import prompt_uses

PLAN = """\
version: 1
prompts:
  said: {en: Said.}
  asked: {en: Asked.}
  wrong: {en: Wrong.}
  again: {en: Again.}
  menu: {en: Menu.}
  away: {en: Away.}
  rate: {en: Rate.}
  announced: {en: A call.}
  idle: {en: Nobody says this.}
numbers: {"100": flow:door}
flows:
  door:
    - if: caller.number is ""
      then:
        - say: [said, again]
    - ask: {prompt: asked, save: n, give_up: hangup}
    - say: said
    - ring: {to: [ext:101], announce: announced}
      no_answer: menu:main
    - hangup
menus:
  main:
    prompt: [menu, said]
    keys: {1: flow:door}
    invalid: [{say: wrong, then: repeat}]
    give_up: voicemail:box
voicemail:
  box: {greeting: away}
surveys:
  csat: {prompt: rate, keys: {1: good}}
"""


def test_all_users_of_each_prompt_are_named_once() -> None:
    plan, problems = parse_plan(PLAN, "dialplan.yaml", VOCABULARY)
    assert plan is not None, problems
    assert prompt_uses(plan, VOCABULARY.verbs) == {
        "said": ("flow:door", "menu:main"),
        "asked": ("flow:door",),
        "wrong": ("menu:main",),
        "again": ("flow:door",),
        "menu": ("menu:main",),
        "away": ("voicemail:box",),
        "rate": ("survey:csat",),
        "announced": ("flow:door",),
        "idle": (),
    }
