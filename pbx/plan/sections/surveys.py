"""Section `surveys`: one question, answered with a key.

surveys:
  csat: {prompt: rate_us, keys: {1: 满意, 2: 一般, 3: 不满意}, timeout: 8s}
"""

from __future__ import annotations

from pbx.plan.arguments import KEY, Name, Pattern, Seconds, YesNo
from pbx.plan.fields import Key, Keys, MapOf
from pbx.plan.model import Survey
from pbx.plan.sections.section import plainly, things

MEANING = Pattern(r"[\s\S]{1,200}", "what it means", "is too long; 200 characters at most")

KEYS: Keys = {
    "prompt": Key("prompt", Name("prompt"), required=True),
    "keys": Key("keys", MapOf(KEY, MEANING), required=True),
    "timeout": Key("timeout_s", Seconds()),
    "comment": Key("comment", YesNo()),
}

SECTION = things("surveys", "survey", KEYS, plainly(Survey))
