"""What a plan will say: rendered before anybody calls, and found again when somebody does."""

from __future__ import annotations

from pbx.ivr.sayings import languages_of, sayings_of
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan
from pbx.speech.phrases import fixed
from pbx.speech.saying import Saying

PLAN = """\
version: 1
defaults: {language: en}
prompts:
  welcome: {zh: 欢迎。, en: Welcome.}
  order_is: {zh: "订单${order}。", en: sounds/en/order.wav}
numbers: {"100": {to: flow:door, language: yue}}
flows:
  door: [{say: welcome}, hangup]
"""


def plan() -> Plan:
    """Return the plan above."""
    made, problems = parse_plan(PLAN, "dialplan.yaml", VOCABULARY)
    assert made is not None, problems
    return made


def test_texts_without_values_come_first_and_the_plans_language_before_others() -> None:
    first, second, *phrases = sayings_of(plan())
    assert first == Saying("en", words="Welcome.", name="welcome")
    assert second == Saying("zh", words="欢迎。", name="welcome")
    assert phrases == [*fixed("en"), *fixed("zh"), *fixed("yue")]


def test_phrases_come_in_no_language_that_nobody_speaks() -> None:
    assert languages_of(plan()) == ("en", "zh", "yue")
    assert languages_of(Plan("test")) == ("zh",)
    assert list(sayings_of(Plan("test"))) == list(fixed("zh"))
