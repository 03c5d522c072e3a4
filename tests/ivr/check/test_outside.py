"""What a plan asks of the world around it."""

from __future__ import annotations

from dataclasses import replace

from pbx.config import Settings
from pbx.ivr.check import examine
from pbx.ivr.verbs import VOCABULARY
from pbx.marks.problem import NO_EMERGENCY_LINE
from pbx.plan.loader import read_text
from tests.ivr.check.told import DOOR, FACTS, sentences, told

WEB = 'lookups: {shop: {http: "https://crm.example/${caller.number}"}}\n'


def test_a_lookup_in_a_flow_that_is_run_before_the_answer_is_told() -> None:
    text = f"{DOOR}{WEB}flows:\n  door: [%s, hangup]\n  ask: [lookup: shop]\n"
    assert told(text % "do: ask, answer") == ["W024:5"]
    assert told(text % "answer, do: ask") == []


def test_a_flow_that_answers_makes_what_follows_it_heard() -> None:
    text = f"{DOOR}{WEB}flows:\n  door: [do: pickup, lookup: shop, hangup]\n  pickup: [%s]\n"
    assert told(text % "answer") == []
    assert told(text % "priority: 5") == ["W024:4"]


def test_databases_are_quick_enough() -> None:
    text = f"""{DOOR}lookups: {{shop: {{sql: shop, query: SELECT 1}}}}
flows: {{door: [lookup: shop, hangup]}}
"""
    assert told(text) == []


def test_agents_count_only_where_they_are_known() -> None:
    text = """numbers: {"400": queue:a}
queues: {a: {skills: {tech: 5}, relax: {90s: any}, if_no_agents: hangup}}
"""
    assert told(text) == []
    assert told(text, replace(FACTS, agents=({"tech": 5},))) == []
    assert sentences(text, replace(FACTS, agents=({"tech": 4}, {"sales": 9}))) == [
        "W025 queues.a: no agent has tech 5"
        " — callers wait 90 s before anybody is asked; give an agent the skill"
    ]


def test_a_line_without_a_rule_for_emergencies_is_an_error() -> None:
    text = 'numbers: {"400": ext:101}\n'
    assert told(text, replace(FACTS, trunks=True)) == ["E018:0"]
    rule = 'outbound: {emergency: {match: ["110"], trunks: [main], emergency: yes}}\n'
    assert told(text + rule, replace(FACTS, trunks=True)) == []


def test_an_office_without_a_line_is_warned_once() -> None:
    found = examine(read_text("version: 1\n", "d.yaml", VOCABULARY), FACTS).problems
    assert [(each.code, each.line) for each in found] == [(NO_EMERGENCY_LINE, 1)]


def test_what_callpbx_yaml_lacks_is_told() -> None:
    text = f"{DOOR}{WEB}flows: {{door: [answer, lookup: shop, hangup]}}\n"
    assert told(text) == []
    assert told(text, replace(FACTS, settings=Settings())) == ["W027:2"]
