"""The grammar that SIP header values share (RFC 3261 §25.1): tokens, quoting, escapes, numbers.

Texts here are one unfolded header value, so white space is SP and HTAB alone. Every pattern is
linear (each character has one place to go), so no input is slow. Possessive quantifiers stand on
single characters alone: on groups, Python before 3.11.5 matches what it must not. What cannot be
read is a `MessageError` 400 with a slug that names the rule. Lists of `;name=value` are
`parameters`.
"""

from __future__ import annotations

import re

from pbx.errors import MessageError

LWS = " \t"
"""White space within an unfolded header value."""

TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
"""One or more token characters."""

QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"'
"""A quoted string: control characters only behind a backslash."""

MAX_SECONDS = 2**32 - 1
"""Longer times in seconds count as this (§20.19)."""

_TOKEN = re.compile(TOKEN)
_QUOTED = re.compile(QUOTED)
_SEPARATED = re.compile(rf'({QUOTED}|<[^<>]*+>)|(,)|["<>]')
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

# Escapes of these are no other way to write them; "%25" would be taken for the next escape.
_RESERVED = frozenset("%;/?:@&=+$,")


def is_token(text: str) -> bool:
    """Tell whether `text` is a token: at least one character, none of them a separator."""
    return _TOKEN.fullmatch(text) is not None


def is_quoted(text: str) -> bool:
    """Tell whether `text` is one quoted string, quotes included."""
    return _QUOTED.fullmatch(text) is not None


def quoted_prefix(text: str) -> str | None:
    """Return the quoted string that `text` starts with, quotes included, or None."""
    match = _QUOTED.match(text)
    return match[0] if match else None


def unquote(text: str) -> str:
    """Take quotes and backslashes off a quoted string; return any other text as it is."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def quote(text: str) -> str:
    """Write `text` as a quoted string.

    Control characters become spaces, so that no value breaks out of its header. Bytes that were no
    UTF-8 stay what they were.
    """
    if not text.isprintable():
        text = "".join(" " if ord(char) < 32 or char == "\x7f" else char for char in text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def printable(text: str, *, replacement: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """Replace control characters and bytes that were no UTF-8, so that `text` can be stored."""
    return _UNPRINTABLE.sub(replacement, text)


def unescape(text: str) -> str:
    """Decode every %HH as UTF-8; bytes that are none become surrogate escapes, as when parsed."""
    return _ESCAPES.sub(_unescaped, text) if "%" in text else text


def _unescaped(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogateescape")


def normalise_escapes(text: str) -> str:
    """Bring %HH to one form, so that equivalent parts of URIs are equal texts (§19.1.4).

    Only what is not reserved is equivalent to its escape: `%61` is `a`, but `%3b` is `%3B`.
    """
    return _ESCAPE.sub(_normal_escape, text) if "%" in text else text


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if character in _RESERVED or not character.isascii():
        return match[0].upper()
    return character


def parse_number(text: str, *, maximum: int, slug: str) -> int:
    """Read a decimal number of 0 … `maximum` (below 10**10); all else is a 400 named `slug`."""
    if text.isdecimal() and text.isascii():
        digits = text.lstrip("0") or "0"
        if len(digits) <= 10 and (number := int(digits)) <= maximum:
            return number
    raise MessageError(400, slug, text[:40])


def read_seconds(text: str | None) -> int | None:
    """Read delta-seconds: at most 2**32 - 1, None where `text` is None or no number (§20.19)."""
    if text is None or not (text.isdecimal() and text.isascii()):
        return None
    digits = text.lstrip("0") or "0"
    return MAX_SECONDS if len(digits) > 10 else min(int(digits), MAX_SECONDS)


def split_list(text: str) -> list[str]:
    """Split at the commas outside quotes and angle brackets, and strip the elements.

    An empty element is a 400, and so is a quote or bracket without its counterpart beside a comma.
    """
    if "," not in text:
        return [text.strip(LWS)]
    guarded = '"' in text or "<" in text
    elements = [part.strip(LWS) for part in (_split_guarded(text) if guarded else text.split(","))]
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


def split_tokens(text: str) -> list[str]:
    """Split a list of tokens, as Allow and Require have it; empty elements are left out."""
    return [token for part in text.split(",") if (token := part.strip(LWS))]
