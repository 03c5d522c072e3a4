"""Section `queues`: who is asked, in which order, and what callers hear and get meanwhile.

    queues:
      service: {skills: {service: 3}, relax: {30s: service 1, 90s: any}, max_wait: 10m,
                if_timeout: voicemail:service, if_no_agents: voicemail:service}

Which agents a queue has follows from their skills; they are added without touching this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pbx.marks import MapNode, Node
from pbx.marks.problem import MISSING_OUTCOME, WRONG_TYPE
from pbx.marks.reader import duration
from pbx.plan.arguments import Name, Number, OneOf, Pattern, Place, Seconds, YesNo
from pbx.plan.entries import Entry
from pbx.plan.fields import Converted, Key, Keys, Many, MapOf, Part, Schema
from pbx.plan.model import Callback, Queue, QueueAlarm, Relaxation
from pbx.plan.reading import PlanReader
from pbx.plan.sections.menus import KeyMap
from pbx.plan.sections.outbound import CALLER_ID
from pbx.plan.sections.section import place, things

STRATEGIES: Final = (
    "ring_all",
    "longest_idle",
    "round_robin",
    "fewest_calls",
    "least_talk_time",
    "in_order",
    "random",
    "weighted",
    "skills",
)
"""How agents of equal skill are ordered."""

SKILL = Pattern(r"[^\s:,]{1,40}", "a skill", "is no name of a skill")
LEVEL = Number(1, 10)


def _service_level(text: str) -> tuple[int, float]:
    found = re.fullmatch(r"([0-9]{1,3})\s*%?\s*/\s*([0-9]{1,4})\s*s?", text)
    if not found or not 1 <= int(found[1]) <= 100 or not int(found[2]):
        raise ValueError("is no service level — write 80/20: 80 percent within 20 seconds")
    return int(found[1]), float(found[2])


def _required(text: str) -> dict[str, int]:
    """Read `service 1`, `service 1, english 3`, or `any`, which is none."""
    if text == "any":
        return {}
    skills = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*([^\s:,]{1,40})(?:\s+([0-9]{1,2}))?\s*", part)
        if not found or not 1 <= int(found[2] or 1) <= LEVEL.high:
            raise ValueError('is no requirement — write "service 1", or any')
        skills[found[1]] = int(found[2] or 1)
    return skills


@dataclass(frozen=True, slots=True)
class Relax:
    """Lesser requirements, by how long a caller has waited; each replaces the whole before."""

    written: ClassVar[str] = "{30s: service 1, 90s: any}"

    def read(self, reading: PlanReader, node: Node, what: str) -> tuple[Relaxation, ...]:
        """Return them by time."""
        text: Schema = {"type": "string"}
        found: dict[float, Relaxation] = {}
        for words, (key, value) in reading.mapping(node, what).items():
            after = Converted(duration, "30s", text).read(reading, key, what)
            skills = Converted(_required, "service 1", text).read(reading, value, f"{what} {words}")
            if after is not None and after in found:
                reading.problem(
                    key, WRONG_TYPE, f"{what}: {words} stands twice", "remove one of them"
                )
            elif after is not None and skills is not None:
                found[after] = Relaxation(after, skills)
        return tuple(found[after] for after in sorted(found))

    def schema(self) -> Schema:
        """Return a map of texts."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class SurveyOf:
    """A survey, asked after each call, or after so many percent of them."""

    written: ClassVar[str] = "name of a survey, or {ask: NAME, percent: 20}"

    def read(self, reading: PlanReader, node: Node, what: str) -> dict[str, Any] | None:
        """Return the fields `survey` and `survey_percent`."""
        if isinstance(node, MapNode):
            found: dict[str, Any] | None = _SURVEY.read(reading, node, what)
            return found
        name = Name("survey").read(reading, node, what)
        return None if name is None else {"survey": name}

    def schema(self) -> Schema:
        """Return both forms."""
        return {"anyOf": [Name("survey").schema(), _SURVEY.schema()]}


