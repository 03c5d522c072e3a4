"""Section `voicemail`: the boxes of the office. Extensions have theirs without being named.

voicemail:
  service: {mail: kefu@caoyuan.example, greeting: closed, call_mobile: ["13800138000"]}
"""

from __future__ import annotations

from pbx.plan.arguments import Name, Pattern, Seconds
from pbx.plan.fields import Key, Keys, Many
from pbx.plan.model import Mailbox
from pbx.plan.reading import NUMBER
from pbx.plan.sections.section import plainly, things

MAIL = Pattern(r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,255}", "NAME@HOST", "is no mail address")
PHONE = Pattern(NUMBER, "a number", "is no number that can be dialled")

KEYS: Keys = {
    "mail": Key("mail", MAIL),
    "greeting": Key("greeting", Name("prompt")),
    "call_mobile": Key("call_mobile", Many(PHONE), later=True),
    "repeat": Key("repeat_s", Seconds(), later=True),
}

SECTION = things("voicemail", "voicemail", KEYS, plainly(Mailbox))
