"""Section `features`: other codes for what phones can dial.

features: {echo: "*43", voicemail: "*97"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pbx.marks import Node, did_you_mean
from pbx.marks.problem import NOT_ACTED_ON, OVERLAP, UNKNOWN_KEY
from pbx.plan.arguments import Pattern
from pbx.plan.entries import read_entries
from pbx.plan.reading import PlanReader
from pbx.plan.sections.section import Section
from pbx.plan.vocabulary import FEATURES, LATER_FEATURES, OTHER_NAMES

CODE = Pattern(r"[0-9*#]{1,8}", 'a code, such as "*43"', "is no code; write digits, * and #")

_NAMES = (*FEATURES, *OTHER_NAMES, *LATER_FEATURES)


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    features: dict[str, str] = {}
    names: dict[str, str] = {}
    known = (*reader.vocabulary.features, *OTHER_NAMES, *LATER_FEATURES)
    for entry in read_entries(reader, parts, "features", None, r"(?s:.*)"):
        if entry.name not in known:
            sentence = f'unknown feature "{entry.name}"'
            reader.problem(entry.key, UNKNOWN_KEY, sentence, did_you_mean(entry.name, known))
            continue
        code = CODE.read(reader, entry.node, f"features.{entry.name}")
        name = OTHER_NAMES.get(entry.name, entry.name)
        if name not in reader.vocabulary.features:
            sentence = f"features: {entry.name} is not acted on yet"
            reader.problem(entry.key, NOT_ACTED_ON, sentence)
        elif code is not None:
            first = names.setdefault(code, entry.name)
            if OTHER_NAMES.get(first, first) != name:
                sentence = f"features: {entry.name} and {first} have one code, {code}"
                reader.problem(entry.node, OVERLAP, sentence, "give one of them another")
            features[name] = code
    return {"features": features}


SECTION = Section(
    "features",
    _read,
    {
        "type": "object",
        "properties": {name: dict(CODE.schema()) for name in _NAMES},
        "additionalProperties": False,
    },
)
