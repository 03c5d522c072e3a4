"""Section `ring_groups`: phones that ring together, or one after the other.

ring_groups:
  sales: {members: [ext:1201, ext:1202], how: all, ring: 20s, no_answer: queue:service}
"""

from __future__ import annotations

from pbx.plan.arguments import OneOf, Place, Places, Seconds
from pbx.plan.fields import Key, Keys
from pbx.plan.model import RingGroup
from pbx.plan.sections.section import plainly, things

KEYS: Keys = {
    "members": Key("members", Places(("ext", "number")), required=True),
    "how": Key("how", OneOf(("all", "in_order", "rotate"))),
    "ring": Key("ring_s", Seconds()),
    "no_answer": Key("no_answer", Place()),
}

SECTION = things("ring_groups", "ring", KEYS, plainly(RingGroup))
