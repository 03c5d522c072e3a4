"""An engine with people around it: short verbs for what happens, and what came of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pbx.acd import commands, inputs
from pbx.acd.engine import Engine
from pbx.acd.model import AgentState, DeclineReason, Profile, Waiting
from pbx.plan.model import Queue

C = TypeVar("C")

SERVICE = Queue("service", wrap_up_s=0.0)


class Desk:
    """One engine on a clock of its own. `told` are the commands of the latest input."""

    def __init__(
        self,
        agents: Iterable[str | Profile] = ("101",),
        queues: Iterable[Queue] = (SERVICE,),
        *,
        between: Any = "oldest",
        logged_in: bool = True,
    ) -> None:
        self.engine = Engine()
        self.now = 1000.0
        self.rng = random.Random(1)
        self.told: list[commands.Command] = []
        self.history: list[tuple[float, commands.Command]] = []
        self._legs = 0
        self.profiles = {
            profile.number: profile
            for profile in (
                one if isinstance(one, Profile) else Profile(number=one) for one in agents
            )
        }
        self.tell(inputs.AgentsChanged(tuple(self.profiles.values())))
        self.tell(inputs.QueuesChanged({queue.name: queue for queue in queues}, between))
        for number in self.profiles if logged_in else ():
            self.tell(inputs.LoggedIn(number))

    # -- inputs ------------------------------------------------------------------------------

    def tell(self, event: inputs.AnyInput) -> list[commands.Command]:
        """Tell the engine, and return what it wants."""
        self.told = self.engine.step(event, self.now, self.rng)
        self.history += ((self.now, command) for command in self.told)
        return self.told

    def later(self, seconds: float) -> list[commands.Command]:
        """Let time pass, timers included; return all that came of it."""
        until, told = self.now + seconds, []
        while (due := self.engine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            told += self.tell(inputs.TimePassed())
        self.now = until
        self.told = told
        return told

    def joins(self, call: str, queue: str = "service", **wishes: Any) -> list[commands.Command]:
        """Let somebody join."""
        wishes.setdefault("joined_at", self.now)
        return self.tell(inputs.CallerJoined(Waiting(call=call, queue=queue, **wishes)))

    def rings(self, agent: str, call: str, *, outbound: bool = False) -> int:
        """Let a phone ring; return the leg."""
        self._legs += 1
        self.tell(inputs.PhoneRings(agent, call, self._legs, outbound))
        return self._legs

    def takes(self, agent: str, call: str) -> int:
        """Let an agent's phone ring, and the agent take the call; return the leg."""
        leg = self.rings(agent, call)
        self.tell(inputs.PhoneTalks(agent, call, leg))
        self.tell(inputs.AgentTook(call, agent))
        return leg

    def hangs_up(self, agent: str, call: str, leg: int) -> list[commands.Command]:
        """Let a leg be over."""
        return self.tell(inputs.PhoneFree(agent, call, leg))

    def calls(self, agent: str, *, seconds: float, call: str = "private") -> None:
        """Let an agent be on a call of no queue for so long."""
        leg = self.rings(agent, call, outbound=True)
        self.tell(inputs.PhoneTalks(agent, call, leg))
        self.later(seconds)
        self.hangs_up(agent, call, leg)

    def declines(self, agent: str, call: str, reason: DeclineReason) -> list[commands.Command]:
        """Let an agent not take a call."""
        return self.tell(inputs.AgentDeclined(call, agent, reason))

    def queues(self, *queues: Queue) -> None:
        """Let these be the queues."""
        self.tell(inputs.QueuesChanged({queue.name: queue for queue in queues}))

    def skilled(self, **skills: Mapping[str, int]) -> None:
        """Let agents (`a101`) have these skills."""
        for number, levels in skills.items():
            number = number.removeprefix("a")
            self.profiles[number] = Profile(number=number, skills=levels)
        self.tell(inputs.AgentsChanged(tuple(self.profiles.values())))

    # -- what is so --------------------------------------------------------------------------

    def state(self, agent: str) -> str:
        """Return what an agent does."""
        view = self.engine.agent(agent)
        assert view is not None
        return view.state.value

    def states(self) -> dict[str, AgentState]:
        """Return what all agents do."""
        return {view.number: view.state for view in self.engine.agents()}

    def heard(self, kind: type[C]) -> list[C]:
        """Return the commands of a kind that came of the latest."""
        return [command for command in self.told if isinstance(command, kind)]

    def offered(self, call: str) -> tuple[str, ...] | None:
        """Return whom the latest offered a caller to."""
        found = [offer.agents for offer in self.heard(commands.Offer) if offer.call == call]
        assert len(found) <= 1
        return found[0] if found else None

    def away(self, call: str) -> str | None:
        """Return why the latest sent a caller away."""
        found = [one.reason for one in self.heard(commands.SendAway) if one.call == call]
        assert len(found) <= 1
        return found[0] if found else None
