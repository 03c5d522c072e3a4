"""What a dialplan may say beyond its sections: the verbs and the features that there are.

The loader knows neither by itself. `pbx.ivr` hands in its verbs, so that a verb is written in one
place; the features are those of `pbx.call`, by the names that the file gives them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pbx.plan.step import VerbSchema

FEATURES: Final = (
    "echo",
    "time",
    "own_number",
    "voicemail",
    "any_voicemail",
    "record_prompt",
    *("agent_login", "agent_pause", "agent_recovery", "agent_ready"),
)
"""Features whose code the file may change."""

OTHER_NAMES: Final = {"login": "agent_login", "pause": "agent_pause"}
"""Other names that the format has for features."""

LATER_FEATURES: Final = (
    *("record", "transfer", "blind_transfer"),  # keyed in a call; their codes are fixed
    *("pickup", "park", "forward", "dnd"),
)
"""Features that the format has and whose codes this version does not act on."""

LATER_ARGUMENTS: Final = frozenset({("send", "sms")})
"""Arguments of verbs that the format has and this version does not."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The verbs by name, and the names of the features."""

    verbs: Mapping[str, VerbSchema]
    features: Collection[str] = FEATURES
