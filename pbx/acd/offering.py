"""Who gets whom: agents who are free and callers who wait are brought together.

After each input as many callers are offered as there are free agents for them. Callers come by the
order between queues (`oldest`: whoever waits longest, priorities counted in; `strict`: the queue of
higher priority; `weighted`: queues by turns, in proportion to their weights), agents by the
strategy of the caller's queue.

It looks only at what is new: agents who got free, each at the foremost caller of every group it may
serve; and callers who came or need less than before, each at the agents who are free.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Literal

from pbx.acd.agent import SLOW_REPORT, Agent, Offered
from pbx.acd.callback_times import RING_CUSTOMER_S
from pbx.acd.commands import Offer
from pbx.acd.explain import decided
from pbx.acd.line import Caller, Key, Line, Row
from pbx.acd.model import RandomSource
from pbx.acd.room import Room
from pbx.acd.strategy import rank

Between = Literal["oldest", "strict", "weighted"]

Turn = tuple[float, Key]
"""How callers of several queues compare."""

_Pair = tuple[Turn, int, Caller, Agent | None]


class Offering:
    """The matching. `explains` off saves the time that reasons cost."""

    def __init__(self, room: Room, *, explains: bool) -> None:
        self.room = room
        self.between: Between = "oldest"
        self.explains = explains
        self._pairs: list[_Pair] = []
        self._pushed = 0
        self._round = 0.0
        """How far the round of weighted queues is."""

    def fill(self, now: float, rng: RandomSource) -> None:
        """Offer whoever can be offered."""
        room = self.room
        if not (room.freed or room.stirred):
            return
        stirred, room.stirred = room.stirred, {}
        freed, room.freed = room.freed, []
        if not room.free:
            return
        for caller in stirred:
            self._push(caller, None)
        for agent in freed:
            self._look(agent, now)
        while self._pairs and room.free:
            self._serve(*heappop(self._pairs), now, rng)
        self._pairs.clear()

    def _push(self, caller: Caller, agent: Agent | None) -> None:
        self._pushed += 1
        heappush(self._pairs, (self._turn(caller), self._pushed, caller, agent))

    def _serve(
        self,
        turn: Turn,
        _pushed: int,
        caller: Caller,
        agent: Agent | None,
        now: float,
        rng: RandomSource,
    ) -> None:
        """Offer the foremost caller, if it and whoever it was found by are still to be had."""
        free = self.room.free
        if agent is not None and agent not in free:
            return
        if caller.group is not None:
            if self._turn(caller) > turn:  # weighted: its queue had its turn meanwhile
                self._push(caller, agent)
                return
            able = self._able(caller, now)
            if able:
                self._offer(caller, able, now, rng)
        if agent is not None and agent in free:
            self._look(agent, now)

    # -- callers in turn ---------------------------------------------------------------------

    def _look(self, agent: Agent, now: float) -> None:
        """Find the foremost caller whom a free agent may serve."""
        if agent not in self.room.free:
            return
        best: Caller | None = None
        for row in self._rows(agent):
            caller = self._head(row, agent, now)
            if caller is not None and (best is None or self._turn(caller) < self._turn(best)):
                best = caller
        if best is not None:
            self._push(best, agent)

    def _rows(self, agent: Agent) -> Iterator[Row]:
        for group in self.room.groups.values():
            if agent in group.requirement.agents:
                yield group
        held = self.room.held.get(agent)
        if held is not None:
            yield held

    def _head(self, row: Row, agent: Agent, now: float) -> Caller | None:
        """Return the foremost whom the agent did not decline just now."""
        first = row.first()
        if not first.declined:
            return first
        return next((caller for caller in row if not caller.refuses(agent, now)), None)

    def _turn(self, caller: Caller) -> Turn:
        if self.between == "oldest":
            return 0.0, caller.key
        if self.between == "strict":
            return -caller.line.queue.priority, caller.key
        return max(caller.line.turn, self._round), caller.key

    def _took_turn(self, line: Line) -> None:
        """Let a queue's turn come again the later, the less it weighs."""
        self._round = max(line.turn, self._round)
        line.turn = self._round + 1 / line.queue.weight

    # -- agents ------------------------------------------------------------------------------

    def _able(self, caller: Caller, now: float) -> list[Agent]:
        """Return the free agents who may serve a caller."""
        free = self.room.free
        if caller.agent is not None:
            only = caller.agent
            return [only] if only in free and not caller.refuses(only, now) else []
        agents = caller.requirement.agents
        if not caller.declined:
            return [agent for agent in free if agent in agents]
        return [agent for agent in free if agent in agents and not caller.refuses(agent, now)]

    def _offer(self, caller: Caller, able: list[Agent], now: float, rng: RandomSource) -> None:
        room, line = self.room, caller.line
        tiers = [able] if caller.agent is not None else rank(able, caller, now, rng)
        chosen = tiers[0]
        self._took_turn(line)
        if len(chosen) == 1:
            line.last = chosen[0]
        if self.explains:
            room.out.append(decided(room, caller, tiers, now))
        room.displace(caller)
        caller.offered = dict.fromkeys(chosen)
        room.timers.set(caller, caller.due(now))
        queue = line.queue
        # An agent who is chosen before the customer is called stays reserved for so long.
        called_first = caller.waiting.callback and queue.callback.first == "customer"
        reserved_s = RING_CUSTOMER_S if called_first else 0.0
        for agent in chosen:
            deadline = now + reserved_s + queue.ring_s + SLOW_REPORT
            agent.offers[caller.call] = Offered(caller.call, queue.name, deadline)
            room.settle(agent, now)
        numbers = tuple(agent.number for agent in chosen)
        room.out.append(Offer(caller.call, queue.name, numbers, queue.ring_s))
