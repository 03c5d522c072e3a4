"""A plan in pieces, each small enough to be unpacked between two packets.

A plan of a thousand numbers takes 40 ms to unpack, which a call would hear. In pieces of a few
dozen entries, none of which takes 1 ms, whoever puts them together can look after calls in between.
They are pickles that our own process made (question.py).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any, Final

from pbx.plan.model import Plan

ENTRIES: Final = 25
"""Entries of a section in one piece."""


def take_apart(plan: Plan) -> tuple[bytes, ...]:
    """Return a plan as pieces."""
    return tuple(pickle.dumps(piece, pickle.HIGHEST_PROTOCOL) for piece in _pieces(plan))


class Assembly:
    """A plan that is being put together from its pieces, in any order."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def add(self, piece: bytes) -> None:
        """Unpack one more piece."""
        name, value = pickle.loads(piece)
        if isinstance(value, dict):
            self._fields.setdefault(name, {}).update(value)
        else:
            self._fields[name] = value

    def plan(self) -> Plan:
        """Return the plan, once all its pieces are there."""
        return Plan(**self._fields)


def put_together(pieces: Iterable[bytes]) -> Plan:
    """Return the plan at once, for whoever keeps nobody waiting."""
    assembly = Assembly()
    for piece in pieces:
        assembly.add(piece)
    return assembly.plan()


def _pieces(plan: Plan) -> Iterator[tuple[str, Any]]:
    for field in fields(plan):
        value = getattr(plan, field.name)
        if not field.init:
            continue
        if isinstance(value, Mapping):
            entries = iter(value.items())
            while part := dict(islice(entries, ENTRIES)):
                yield field.name, part
        else:
            yield field.name, value
