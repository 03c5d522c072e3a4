"""Section `defaults`: what holds where nothing else is said.

    defaults: {language: zh, timezone: Asia/Shanghai, country: CN, operator: queue:service,
               menu: {timeout: 5s, between_keys: 2s, tries: 3}, include: [dialplan.d/*.yaml]}

It stands in the first file only. `include` is read before all others, by `pbx/plan/files.py`.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from pbx.marks import Node
from pbx.marks.problem import WRONG_TYPE
from pbx.plan.arguments import Number, OneOf, Place, Seconds
from pbx.plan.destination import OPERATOR, Destination
from pbx.plan.fields import Converted, Key, Keys, Many, Part, Schema, read_fields, schema_of
from pbx.plan.model import LANGUAGES, Defaults, MenuTiming
from pbx.plan.numbering import is_country
from pbx.plan.reading import PlanReader
from pbx.plan.sections.section import Section


@dataclass(frozen=True, slots=True)
class _Timezone:
    """The name of a time zone."""

    written: ClassVar[str] = "a time zone, such as Asia/Shanghai"

    def read(self, reading: PlanReader, node: Node, what: str) -> str | None:
        """Return the name of a zone that there is."""
        text = reading.text(node, what)
        if text is None:
            return None
        try:
            zoneinfo.ZoneInfo(text)
        except (LookupError, ValueError, OSError):
            near = _nearest_zone(text)
            suggestion = f'did you mean "{near}"?' if near else f"write {self.written}"
            reading.problem(node, WRONG_TYPE, f'{what}: "{text}" is no time zone', suggestion)
            return None
        return text

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


_CHINA: Final = ("beijing", "peking", "北京", "中国", "china", "shenzhen", "guangzhou", "chengdu")
"""What people write for the one zone of China, which is named after Shanghai."""

_EAST_8: Final = re.compile(r"(?:UTC|GMT)?\+0?8(?::?00)?")


@lru_cache(maxsize=64)
def _nearest_zone(text: str) -> str | None:
    """Return the zone that was meant: few remember the capitals, or the continent of a city."""
    if text.lower().rpartition("/")[2] in _CHINA or _EAST_8.fullmatch(text):
        return "Asia/Shanghai"
    zones = {zone.lower(): zone for zone in sorted(zoneinfo.available_timezones())}
    cities = {zone.rpartition("/")[2]: zone for zone in reversed(zones)}
    near = difflib.get_close_matches(text.lower(), [*zones, *cities], n=1)
    return zones[cities.get(near[0], near[0])] if near else None


@dataclass(frozen=True, slots=True)
class _Country:
    """A country whose telephone numbers are known."""

    written: ClassVar[str] = "a country's two letters, such as CN"

    def read(self, reading: PlanReader, node: Node, what: str) -> str | None:
        """Return the two letters in capitals."""
        text = reading.text(node, what)
        if text is None:
            return None
        if not is_country(text.upper()):
            sentence = f'{what}: "{text}" is no country'
            reading.problem(node, WRONG_TYPE, sentence, f"write {self.written}")
            return None
        return text.upper()

    def schema(self) -> Schema:
        """Return two letters."""
        return {"type": "string", "pattern": "^[A-Za-z]{2}$"}


@dataclass(frozen=True, slots=True)
class _Operator:
    """Where "operator" leads; never to itself, nor to what only a menu or queue understands."""

    written: ClassVar[str] = "kind:name, such as queue:service"

    def read(self, reading: PlanReader, node: Node, what: str) -> Destination | None:
        """Return a destination."""
        found: Destination | None = Place().read(reading, node, what)
        if found is not None and not found.name and found.kind != "hangup":
            sentence = f"{what} cannot be {found}" + (", itself" if found == OPERATOR else "")
            reading.problem(node, WRONG_TYPE, sentence, f"write {self.written}")
            return None
        return found

    def schema(self) -> Schema:
        """Return any text."""
        return {"type": "string"}


def _pattern(text: str) -> str:
    return text


TIMEZONE = _Timezone()

TIMING: Keys = {
    "timeout": Key("timeout_s", Seconds()),
    "between_keys": Key("between_keys_s", Seconds()),
    "tries": Key("tries", Number(1, 10)),
}

KEYS: Keys = {
    "language": Key("language", OneOf(LANGUAGES)),
    "timezone": Key("timezone", TIMEZONE),
    "country": Key("country", _Country()),
    "operator": Key("operator", _Operator()),
    "menu": Key("menu", Part(TIMING, MenuTiming)),
    "between_queues": Key("between_queues", OneOf(("oldest", "strict", "weighted"))),
    "hold_reminder": Key("hold_reminder_s", Seconds()),
    "include": Key("include", Many(Converted(_pattern, "dialplan.d/*.yaml", {"type": "string"}))),
}


def _read(reader: PlanReader, parts: Sequence[Node]) -> Mapping[str, Any]:
    fields: dict[str, Any] = {}
    for part in parts:
        fields |= read_fields(reader, part, "defaults", KEYS)
    fields.pop("include", None)
    defaults = Defaults(**fields)
    reader.timezone = defaults.timezone
    reader.country = defaults.country
    return {"defaults": defaults}


SECTION = Section("defaults", _read, schema_of(KEYS), KEYS)
