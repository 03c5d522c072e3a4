"""What a check may know besides the file: the date, callpbx.yaml, the directory, the sounds.

All but the date may be left out, for a file that is checked away from its office; what is not known
is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pbx.plan.outward import Surroundings

Skills = Mapping[str, int]
"""What one agent can do: skill → level."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so outside of the file.

    `settings` are those of callpbx.yaml. `trunks` tells whether the office has a line to a
    carrier. `agents` has the skills of each agent; with none of them, queues are not judged.
    `sounds` returns what is wrong with the sound file of a path relative to the office's folder, in
    one sentence, and None for one that can be played.
    """

    today: date
    settings: Surroundings | None = None
    trunks: bool = False
    agents: Sequence[Skills] = ()
    sounds: Callable[[str], str | None] | None = None
