"""`Headers`: the header fields of one message, as text, by name (RFC 3261 §7.3).

Names are case-blind, compact forms are the same names, values keep their text. Fields of one name keep their order,
names come in the order in which each was first seen: between different names order has no meaning (§7.3.1).
`Headers.parse` reads unfolded header lines; what the values mean is `headers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pbx.errors import MessageError, UsageError
from pbx.sip.grammar import LWS, is_token

MAX_FIELDS = 200
"""Header fields of one message."""

_NAMES = """
Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info Authorization
Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length Content-Type CSeq Date
Diversion Error-Info Event Expires From History-Info Identity In-Reply-To Join Max-Forwards MIME-Version Min-Expires
Min-SE Organization P-Access-Network-Info P-Asserted-Identity P-Preferred-Identity Path Priority Privacy
Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Refer-Sub Refer-To Referred-By
Reject-Contact Remote-Party-ID Replaces Reply-To Request-Disposition Require Retry-After Route RSeq Server Service-Route
Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog Timestamp To Unsupported
User-Agent Via Warning WWW-Authenticate
""".split()

_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""Compact forms in use (RFC 3261 §7.3.3 and the IANA registry)."""

_CANONICAL = (
    {name: name for name in _NAMES}
    | {name.lower(): name for name in _NAMES}
    | {name.upper(): name for name in _NAMES}
    | _COMPACT
    | {compact.upper(): name for compact, name in _COMPACT.items()}
)


class Headers:
    """An ordered multidict of header fields: names are case-blind, values are text without line ends."""

    __slots__ = ("_fields", "_spelling")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        self._spelling: dict[str, str] | None = None  # of names that are not in the table
        for name, value in fields:
            self.add(name, value)

    def parse(self, lines: Iterable[str]) -> None:
        """Add unfolded header lines; stop with `MessageError` 400 at one that is none, or at the 201st."""
        fields = self._fields
        canonical = _CANONICAL
        left = MAX_FIELDS
        for line in lines:
            name, colon, value = line.partition(":")
            key = canonical.get(name)
            if key is None:
                key = self._read_name(name, colon)
            left -= 1
            if left < 0:
                raise MessageError(400, "too_many_headers")
            if key in fields:
                fields[key].append(value.strip(LWS))
            else:
                fields[key] = [value.strip(LWS)]

    def _read_name(self, written: str, colon: str) -> str:
        name = written.rstrip(LWS)
        if not colon or not is_token(name):
            raise MessageError(400, "bad_header_line", written[:40])
        return self._key(name)

    def _key(self, name: str) -> str:
        key = _CANONICAL.get(name)
        if key is None:
            lower = name.lower()
            key = _CANONICAL.get(lower)
            if key is None:
                if self._spelling is None:
                    self._spelling = {}
                self._spelling.setdefault(lower, name)
                key = lower
        return key

    def get(self, name: str) -> str | None:
        """Return the first value of `name`, None where there is none."""
        values = self._fields.get(name) or self._fields.get(_lookup(name))
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Return all values of `name` in order, one for each header line."""
        return list(self._fields.get(_lookup(name), ()))

    def __contains__(self, name: str) -> bool:
        return _lookup(name) in self._fields

    def add(self, name: str, value: str) -> None:
        """Add one more value of `name` behind those that are there."""
        _check(name, value)
        self._fields.setdefault(self._key(name), []).append(value)

    def set(self, name: str, value: str) -> None:
        """Make `value` the only value of `name`; its place among the names is kept."""
        _check(name, value)
        self._fields[self._key(name)] = [value]

    def set_first(self, name: str, value: str) -> None:
        """Put `value` in the place of the first value of `name`."""
        _check(name, value)
        self._fields[_lookup(name)][0] = value

    def insert(self, name: str, value: str) -> None:
        """Add one more value of `name` before those that are there."""
        _check(name, value)
        self._fields.setdefault(self._key(name), []).insert(0, value)

    def remove(self, name: str) -> None:
        """Remove all values of `name`; nothing happens where there is none."""
        self._fields.pop(_lookup(name), None)

    def copy_from(self, other: Headers, name: str) -> None:
        """Take over all values of `name` as they are written in `other`."""
        values = other._fields.get(name)
        if values:
            self._fields[name] = values.copy()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        spelling = self._spelling or {}
        for key, values in self._fields.items():
            name = spelling.get(key, key)
            for value in values:
                yield name, value

    def __len__(self) -> int:
        return sum(map(len, self._fields.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


def _lookup(name: str) -> str:
    key = _CANONICAL.get(name)
    if key is None:
        lower = name.lower()
        key = _CANONICAL.get(lower, lower)
    return key


def _check(name: str, value: str) -> None:
    if "\r" in value or "\n" in value or "\0" in value:
        raise UsageError(f"the value of {name} would break the header: {value!r}")
