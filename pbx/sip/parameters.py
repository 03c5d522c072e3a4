"""`Parameters`: the `;name=value` lists of header values and of URIs (RFC 3261 §7.3.1, §19.1.1).

Names are case-blind and come once; order is kept but has no meaning; a value is text, or None for
a flag. Two lists are equal when they hold the same names with the same written values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pbx.errors import MessageError
from pbx.sip.grammar import LWS, QUOTED, TOKEN, is_quoted, normalise_escapes, quote, unquote

# Generous with values (the RFC wants a token, a host or a quoted string): real ones hold "/" or
# "@". What ends a value, or needs quoting, stays out.
_VALUE = r'[^ \t;,"<>\\\x00-\x1f\x7f]++'
_PLAIN = re.compile(rf"(?:;{TOKEN}(?:={_VALUE})?)*")
_SPACED = re.compile(
    rf"[ \t]*+;[ \t]*+({TOKEN})(?:[ \t]*+=[ \t]*+({QUOTED}|{_VALUE}))?",
)
_PLAIN_VALUE = re.compile(_VALUE)
_URI_NAME = r"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+"
_URI_VALUE = r"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$=]|%[0-9A-Fa-f]{2})+"  # "=": base64 in the wild
_IN_URI = re.compile(rf"(?:;{_URI_NAME}(?:={_URI_VALUE})?)*")


class Parameters:
    """Named parameters of one header value or URI; never changed, only copied.

    Names are given to every method in lower case. Values that need it are quoted on construction.
    """

    __slots__ = ("_text", "_values")

    def __init__(self, items: Iterable[tuple[str, str | None]] = ()) -> None:
        self._values = {name.lower(): _written(value) for name, value in items}
        self._text: str | None = None

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read the parameters of a header: `text` is empty or starts with `;`.

        Raises `MessageError` 400 for anything else and for a name that comes twice (§7.3.1).
        """
        if not text:
            return NO_PARAMETERS
        if _PLAIN.fullmatch(text):
            return cls._split(text, escaped=False)
        return cls._scan(text)

    @classmethod
    def parse_uri(cls, text: str) -> Parameters:
        """Read the parameters of a URI: no white space, no quotes, escapes allowed (§19.1.1)."""
        if not text:
            return NO_PARAMETERS
        if not _IN_URI.fullmatch(text):
            raise MessageError(400, "bad_uri_parameters", text[:40])
        return cls._split(text, escaped="%" in text)

    @classmethod
    def _split(cls, text: str, *, escaped: bool) -> Parameters:
        values: dict[str, str | None] = {}
        parts = text[1:].split(";")
        for part in parts:
            name, equals, value = part.partition("=")
            if escaped:
                name = normalise_escapes(name)
            values[name.lower()] = value if equals else None
        return cls._made(values, text, len(parts))

    @classmethod
    def _scan(cls, text: str) -> Parameters:
        values: dict[str, str | None] = {}
        count = position = 0
        while match := _SPACED.match(text, position):
            values[match[1].lower()] = match[2]
            position = match.end()
            count += 1
        if text[position:].strip(LWS):
            raise MessageError(400, "bad_parameters", text[position : position + 40])
        return cls._made(values, None, count)

    @classmethod
    def _made(cls, values: dict[str, str | None], text: str | None, count: int) -> Parameters:
        if len(values) != count:
            raise MessageError(400, "duplicate_parameter", ", ".join(values)[:40])
        parameters = object.__new__(cls)
        parameters._values = values
        parameters._text = text
        return parameters

    def __str__(self) -> str:
        if self._text is None:
            self._text = "".join(
                f";{name}" if value is None else f";{name}={value}"
                for name, value in self._values.items()
            )
        return self._text

    def __repr__(self) -> str:
        return f"Parameters({str(self)!r})"

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        """Yield names in lower case with their values as written, quotes included."""
        return iter(self._values.items())

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameters) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def get(self, name: str) -> str | None:
        """Return the value of `name`, unquoted; None where it is absent or a flag."""
        value = self._values.get(name)
        return unquote(value) if value else None

    def replace(self, name: str, value: str | None) -> Parameters:
        """Return a copy in which `name` has `value` (None: a flag), in its old place or last."""
        return Parameters((self._values | {name: value}).items())

    def without(self, *names: str) -> Parameters:
        """Return a copy that lacks `names`."""
        return Parameters(item for item in self._values.items() if item[0] not in names)


def _written(value: str | None) -> str | None:
    if value is None or _PLAIN_VALUE.fullmatch(value) or is_quoted(value):
        return value
    return quote(value)


NO_PARAMETERS = Parameters()
"""The empty list, shared."""
