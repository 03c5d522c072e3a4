"""Section `conferences`: one line a room, by the number that is dialled.

    conferences:
      "7001": {max: 50, record: no, wait_for_moderator: no, pin: yes}

Every key may be left out. The PINs themselves are in the directory, never in this file.
"""

from __future__ import annotations

from pbx.plan.arguments import Number, YesNo
from pbx.plan.fields import Key, Keys
from pbx.plan.model import Conference
from pbx.plan.reading import EXTENSION
from pbx.plan.sections.section import plainly, things

MOST_MEMBERS = 500

KEYS: Keys = {
    "max": Key("most", Number(2, MOST_MEMBERS)),
    "record": Key("record", YesNo()),
    "wait_for_moderator": Key("wait_for_moderator", YesNo()),
    "end_with_moderator": Key("end_with_moderator", YesNo()),
    "pin": Key("pin", YesNo()),
    "tones": Key("tones", YesNo()),
    "announce_names": Key("announce_names", YesNo()),
    "mix_only_talkers": Key("gated", YesNo()),
}

SECTION = things(
    "conferences", "conference", KEYS, plainly(Conference), called="room", pattern=EXTENSION
)