_SURVEY: Final = Part(
    {
        "ask": Key("survey", Name("survey"), required=True),
        "percent": Key("survey_percent", Number(0, 100)),
    }
)

KEYS: Keys = {
    "skills": Key("skills", MapOf(SKILL, LEVEL)),
    "strategy": Key("strategy", OneOf(STRATEGIES)),
    "music": Key("music", Pattern(r"[^\s/\\:.]{1,64}", "a folder of music", "is no name of music")),
    "priority": Key("priority", Number(0, 100)),
    "weight": Key("weight", Number(1, 100)),
    "last_agent": Key("last_agent_s", Seconds()),
    "ring": Key("ring_s", Seconds()),
    "missed": Key("missed", Number(1, 20)),
    "wrap_up": Key("wrap_up_s", Seconds()),
    "say_agent_number": Key("say_agent_number", YesNo()),
    "service_level": Key(
        "service_level", Converted(_service_level, "80/20", {"type": "string", "pattern": "/"})
    ),
    "position": Key(
        "",
        Part(
            {
                "every": Key("position_every_s", Seconds(), required=True),
                "estimate": Key("say_estimate", YesNo()),
            }
        ),
    ),
    "offer": Key(
        "",
        Part(
            {
                "after": Key("offer_after_s", Seconds(), required=True),
                "menu": Key("offer_menu", Name("menu"), required=True),
            }
        ),
    ),
    "relax": Key("relax", Relax()),
    "max_wait": Key("max_wait_s", Seconds()),
    "max_callers": Key("max_callers", Number(1, 10_000)),
    "if_full": Key("if_full", Place()),
    "if_no_agents": Key("if_no_agents", Place(), required=True, code=MISSING_OUTCOME),
    "if_timeout": Key("if_timeout", Place()),
    "record": Key(
        "",
        Part(
            {
                "who": Key("record_who", OneOf(("all", "none")), required=True),
                "percent": Key("record_percent", Number(0, 100)),
            }
        ),
    ),
    "survey": Key("", SurveyOf()),
    "keys": Key("", KeyMap()),
    "announce": Key(
        "",
        Part(
            {
                "prompt": Key("announce", Name("prompt"), required=True),
                "every": Key("announce_every_s", Seconds()),
            }
        ),
    ),
    "whisper": Key("whisper", YesNo()),
    "confirm_key": Key("confirm_key", Pattern(r"[0-9*#]", "a key", "is no key of a phone")),
    "auto_answer": Key("auto_answer", YesNo()),
    "caller_id": Key("caller_id", CALLER_ID),
    "callback": Key(
        "callback",
        Part(
            {
                "first": Key("first", OneOf(("agent", "customer"))),
                "tries": Key("tries", Number(1, 10)),
                "again": Key("again_s", Many(Seconds())),
                "hours": Key("hours", Name("hours")),
            },
            Callback,
        ),
    ),
    "alarm": Key(
        "alarm",
        Part(
            {
                "waiting": Key("waiting", Number(1, 10_000)),
                "longest_wait": Key("longest_wait_s", Seconds()),
                "service_level": Key("service_level", Number(1, 100)),
            },
            QueueAlarm,
        ),
    ),
}

_LIMITS: Final = {"max_wait": "if_timeout", "max_callers": "if_full"}
"""A limit → what says where a call goes that meets it."""


def _build(reader: PlanReader, entry: Entry, fields: Mapping[str, Any]) -> Queue:
    written = {key.value for key, _ in getattr(entry.node, "entries", ())}
    for limit, outcome in _LIMITS.items():
        if limit in written and outcome not in written:
            sentence = f"queues.{entry.name} has {limit} and no {outcome}"
            at = entry.key if limit in entry.copied else place(entry, limit)
            reader.problem(at, MISSING_OUTCOME, sentence, f"write {outcome}: voicemail:NAME")
    return Queue(**fields)


SECTION = things("queues", "queue", KEYS, _build)
