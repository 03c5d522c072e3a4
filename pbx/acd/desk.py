"""Where agents come on duty and go: what people ask for, as sentences, whoever asks.

Phone codes, the API and the command line all come here. What is asked for is told to the floor, and
the answer says what holds now: a break asked for in a call begins after it, an agent whose phone is
gone is logged in and yet gets no calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pbx.acd.floor import Floor
from pbx.acd.inputs import LoggedIn, LoggedOut, PauseAsked, ResumeAsked, WrapUpExtended
from pbx.acd.model import AgentState, AgentView
from pbx.errors import NotFound, Refused

RECOVERY: Final = "recovery"
"""The reason of a break after a hard call."""

RECOVERY_S: Final = 120.0
"""How long such a break takes, in seconds."""

MAX_REASON: Final = 40  # characters
LONGEST_BREAK: Final = 86_400.0  # seconds
LONGEST_WRAP_UP: Final = 3_600.0  # seconds

IN_CALL: Final = frozenset({AgentState.TALKING, AgentState.HOLD, AgentState.RINGING})


@dataclass(frozen=True, slots=True)
class AgentNow:
    """What an agent does, since `since` (wall) and for `seconds`.

    `ends_in_s` is after how many seconds its break or its work after a call ends by itself.
    """

    view: AgentView
    since: float
    seconds: float
    ends_in_s: float | None

    @property
    def state(self) -> str:
        """Return the name of its state."""
        return self.view.state.value


class Desk:
    """The agents of a floor, and what they ask for.

    All raise NotFound for a number where no agent sits, and return the sentence that answers.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def agents(self) -> Sequence[AgentNow]:
        """Return all agents as they are now, by number."""
        return [self._now(view) for view in self._floor.engine.agents()]

    def agent(self, number: str) -> AgentNow:
        """Return an agent as it is now."""
        return self._now(self._view(number))

    def view(self, number: str) -> AgentView | None:
        """Return an agent as the engine knows it; None where none sits at that number."""
        return self._floor.engine.agent(number)

    # -- what is asked for -------------------------------------------------------------------

    def log_in(self, number: str) -> str:
        """Let an agent take calls; one that does already goes on."""
        if not self._view(number).logged_in:
            self._floor.tell(LoggedIn(number))
        return f"Agent {number} is logged in{self._but(number)}"

    def log_out(self, number: str) -> str:
        """Let an agent take no calls any more; one that is up goes on."""
        self._view(number)
        self._floor.tell(LoggedOut(number))
        if self._view(number).state is AgentState.LOGGED_OUT:
            return f"Agent {number} is logged out"
        return f"Agent {number} is on a call and is logged out after it"

    def pause(self, number: str, reason: str, for_s: float | None = None) -> str:
        """Let an agent take a break, after the call that is up; for so many seconds, if given.

        Raises Refused for one that is logged out, and for a reason that cannot be shown.
        """
        self._on_duty(number)
        if not (reason.strip() and len(reason) <= MAX_REASON and reason.isprintable()):
            raise Refused(f"a pause needs a reason of 1 to {MAX_REASON} printable characters")
        if for_s is not None and not 1.0 <= for_s <= LONGEST_BREAK:
            raise Refused(f"a break takes 1 second to 24 hours, not {for_s:g} s")
        self._floor.tell(PauseAsked(number, reason.strip(), for_s))
        if self._view(number).state in IN_CALL:
            return f"Agent {number} is on a call and takes the break after it ({reason.strip()})"
        return f"Agent {number} is paused ({reason.strip()}){self._but(number)}"

    def recover(self, number: str) -> str:
        """Let an agent take a short break after a hard call, which ends by itself."""
        said = self.pause(number, RECOVERY, RECOVERY_S)
        return f"{said}, for {RECOVERY_S:.0f} s"

    def resume(self, number: str) -> str:
        """End an agent's break, or its work after a call."""
        self._on_duty(number)
        self._floor.tell(ResumeAsked(number))
        after = self._view(number)
        if after.state in IN_CALL:
            return f"Agent {number} is on a call and takes further calls after it"
        return f"Agent {number} takes calls again{self._but(number)}"

    def extend(self, number: str, seconds: float) -> str:
        """Give an agent more time for the work after a call; Refused where there is none."""
        if self._view(number).state is not AgentState.WRAP_UP:
            raise Refused(f"agent {number} has no work after a call now")
        if not 1.0 <= seconds <= LONGEST_WRAP_UP:
            raise Refused(f"wrap-up is extended by 1 to {LONGEST_WRAP_UP:.0f} s, not {seconds:g} s")
        self._floor.tell(WrapUpExtended(number, seconds))
        return f"Agent {number} has {seconds:g} s more for the work after the call"

    # -- inside ------------------------------------------------------------------------------

    def _view(self, number: str) -> AgentView:
        view = self._floor.engine.agent(number)
        if view is None:
            raise NotFound(f"there is no agent {number}; callpbx agent add {number} makes one")
        return view

    def _on_duty(self, number: str) -> None:
        if not self._view(number).logged_in:
            raise Refused(
                f"agent {number} is logged out; log in first: callpbx agent login {number}"
            )

    def _but(self, number: str) -> str:
        view = self._view(number)
        if view.state is not AgentState.UNREACHABLE:
            return ""
        return f", but gets no calls: {view.reason}"

    def _now(self, view: AgentView) -> AgentNow:
        now = self._floor.clock.monotonic()
        seconds = max(0.0, now - view.since)
        ends = None if view.until is None else max(0.0, view.until - now)
        return AgentNow(view, self._floor.clock.wall() - seconds, seconds, ends)
