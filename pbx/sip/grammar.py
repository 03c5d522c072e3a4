"""The grammar that SIP header values share (RFC 3261 §25.1): tokens, quoted strings, lists, parameters, escapes.

Texts here are one unfolded header value, so white space is SP and HTAB alone. Every pattern is linear (possessive
quantifiers, no nested repeats), every failure is a `MessageError` with status 400 and a slug that names the rule.
Meaning is not decided here: what a parameter or a token stands for is `uri` and `headers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pbx.errors import MessageError

LWS = " \t"
"""White space within an unfolded header value."""

_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*+"'
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]++")
_SEPARATED = re.compile(rf'({_QUOTED}|<[^<>]*+>)|(,)|["<>]')
_QUOTED_STRING = re.compile(_QUOTED)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_PARAMETER = re.compile(
    rf"[ \t]*+;[ \t]*+([A-Za-z0-9\-.!%*_+`'~]++)"
    rf'(?:[ \t]*+=[ \t]*+({_QUOTED}|[^ \t;,"<>\\\x00-\x1f\x7f]++))?+'
)
_URI_PARAMETER = re.compile(
    r";((?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})++)"
    r"(?:=((?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})++))?+"
)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_RESERVED = frozenset("%;/?:@&=+$,")


def is_token(text: str) -> bool:
    """Tell whether `text` is a token (RFC 3261 §25.1): at least one character, none of them a separator."""
    return _TOKEN.fullmatch(text) is not None


def parse_number(text: str, *, maximum: int, slug: str) -> int:
    """Read a decimal number of 0 … `maximum` (below 10**10); anything else is a 400 named `slug`."""
    if text.isdecimal() and text.isascii():
        digits = text.lstrip("0") or "0"
        if len(digits) <= 10 and (number := int(digits)) <= maximum:
            return number
    raise MessageError(400, slug, text[:40])


def quoted_prefix(text: str) -> str | None:
    """Return the quoted string that `text` starts with, quotes included, or None."""
    match = _QUOTED_STRING.match(text)
    return match[0] if match else None


def unquote(text: str) -> str:
    """Take the quotes and the backslashes off a quoted string; any other text is returned as it is."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def quote(text: str) -> str:
    """Write `text` as a quoted string. Control characters become spaces: no header can be broken out of."""
    clean = printable(text, replacement=" ") if not text.isprintable() else text
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def printable(text: str, *, replacement: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """Replace control characters and bytes that were no UTF-8, so that `text` can be stored and shown."""
    return _UNPRINTABLE.sub(replacement, text)


def unescape(text: str) -> str:
    """Decode %HH; what is no UTF-8 afterwards is kept as surrogate escapes."""
    if "%" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape")
    parts = raw.split(b"%")
    decoded = [parts[0]]
    for part in parts[1:]:
        try:
            decoded.append(bytes([int(part[:2].decode("ascii"), 16)]) + part[2:])
        except ValueError:
            decoded.append(b"%" + part)
    return b"".join(decoded).decode("utf-8", "surrogateescape")


def normalise_escapes(text: str) -> str:
    """Bring %HH to one form, so that equivalent parts of URIs are equal texts (RFC 3261 §19.1.4).

    Only characters outside the reserved set are equivalent to their escape: `%61` is `a`, but `%3b` is `%3B`, not `;`.
    """
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if character in _RESERVED or not character.isascii():
        return match[0].upper()
    return character


def split_list(text: str) -> list[str]:
    """Split at the commas outside quotes and angle brackets; elements are stripped, empty ones are a 400."""
    if "," not in text:
        return [text.strip(LWS)]
    elements = text.split(",") if '"' not in text and "<" not in text else _split_guarded(text)
    elements = [element.strip(LWS) for element in elements]
    if "" in elements:
        raise MessageError(400, "empty_list_element", text[:40])
    return elements


def _split_guarded(text: str) -> list[str]:
    elements = []
    start = 0
    for match in _SEPARATED.finditer(text):
        if match[2]:
            elements.append(text[start : match.start()])
            start = match.end()
        elif not match[1]:
            raise MessageError(400, "unbalanced_quoting", text[:40])
    elements.append(text[start:])
    return elements


@dataclass(frozen=True, slots=True)
class Parameters:
    """Ordered `;name=value` parameters as they were written; a flag has the value None. Names are case-blind."""

    items: tuple[tuple[str, str | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read the parameters of a header: `text` is empty or starts with `;`. Duplicates are a 400 (§7.3.1)."""
        return _parse_all(_PARAMETER, text) if text else NO_PARAMETERS

    @classmethod
    def parse_uri(cls, text: str) -> Parameters:
        """Read the parameters of a URI: no white space, no quotes, escapes allowed (§19.1.1)."""
        return _parse_all(_URI_PARAMETER, text) if text else NO_PARAMETERS

    def __str__(self) -> str:
        return "".join(
            f";{name}" if value is None else f";{name}={value}" for name, value in self.items
        )

    def __iter__(self) -> Iterator[tuple[str, str | None]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, name: str) -> bool:
        return any(_folded(written) == name for written, _ in self.items)

    def get(self, name: str) -> str | None:
        """Return the value of `name` (given in lower case), unquoted; None where it is absent or a flag."""
        for written, value in self.items:
            if written == name or _folded(written) == name:
                return value if value is None or value[0] != '"' else unquote(value)
        return None

    def replace(self, name: str, value: str | None) -> Parameters:
        """Return a copy in which `name` has `value` (None: a flag), in its old place or at the end."""
        changed = tuple(
            (written, value) if _folded(written) == name else (written, old)
            for written, old in self.items
        )
        return Parameters(changed if name in self else (*changed, (name, value)))

    def without(self, *names: str) -> Parameters:
        """Return a copy that lacks `names` (given in lower case)."""
        return Parameters(tuple(item for item in self.items if _folded(item[0]) not in names))


NO_PARAMETERS = Parameters()


def _folded(name: str) -> str:
    return normalise_escapes(name).lower()


def _parse_all(pattern: re.Pattern[str], text: str) -> Parameters:
    items: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    position = 0
    while match := pattern.match(text, position):
        name, value = match.groups()
        items.append((name, value))
        seen.add(_folded(name))
        position = match.end()
    if position != len(text) and text[position:].strip(LWS):
        raise MessageError(400, "bad_parameters", text[position : position + 40])
    if len(seen) != len(items):
        raise MessageError(400, "duplicate_parameter", text[:40])
    return Parameters(tuple(items))
