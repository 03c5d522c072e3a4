"""What happens to callers: they join, wait for less and less, are offered, moved and sent away.

Each function changes what is so about a caller and lets the room place it anew (`Room.place`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pbx.acd.agent import Agent
from pbx.acd.commands import Moved, Relaxed, SendAway
from pbx.acd.line import AT_HEAD, STEP_S, Caller, Declined, Key, Line
from pbx.acd.model import DeclineReason, SentAway, Skills, Waiting
from pbx.acd.requirement import Requirement, Rung
from pbx.acd.room import Room
from pbx.plan.model import Queue

REJECTED_S: Final = 60.0
"""So many seconds an agent is not offered a caller again whom it rejected."""

FAILED_S: Final = 10.0
"""So many, when its phone was busy, unreachable, or failed."""

_AGAIN_S: Final[Mapping[DeclineReason, float]] = {
    "rejected": REJECTED_S,
    "busy": FAILED_S,
    "unreachable": FAILED_S,
    "failed": FAILED_S,
    "no_answer": 0.0,  # whoever was not asked yet comes first anyhow
}


class Waiters:
    """The callers' side of the engine."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._came = 0
        self._head = AT_HEAD

    # -- queues ------------------------------------------------------------------------------

    def change(self, queues: Mapping[str, Queue], now: float) -> None:
        """Let these be all queues; who waits in another waits on until it is empty."""
        room = self.room
        for name, queue in queues.items():
            ladder = room.requirements.ladder(queue, {})
            line = room.lines.get(name)
            if line is None:
                room.lines[name] = Line(queue, ladder)
            else:
                line.queue, line.ladder, line.kept = queue, ladder, True
        for name, line in tuple(room.lines.items()):
            if name not in queues:
                line.kept = False
                if not line.row:
                    del room.lines[name]
        for caller in tuple(room.callers.values()):
            self._again(caller, caller.line, caller.waiting, now)
        used = {rung.requirement for line in room.lines.values() for rung in line.ladder}
        used |= {rung.requirement for one in room.callers.values() for rung in one.ladder}
        room.requirements.prune(used)

    # -- callers -----------------------------------------------------------------------------

    def join(self, waiting: Waiting, now: float) -> None:
        """Let somebody wait, or send the caller away at once."""
        room = self.room
        if waiting.call in room.callers:
            return
        line = room.lines.get(waiting.queue)
        if line is None:
            room.out.append(SendAway(waiting.call, waiting.queue, "no_agents"))
            return
        caller = Caller(waiting, line, self._ladder(line, waiting), self._key(line, waiting), now)
        caller.agent = self._wanted(caller)
        reason = self._refused(caller)
        if reason is not None:
            room.out.append(SendAway(waiting.call, waiting.queue, reason))
            return
        room.callers[waiting.call] = caller
        line.add(caller)
        self._climb(caller, now)
        room.place(caller, now)

    def _refused(self, caller: Caller) -> SentAway | None:
        """Say why a caller cannot wait.

        Who is to be called back stays in any case; who comes back to the head was let in before.
        """
        line, waiting = caller.line, caller.waiting
        if waiting.callback:
            return None
        if not (caller.final.present or caller.agent):
            return "no_agents"
        if waiting.at_head:
            return None
        if not (line.open and line.kept):
            return "no_agents"
        limit = line.queue.max_callers
        return "full" if limit is not None and line.live >= limit else None

    def _key(self, line: Line, waiting: Waiting) -> Key:
        self._came += 1
        counts_from = waiting.joined_at - STEP_S * (waiting.priority + line.queue.priority)
        return AT_HEAD if waiting.at_head else 0, counts_from, self._came

    def _ladder(self, line: Line, waiting: Waiting) -> tuple[Rung, ...]:
        if not waiting.skills:
            return line.ladder
        return self.room.requirements.ladder(line.queue, waiting.skills)

    def _wanted(self, caller: Caller) -> Agent | None:
        """Return the agent who alone is tried at first, if that one may become free."""
        if caller.waiting.agent is None:
            return None
        agent = self.room.agents.get(caller.waiting.agent)
        there = agent is not None and agent.present() and agent.pause is None
        return agent if there else None

    def gone(self, call: str, now: float, reason: str = "caller_left") -> Caller | None:
        """Let a caller wait no longer; return whom."""
        caller = self.room.callers.get(call)
        if caller is not None:
            self.room.remove(caller, now, reason)
        return caller

    def move_up(self, caller: Caller, now: float) -> None:
        """Put a caller before everybody else of its queue, those put there before included."""
        self._head -= 1
        self._rekey(caller, (self._head, *caller.key[1:]), now)

    def _rekey(self, caller: Caller, key: Key, now: float) -> None:
        self.room.displace(caller)
        caller.line.remove(caller)
        caller.key = key
        caller.line.add(caller)
        self.room.place(caller, now)

    def move_to(self, caller: Caller, line: Line, now: float) -> None:
        """Let a caller wait in another queue; the wait counts."""
        room = self.room
        if line is caller.line:
            return
        room.withdraw(caller, tuple(caller.offered), "moved", now)
        self._again(caller, line, caller.waiting, now)
        room.out.append(Moved(caller.call, line.queue.name))

    def want(self, caller: Caller, skills: Skills, now: float) -> None:
        """Let a caller wish other skills than before."""
        self._again(caller, caller.line, replace(caller.waiting, skills=skills), now)

    def _again(self, caller: Caller, line: Line, waiting: Waiting, now: float) -> None:
        """Let a caller stand in a line as if it had always been there."""
        room = self.room
        room.displace(caller)
        before, caller.line = caller.line, line
        before.remove(caller)
        caller.waiting = replace(waiting, queue=line.queue.name)
        rank, _, came = caller.key
        caller.key = rank, self._key(line, waiting)[1], came
        caller.ladder, caller.rung = self._ladder(line, waiting), 0
        caller.climb(now)
        line.add(caller)
        room.drop(before)
        room.place(caller, now)

    def ready(self, caller: Caller, ready: bool, now: float) -> None:
        """Let somebody be called back, or not yet."""
        caller.ready = ready
        self.room.place(caller, now)

    def declined(self, caller: Caller, agent: Agent, reason: DeclineReason, now: float) -> None:
        """Note that an agent did not take a caller; when none is asked any more, others are."""
        del caller.offered[agent]
        caller.tried[agent] = caller.tried.get(agent, 0) + 1
        pause = _AGAIN_S[reason]
        if pause:
            caller.declined[agent] = Declined(now + pause, now, reason)
        if not caller.offered:
            self._asked(caller, now)

    def _asked(self, caller: Caller, now: float) -> None:
        if caller.too_long(now):
            self._send_away(caller, "timeout", now)
        else:
            self.room.place(caller, now)

    # -- time --------------------------------------------------------------------------------

    def wake(self, caller: Caller, now: float) -> None:
        """Do what is due: less is needed, one agent is waited for no longer, the wait is over."""
        self._climb(caller, now)
        if caller.agent is not None and now >= caller.since + caller.waiting.agent_s:
            self.room.displace(caller)
            caller.agent = None
        if not caller.offered and caller.too_long(now):
            self._send_away(caller, "timeout", now)
        else:
            self.room.place(caller, now)

    def _climb(self, caller: Caller, now: float) -> None:
        if not caller.climb(now):
            return
        waited = now - caller.waiting.joined_at
        skills = caller.requirement.skills
        self.room.out.append(Relaxed(caller.call, caller.line.queue.name, waited, skills))

    def nobody(self, requirement: Requirement, now: float) -> None:
        """Send those away whom nobody has been able to serve for a while."""
        for caller in tuple(self.room.callers.values()):
            stays = caller.waiting.callback or caller.agent or caller.offered
            if caller.final is requirement and not stays:
                self._send_away(caller, "no_agents", now)

    def _send_away(self, caller: Caller, reason: SentAway, now: float) -> None:
        self.room.out.append(SendAway(caller.call, caller.line.queue.name, reason))
        self.room.remove(caller, now, "caller_left")
