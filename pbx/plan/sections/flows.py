"""Section `flows`: lists of steps, one action a line, from top to bottom.

flows:
  night:
    - say: closed
    - goto: voicemail:service
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pbx.marks import Node
from pbx.plan.entries import read_entries
from pbx.plan.model import Flow
from pbx.plan.names import mark_of
from pbx.plan.reading import PlanReader
from pbx.plan.sections.section import Section
from pbx.plan.steps import read_steps


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    flows = {}
    for entry in read_entries(reader, parts, "flows", "flow"):
        steps = read_steps(reader, entry.node, f"flows.{entry.name}")
        flows[entry.name] = Flow(entry.name, steps, mark_of(entry.key))
    return {"flows": flows}


SECTION = Section(
    "flows", _read, {"type": "object", "additionalProperties": {"$ref": "#/$defs/steps"}}
)
