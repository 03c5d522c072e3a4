"""A call in a queue, as those see it who know nothing of queues.

`call.queued` is set while a caller waits, and while it talks to the agent who came of it. Menus and
flows that a queue offers run in the caller's own script: whoever takes the caller elsewhere says
`leave` before, and `STAYS` is the outcome of those who do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind

if TYPE_CHECKING:
    from pbx.call.leg import Leg

STAYS: Final = Outcome(OutcomeKind.LEFT, "answered", "stay", 200, NORMAL_CLEARING, "system")
"""The outcome of a caller in a queue's menu who waits on."""


@dataclass(slots=True)
class Facts:
    """What is known of a call by now, for the screen of whoever answers.

    `path` are the places that it went through, `notes` what flows noted, `fields` their variables,
    without those that are secret.
    """

    path: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fields: Mapping[str, str] = field(default_factory=dict)


class Queued(Protocol):
    """What may be asked of a call that is in a queue, or came from one."""

    @property
    def waits(self) -> bool:
        """Tell whether the caller waits now."""

    @property
    def caller_id(self) -> str | None:
        """Return the number that the outside is shown for calls of the queue; None: it has none."""

    def values(self) -> Mapping[str, str]:
        """Return the variables `queue.…` of a caller who waits."""

    def rest(self) -> None:
        """Let a waiting caller hear the queue's music, while nothing else is heard."""

    def leave(self, result: str = "left") -> None:
        """Give up the place: the caller goes elsewhere. Without effect on one who has none."""

    def again(self) -> None:
        """Let the customer wait again before all others, the wait counted, once the talk ends."""

    def released(self, agent: Leg) -> None:
        """Note that a supervisor is about to take the agent off the call: it gets a break."""

    def ask(self, agent: Leg) -> bool:
        """Release the agent, who sends the customer to the queue's survey; False: it has none."""
