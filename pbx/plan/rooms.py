"""Section `conferences` of dialplan.yaml: one line a room, by the number that is dialled.

    conferences:
      "7001": {max: 50, record: no, wait_for_moderator: no, pin: yes}

Every key may be left out. The PINs themselves are in the directory, never in this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pbx.marks import Node, Reader
from pbx.marks.problem import WRONG_TYPE
from pbx.marks.reader import whole_number, yes_no
from pbx.plan.model import Conference
from pbx.plan.step import Mark

MOST_MEMBERS = 500

_KEYS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "max": ("most", whole_number(2, MOST_MEMBERS)),
    "record": ("record", yes_no),
    "wait_for_moderator": ("wait_for_moderator", yes_no),
    "end_with_moderator": ("end_with_moderator", yes_no),
    "pin": ("pin", yes_no),
    "tones": ("tones", yes_no),
    "announce_names": ("announce_names", yes_no),
    "mix_only_talkers": ("gated", yes_no),
}
"""Key in the file → field of `Conference`, and how it is read."""


def read_rooms(reader: Reader, node: Node | None) -> dict[str, Conference]:
    """Return the rooms by number; what is wrong goes to `reader`."""
    rooms = {}
    for room, (key, value) in reader.mapping(node, "conferences").items():
        if not re.fullmatch(r"[0-9]{2,10}", room):
            sentence = f'"{room}" is no number of a conference room'
            reader.problem(key, WRONG_TYPE, sentence, 'write 2 to 10 digits, such as "7001"')
            continue
        fields = {}
        for name, (_, text) in reader.mapping(value, f"conference {room}", _KEYS).items():
            field, convert = _KEYS[name]
            default = getattr(_DEFAULTS, field)
            fields[field] = reader.value(text, f"conference {room}: {name}", convert, default)
        rooms[room] = Conference(room=room, mark=Mark(reader.file, key.line, key.column), **fields)
    return rooms


_DEFAULTS = Conference(room="")
