"""`Headers`: the header fields of one message, as text, by name (RFC 3261 §7.3).

Names are case-blind and compact forms are the same names; values keep their text. The fields of
one name keep their order, names come in the order in which each was first seen: between different
names order has no meaning (§7.3.1). What values mean is `headers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pbx.errors import MessageError, UsageError
from pbx.sip.grammar import LWS, is_token

MAX_FIELDS = 200
"""Header fields of one message."""

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
"""The compact forms of RFC 3261 §7.3.3 and of the extensions registered since."""

_COMMON = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Authorization"),
    *("Authentication-Info", "CSeq", "Call-Info", "Content-Disposition", "Date", "Diversion"),
    *("Expires", "History-Info", "MIME-Version", "Max-Forwards", "Min-Expires", "Min-SE"),
    *("P-Access-Network-Info", "P-Asserted-Identity", "P-Preferred-Identity", "Path", "Privacy"),
    *("Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "RSeq", "Reason"),
    *("Record-Route", "Refer-Sub", "Refer-To", "Remote-Party-ID", "Replaces", "Require"),
    *("Retry-After", "Route", "Server"),
    *("Service-Route", "Subscription-State", "Timestamp", "Unsupported", "User-Agent"),
    *("WWW-Authenticate", "Warning"),
)

_CANONICAL = {
    spelling: name
    for short, name in [*_COMPACT.items(), *((name, name) for name in _COMMON)]
    for spelling in (short, short.upper(), short.lower(), name, name.lower(), name.upper())
}
"""How names are usually written → the one spelling that they are kept and sent in."""


class Headers:
    """An ordered multidict of header fields: names are case-blind, values hold no line ends."""

    __slots__ = ("_fields", "_spelling")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[str]] = {}
        self._spelling: dict[str, str] | None = None  # of names that are in no table
        for name, value in fields:
            self.add(name, value)

    def parse(self, lines: Iterable[str]) -> MessageError | None:
        """Add unfolded header lines; return what is wrong with the first that is none.

        All others are read nevertheless, so that an answer and the next message can be found.
        Raises `MessageError` 400 at the 201st.
        """
        fields = self._fields
        canonical = _CANONICAL
        fault = None
        left = MAX_FIELDS
        for line in lines:
            name, colon, value = line.partition(":")
            key = canonical.get(name)
            if key is None:
                if not colon or not is_token(name.rstrip(LWS)):
                    fault = fault or MessageError(400, "bad_header_line", line[:40])
                    continue
                key = self._key(name.rstrip(LWS))
            if not left:
                raise MessageError(400, "too_many_headers")
            left -= 1
            if key in fields:
                fields[key].append(value.strip(LWS))
            else:
                fields[key] = [value.strip(LWS)]
        return fault

    def get(self, name: str) -> str | None:
        """Return the first value of `name`, None where there is none."""
        values = self._fields.get(name) or self._fields.get(
            _CANONICAL.get(name) or _canonical(name)
        )
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Return all values of `name` in order, one for each header line."""
        values = self._fields.get(name) or self._fields.get(
            _CANONICAL.get(name) or _canonical(name)
        )
        return values.copy() if values else []

    def __contains__(self, name: str) -> bool:
        return _canonical(name) in self._fields

    def add(self, name: str, value: str) -> None:
        """Add one more value of `name` behind those that are there.

        Raises `UsageError` for a value that would not stay in its line; so do all that write.
        """
        self._fields.setdefault(self._checked(name, value), []).append(value)

    def insert(self, name: str, value: str) -> None:
        """Add one more value of `name` before those that are there."""
        self._fields.setdefault(self._checked(name, value), []).insert(0, value)

    def set(self, name: str, value: str) -> None:
        """Make `value` the only value of `name`; the place among the names is kept."""
        self._fields[self._checked(name, value)] = [value]

    def set_first(self, name: str, value: str) -> None:
        """Put `value` in the place of the first value of `name`, or add it."""
        self._fields.setdefault(self._checked(name, value), [""])[0] = value

    def remove(self, name: str) -> None:
        """Remove all values of `name`; nothing happens where there is none."""
        self._fields.pop(_canonical(name), None)

    def take(self, name: str) -> list[str]:
        """Remove all values of `name` and return them in order."""
        return self._fields.pop(_canonical(name), [])

    def copy_from(self, other: Headers, *names: str) -> None:
        """Take over all values of `names` as they are written in `other`."""
        for name in names:
            values = other._fields.get(_canonical(name))
            if values:
                self._fields[self._key(name)] = values.copy()

    def repeated(self) -> list[str]:
        """Return the names that have more than one line."""
        return [name for name, values in self._fields.items() if len(values) > 1]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        spelling = self._spelling
        for key, values in self._fields.items():
            name = spelling.get(key, key) if spelling else key
            for value in values:
                yield name, value

    def __len__(self) -> int:
        return sum(map(len, self._fields.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"

    def _checked(self, name: str, value: str) -> str:
        if "\r" in value or "\n" in value:
            raise UsageError(f"a value of {name} holds a line end: {value!r}")
        return self._key(name)

    def _key(self, name: str) -> str:
        key = _canonical(name)
        if key not in _CANONICAL:
            if self._spelling is None:
                self._spelling = {}
            self._spelling.setdefault(key, name)
        return key


def _canonical(name: str) -> str:
    known = _CANONICAL.get(name)
    if known is None:
        lower = name.lower()
        known = _CANONICAL.get(lower, lower)
    return known
