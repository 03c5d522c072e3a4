"""Web addresses with values in them: `https://crm.local/api/by-phone/${caller.number}`.

Scheme, host and port stand in the file and nowhere else. A value goes into the path or the query,
percent-encoded whole (RFC 3986 §2.1), so whatever a caller keys or a carrier sends it is one
segment of the path or one value of the query: it cannot name another host, leave its folder or
begin a query. Hosts have one spelling each: 127.1, 0x7f000001 and crm.local. are refused, as
programs differ in what they take them for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from pbx.marks.hosts import host_spelling
from pbx.plan.text import Insert, Text

PORTS: Final = {"http": 80, "https": 443}
"""Schemes that lookups speak, and their ports."""

MAX_TARGET: Final = 4_000
"""Characters of path and query, encoded; more is no honest value."""

_HEAD = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]@\\\s]+))(?::(?P<port>[0-9]{1,5}))?"
)
_PATH_SAFE = "/%:@!$&'()+*,;=-._~"
_QUERY_SAFE = _PATH_SAFE + "?"

Parts = tuple[str | Insert, ...]


class EmptyValue(ValueError):
    """A value that names what to ask for is empty: there is nothing to ask."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address to ask: `target` is path and query, percent-encoded."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Return the text of the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UrlText:
    """An address as the file has it. `host` is in its one spelling, IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    path: Parts
    query: Parts | None = None

    def fill(self, values: Mapping[str, str]) -> Url:
        """Return the address with the values in it.

        Raises EmptyValue where a segment of the path would be nothing, ValueError where it would be
        `.` or `..`, or all is too long; the sentences hold no value.
        """
        target = _filled_path(self.path, values)
        if self.query is not None:
            target += "?" + "".join(_encoded(part, values, _QUERY_SAFE) for part in self.query)
        if len(target) > MAX_TARGET:
            raise ValueError(f"the address is longer than {MAX_TARGET} characters")
        return Url(self.scheme, self.host, self.port, target)


def parse_url(text: Text) -> UrlText:
    """Read an address. Raises ValueError with a sentence that goes on from its name: "has …"."""
    first, *others = text.parts or ("",)
    found = _HEAD.match(first) if isinstance(first, str) else None
    if found is None or not isinstance(first, str):
        raise ValueError("must begin with http://HOST/ or https://HOST/, without a value in it")
    if any(isinstance(part, str) and "#" in part for part in text.parts):
        raise ValueError('has a "#"; what follows it would never be sent')
    scheme = found[1].lower()
    host, port = _authority(found[2])
    rest = first[found.end() :]
    if others and not rest:
        raise ValueError('needs a "/" between the host and the first value')
    path, query = _split_query((rest, *others) if rest else tuple(others))
    return UrlText(scheme, host, PORTS[scheme] if port is None else port, path, query)


def _authority(text: str) -> tuple[str, int | None]:
    if "@" in text:
        raise ValueError("has a user or password in it; write a header and ${secret.NAME} instead")
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise ValueError("must begin with http://HOST/ or https://HOST/")
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise ValueError("has no port from 1 to 65535")
    host = found["six"] or found["host"]
    try:
        return host_spelling(host), port
    except ValueError as error:
        raise ValueError(f'has the host "{host}", which {error}') from None


def _split_query(parts: Parts) -> tuple[Parts, Parts | None]:
    """Split at the first "?" that the file has."""
    for at, part in enumerate(parts):
        if isinstance(part, str) and "?" in part:
            before, _, behind = part.partition("?")
            return (*parts[:at], before), (behind, *parts[at + 1 :])
    return parts, None


def _filled_path(parts: Parts, values: Mapping[str, str]) -> str:
    segments, has_value = [""], [False]
    for part in parts:
        encoded = _encoded(part, values, _PATH_SAFE)
        if isinstance(part, Insert):
            segments[-1] += encoded
            has_value[-1] = True
            continue
        first, *others = encoded.split("/")
        segments[-1] += first
        segments += others
        has_value += [False] * len(others)
    for segment, filled in zip(segments, has_value, strict=True):
        if filled and not segment:
            raise EmptyValue("a value in the path is empty")
        if filled and unquote(segment) in (".", ".."):
            raise ValueError("a value in the path is a way out of its folder")
    return "/".join(segments) or "/"


def _encoded(part: str | Insert, values: Mapping[str, str], safe: str) -> str:
    if isinstance(part, Insert):
        return quote(part.value(values), safe="", errors="replace")
    return quote(part, safe=safe, errors="replace")
