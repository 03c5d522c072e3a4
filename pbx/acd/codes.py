"""The codes that an agent dials: `*45` log in or out, `*46` pause or resume, `*47` a short break
after a hard call, `*48` the work after a call is done.

Each says what holds from now on in the caller's language, and then the call ends. An extension at
which no agent sits is told so. The wish goes to the desk like any other; a break begins when the
call of the code is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.acd.desk import RECOVERY_S, Desk
from pbx.acd.model import AgentView
from pbx.call.features import Features
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.call.speaking import answer_with
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

if TYPE_CHECKING:
    from pbx.call.call import Call

LOGIN: Final = "agent_login"
PAUSE: Final = "agent_pause"
RECOVERY: Final = "agent_recovery"
READY: Final = "agent_ready"

CODES: Final = {LOGIN: "*45", PAUSE: "*46", RECOVERY: "*47", READY: "*48"}
"""Feature → what is dialled for it unless the dialplan says otherwise."""

BREAK: Final = "break"
"""The reason of a pause that was dialled."""


class AgentCodes:
    """The codes, on the desk that they ask."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, features: Features) -> None:
        """Put the codes into the registry of features."""
        features.register(LOGIN, CODES[LOGIN], self.log_in_or_out)
        features.register(PAUSE, CODES[PAUSE], self.pause_or_resume)
        features.register(RECOVERY, CODES[RECOVERY], self.recover)
        features.register(READY, CODES[READY], self.ready)

    async def log_in_or_out(self, call: Call) -> Outcome:
        """Log the caller in, or out; the feature `agent_login`."""
        agent = self._agent(call)
        if agent is None:
            return await _unknown(call)
        if agent.logged_in:
            self._desk.log_out(agent.number)
            return await _told(call, phrase("agent-logged-out", call.language))
        self._desk.log_in(agent.number)
        return await _told(call, phrase("agent-logged-in", call.language))

    async def pause_or_resume(self, call: Call) -> Outcome:
        """Let the caller take a break, or end it; the feature `agent_pause`."""
        agent = self._agent(call)
        if agent is None or not agent.logged_in:
            return await _unknown(call, agent)
        if agent.pause is not None:
            self._desk.resume(agent.number)
            return await _told(call, phrase("agent-ready", call.language))
        self._desk.pause(agent.number, BREAK)
        return await _told(call, phrase("agent-paused", call.language))

    async def recover(self, call: Call) -> Outcome:
        """Let the caller take a short break after a hard call; the feature `agent_recovery`."""
        agent = self._agent(call)
        if agent is None or not agent.logged_in:
            return await _unknown(call, agent)
        self._desk.recover(agent.number)
        saying = phrase("agent-recovery", call.language, seconds=f"{RECOVERY_S:.0f}")
        return await _told(call, saying)

    async def ready(self, call: Call) -> Outcome:
        """End the caller's work after a call, or its break; the feature `agent_ready`."""
        agent = self._agent(call)
        if agent is None or not agent.logged_in:
            return await _unknown(call, agent)
        self._desk.resume(agent.number)
        return await _told(call, phrase("agent-ready", call.language))

    def _agent(self, call: Call) -> AgentView | None:
        """Return who dials; None for somebody outside and an extension without an agent."""
        return self._desk.view(call.who.number) if call.who.direction == "internal" else None


async def _told(call: Call, saying: Saying) -> Outcome:
    await answer_with(call, saying)
    return Outcome(OutcomeKind.LEFT, "answered", "told", 200, NORMAL_CLEARING, "system")


async def _unknown(call: Call, agent: AgentView | None = None) -> Outcome:
    """Tell who cannot use a code: nobody who is an agent, or one who is logged out."""
    await answer_with(
        call, phrase("agent-unknown" if agent is None else "agent-logged-out", call.language)
    )
    reason = "no_agent_here" if agent is None else "logged_out"
    return Outcome(OutcomeKind.LEFT, "answered", reason, 200, NORMAL_CLEARING, "system")
