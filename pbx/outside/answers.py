"""What a server or a database says → the texts that a dialplan keeps.

Everything is a text, flattened one level (`address.city`), and bounded, whoever sends it. Numbers
keep their spelling: 007 in a text stays 007, and 1.10 of JSON stays 1.10.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pbx.ivr.world import Answer, Failure, Found, Nothing
from pbx.outside.breaker import Unavailable
from pbx.outside.http import Reply

MAX_FIELDS: Final = 64
"""Fields of an answer that are kept; those that `save` names come first."""

MAX_TEXT: Final = 1_000
"""Characters of a value that are kept."""

MAX_NAME: Final = 100
"""Characters that the name of a field may have; a longer one is left out."""

NOT_FOUND: Final = (204, 404, 410)
"""Codes that say "there is none"."""

BUSY: Final = (408, 429)
"""Codes of a server that cannot keep up."""


def answer_of(reply: Reply, wanted: Collection[str]) -> Answer:
    """Return what the reply to a GET says; `wanted` are the fields that `save` names.

    Raises Unavailable where the server failed; a reply that is merely of no use is a Failure, so
    that a strange value of one caller does not make a server count as dead.
    """
    if reply.code in NOT_FOUND:
        return Nothing(f"the server answers {reply.code}")
    if reply.code in BUSY or reply.code >= 500:
        raise Unavailable(f"the server answers {reply.code}")
    if 300 <= reply.code < 400:
        sentence = f"the server redirects ({reply.code}), which is not followed"
        return Failure(f"{sentence}; write the address it points to")
    if not 200 <= reply.code < 300:
        return Failure(f"the server answers {reply.code}")
    if not reply.body.strip():
        return Nothing("the answer is empty")
    try:
        found = _json(reply.body)
    except (ValueError, RecursionError):
        return Failure("the answer is no JSON")
    if isinstance(found, list) and found:
        found = found[0]
    if found in (None, [], {}):
        return Nothing("the answer is empty")
    if not isinstance(found, dict):
        return Failure("the answer is no JSON object")
    return found_of(_flat(found), wanted)


def found_of(fields: Iterable[tuple[str, object]], wanted: Collection[str] = ()) -> Found:
    """Return the fields as texts, bounded."""
    texts = {
        clean(name): text_of(value) for name, value in fields if name and len(name) <= MAX_NAME
    }
    first = {name: texts[name] for name in wanted if name in texts}
    kept = {**first, **texts}
    return Found(dict(list(kept.items())[: max(MAX_FIELDS, len(first))]))


def text_of(value: object) -> str:
    """Return a single value as a text; "" for what is none: null, bytes, a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, bytes | memoryview | list | tuple | dict):
        return ""
    return clean(str(value))


def clean(text: str) -> str:
    """Return a text that any log, header and database takes: no control characters, no halves of
    surrogate pairs, not too long."""
    whole = text[:MAX_TEXT].encode(errors="replace").decode()
    return "".join(
        " " if ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 else letter for letter in whole
    )


def _json(body: bytes) -> Any:
    return json.loads(body, parse_int=str, parse_float=str, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _flat(fields: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value
