"""The JSON Schema of dialplan.yaml (draft 2020-12), for editors that complete and check.

It is made of the tables that the loader reads by. It is kinder than the loader: names are any text,
and what depends on two keys at once is not looked at. `callpbx check` has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pbx.plan.sections import SECTIONS
from pbx.plan.step import VerbSchema
from pbx.plan.vocabulary import Vocabulary

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_BRANCH: Final = {"$ref": "#/$defs/branch"}
_NULL: Final = {"type": "null"}


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the schema of a dialplan that may use this vocabulary."""
    sections = {name: {"anyOf": [section.schema, _NULL]} for name, section in SECTIONS.items()}
    verbs = [verb for verb in vocabulary.verbs.values() if not verb.later]
    return {
        "$schema": DRAFT,
        "title": "dialplan.yaml of callpbx",
        "type": "object",
        "properties": {"version": {"enum": [1, "1"]}, **sections},
        "additionalProperties": False,
        "$defs": {
            "step": {"anyOf": [_bare(verbs), *map(_step, verbs)]},
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1},
            "branch": {
                "anyOf": [
                    {"type": "string"},
                    {"$ref": "#/$defs/steps"},
                    {"allOf": [{"type": "object"}, {"$ref": "#/$defs/step"}]},
                ]
            },
            "choice": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/steps"}, _in_order(verbs)]},
        },
    }


def _bare(verbs: list[VerbSchema]) -> dict[str, Any]:
    """Return the steps that are one word."""
    return {"enum": [verb.name for verb in verbs if _stands_alone(verb) and not verb.required]}


def _stands_alone(verb: VerbSchema) -> bool:
    return not any(parameter.required for parameter in verb.parameters.values())


def _step(verb: VerbSchema) -> dict[str, Any]:
    """Return a step of this verb, with its outcomes beside."""
    outcomes = dict.fromkeys(verb.outcomes, _BRANCH)
    return {
        "type": "object",
        "description": verb.summary,
        "properties": {verb.name: _value(verb), **outcomes},
        "required": [verb.name],
        "additionalProperties": _BRANCH if verb.values else False,
    }


def _value(verb: VerbSchema) -> dict[str, Any]:
    """Return what may stand behind a verb: its main argument, or all of them."""
    return {"anyOf": list(_values(verb))}


def _values(verb: VerbSchema) -> Iterator[dict[str, Any]]:
    if verb.main is not None:
        yield dict(verb.parameters[verb.main].type.schema())
    if verb.parameters or verb.outcomes:
        arguments = {
            name: {"description": parameter.type.written, **parameter.type.schema()}
            for name, parameter in verb.parameters.items()
        }
        yield {
            "type": "object",
            "properties": {**arguments, **dict.fromkeys(verb.outcomes, _BRANCH)},
            "required": [name for name, each in verb.parameters.items() if each.required],
            "additionalProperties": False,
        }
    if _stands_alone(verb):
        yield _NULL


def _in_order(verbs: list[VerbSchema]) -> dict[str, Any]:
    """Return verbs as keys of one map: `{say: NAME, then: repeat}`."""
    return {
        "type": "object",
        "properties": {verb.name: _value(verb) for verb in verbs} | {"then": {"type": "string"}},
        "additionalProperties": False,
    }
