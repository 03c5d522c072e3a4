"""The graph knows every verb: what it leaves open, and where it leads."""

from __future__ import annotations

from pbx.ivr.check.graph import LEADS, SETTLED
from pbx.ivr.verbs import VOCABULARY
from pbx.plan.arguments import Name, Place
from pbx.plan.destination import KINDS

PASSED_ON = {"ask", "lookup"}
"""Verbs with outcomes that go on to the next step whatever stands beside them."""


def test_each_verb_with_outcomes_says_what_they_leave_open() -> None:
    deciding = {verb.name for verb in VOCABULARY.verbs.values() if verb.outcomes}
    assert deciding == set(SETTLED) | PASSED_ON
    for name, outcomes in SETTLED.items():
        assert set(outcomes) <= set(VOCABULARY.verbs[name].outcomes)


def test_each_verb_that_names_a_place_leads_there() -> None:
    naming = {
        verb.name
        for verb in VOCABULARY.verbs.values()
        for parameter in verb.parameters.values()
        if (isinstance(parameter.type, Name) and parameter.type.kind in KINDS)
        or isinstance(parameter.type, Place)
    }
    assert naming == LEADS | {"goto", "do", "queue"}
