"""Which numbers another dialplan changes, and why."""

from __future__ import annotations

from dataclasses import replace

from pbx.dialplan.changes import NumberChange, changes_between
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.loader import parse_plan
from pbx.plan.model import Plan

TEXT = """\
version: 1
defaults: {language: zh, operator: queue:service}
prompts:
  welcome: {zh: 您好。}
  closed: {zh: 下班了。}
  rate_us: {zh: 请评分。}
hours:
  office: {weekly: {mon-fri: 09:00-18:00}}
numbers:
  "4001": flow:front
  "4002": {to: ring:sales, tag: advert}
  "4003": ext:101
  anything_else: operator
flows:
  front:
    - say: welcome
    - hours: office
      open: menu:main
      closed: flow:night
  night:
    - say: closed
    - goto: voicemail:box
menus:
  main:
    prompt: welcome
    keys: {1: queue:service, 2: ring:sales}
    give_up: operator
ring_groups:
  sales: {members: [ext:101], no_answer: voicemail:box}
queues:
  service:
    survey: csat
    if_full: voicemail:box
    if_no_agents: voicemail:box
    if_timeout: voicemail:box
voicemail:
  box: {greeting: closed}
surveys:
  csat: {prompt: rate_us, keys: {1: good}}
conferences:
  "7001": {}
"""


def plan(text: str = TEXT) -> Plan:
    loaded, problems = parse_plan(text, "dialplan.yaml", VOCABULARY)
    assert loaded is not None, problems
    return loaded


def changed(*edits: tuple[str, str]) -> dict[str, NumberChange]:
    """Return the changes that edits of the text make, by number."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return {change.number: change for change in changes_between(plan(), plan(text)).numbers}


def test_a_comment_and_another_order_change_nothing() -> None:
    assert changed(("version: 1\n", "version: 1\n# a comment\n\n")) == {}
    moved = TEXT.replace('  "7001": {}\n', "").replace("conferences:\n", "")
    moved = moved.replace("numbers:\n", 'conferences:\n  "7001": {}\nnumbers:\n')
    assert changes_between(plan(), plan(moved)).numbers == ()


def test_another_start_is_told_as_it_was_and_is() -> None:
    found = changed(("flow:front\n", "flow:night\n"), (", tag: advert", ""))
    assert found["4001"] == NumberChange("4001", "flow:front", "flow:night", ())
    assert found["4002"] == NumberChange("4002", "ring:sales (tag advert)", "ring:sales", ())
    assert set(found) == {"4001", "4002"}


def test_numbers_come_and_go() -> None:
    found = changed(('"4003": ext:101', '"4009": ext:101'), ('"7001"', '"7002"'))
    assert found == {
        "4003": NumberChange("4003", "ext:101", None),
        "4009": NumberChange("4009", None, "ext:101"),
        "7001": NumberChange("7001", "conference:7001", None),
        "7002": NumberChange("7002", None, "conference:7002"),
    }


def test_what_a_call_reaches_later_is_named() -> None:
    found = changed(("下班了", "我们下班了"))
    assert set(found) == {"4001", "4002", "anything_else"}
    assert {change.because for change in found.values()} == {("prompt:closed",)}
    assert found["4001"].was == found["4001"].now == "flow:front"


def test_hours_surveys_and_rooms_count_too() -> None:
    assert changed(("18:00", "17:00"))["4001"].because == ("hours:office",)
    assert set(changed(("18:00", "17:00"))) == {"4001"}
    assert changed(("请评分", "评分"))["anything_else"].because == ("prompt:rate_us",)
    assert changed(('"7001": {}', '"7001": {max: 5}'))["7001"].because == ("conference:7001",)


def test_another_operator_changes_who_reaches_it() -> None:
    found = changed(("operator: queue:service", "operator: ring:sales"))
    assert found["anything_else"].because == ("operator",)
    assert set(found) == {"4001", "anything_else"}


def test_defaults_change_every_number() -> None:
    assert set(changed(("language: zh", "language: en"))) == {
        "4001",
        "4002",
        "4003",
        "7001",
        "anything_else",
    }


def test_other_sections_are_told_as_a_whole() -> None:
    extra = 'features: {echo: "*44"}\n'
    found = changes_between(plan(), plan(TEXT + extra))
    assert (found.numbers, found.sections) == ((), ("features",))


def test_plans_of_equal_content_are_equal_whatever_their_version() -> None:
    found = changes_between(plan(), replace(plan(), version_id="other"))
    assert (found.numbers, found.sections) == ((), ())
