"""Agents: the directory of them, what they do now, and what they ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec.structs import asdict, replace
from pydantic import Field
from starlette.requests import HTTPConnection

from pbx.api.agents import AgentEntry, AgentNow, LiveAgents
from pbx.api.centre_views import Agent, AgentAnswer
from pbx.api.office import Office
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import (
    Administers,
    Body,
    Controls,
    OfficeHere,
    Reads,
    Word,
    written,
)
from pbx.api.views import utc_text
from pbx.errors import NotFound, NotRunning

router = APIRouter(prefix="/agents", tags=["agents"])

Skills = Annotated[dict[Word, int], Field(max_length=200)]


class NewAgent(Body):
    """An agent to add at an extension; its name is the extension's where none is given."""

    number: Word
    name: Word | None = None
    skills: Skills = {}
    capacity: int = 1
    weight: int = 1


class ChangedAgent(Body):
    """What to change of an agent. Fields and skills left out stay; level 0 takes a skill away."""

    name: Word | None = None
    skills: Skills | None = None
    capacity: int | None = None
    weight: int | None = None


class Break(Body):
    """Why an agent takes no calls, and for how many seconds; without them until it is back."""

    reason: Word
    for_s: float | None = None


class MoreTime(Body):
    """How many seconds the work after a call shall take longer."""

    seconds: float


async def _live_agents(connection: HTTPConnection) -> LiveAgents:
    office: Office = connection.app.state.office
    if office.live is None or office.live.agents is None:
        raise NotRunning
    return office.live.agents


AgentsHere = Annotated[LiveAgents, Depends(_live_agents)]
"""The agents at work; the request is refused with NotRunning where no server runs."""


@router.get("", responses=returns(list[Agent]))
async def list_agents(office: OfficeHere, _: Reads) -> Response:
    """Return all agents, sorted by number, and what they do now."""
    now = {each.view.number: each for each in _at_work(office)}
    entries = await office.agents.agents()
    return reply([_view(entry, now.get(entry.number)) for entry in entries])


@router.post("", status_code=201, responses=returns(Agent, status=201))
async def add_agent(wanted: NewAgent, office: OfficeHere, _: Administers) -> Response:
    """Make somebody at an extension an agent, who is logged out at first."""
    await office.agents.add(
        wanted.number,
        name=wanted.name or None,
        skills=wanted.skills,
        capacity=wanted.capacity,
        weight=wanted.weight,
        at=time.time(),
    )
    await written(office)
    return reply(await _shown(office, wanted.number), status=201)


@router.get("/{number}", responses=returns(Agent))
async def show_agent(number: str, office: OfficeHere, _: Reads) -> Response:
    """Return one agent."""
    return reply(await _shown(office, number))


@router.patch("/{number}", responses=returns(Agent))
async def change_agent(
    number: str, wanted: ChangedAgent, office: OfficeHere, _: Administers
) -> Response:
    """Change an agent; callers who wait feel new skills at once."""
    await office.agents.change(number, **wanted.model_dump())
    await written(office)
    return reply(await _shown(office, number))


@router.delete("/{number}", status_code=204)
async def remove_agent(number: str, office: OfficeHere, _: Administers) -> Response:
    """Forget an agent; a call that is up goes on, and its extension stays."""
    await office.agents.remove(number)
    await written(office)
    return nothing()


@router.post("/{number}/login", responses=returns(AgentAnswer))
async def log_in(number: str, office: OfficeHere, agents: AgentsHere, _: Controls) -> Response:
    """Let an agent take calls; one that does already goes on."""
    return await _answered(office, number, agents.log_in)


@router.post("/{number}/logout", responses=returns(AgentAnswer))
async def log_out(number: str, office: OfficeHere, agents: AgentsHere, _: Controls) -> Response:
    """Let an agent take no calls any more; one that is up goes on."""
    return await _answered(office, number, agents.log_out)


@router.post("/{number}/pause", responses=returns(AgentAnswer))
async def pause(
    number: str, wanted: Break, office: OfficeHere, agents: AgentsHere, _: Controls
) -> Response:
    """Let an agent take a break, after the call that is up."""
    return await _answered(
        office, number, lambda number: agents.pause(number, wanted.reason, wanted.for_s)
    )


@router.post("/{number}/recover", responses=returns(AgentAnswer))
async def recover(number: str, office: OfficeHere, agents: AgentsHere, _: Controls) -> Response:
    """Let an agent take a short break after a hard call, which ends by itself."""
    return await _answered(office, number, agents.recover)


@router.post("/{number}/resume", responses=returns(AgentAnswer))
async def resume(number: str, office: OfficeHere, agents: AgentsHere, _: Controls) -> Response:
    """End an agent's break, or its work after a call."""
    return await _answered(office, number, agents.resume)


@router.post("/{number}/wrap-up", responses=returns(AgentAnswer))
async def extend_wrap_up(
    number: str, wanted: MoreTime, office: OfficeHere, agents: AgentsHere, _: Controls
) -> Response:
    """Give an agent more time for the work after a call."""
    return await _answered(office, number, lambda number: agents.extend(number, wanted.seconds))


async def _answered(office: Office, number: str, ask: Callable[[str], str]) -> Response:
    """Ask for something, and reply with the sentence and the agent as it is then."""
    sentence = ask(number)
    return reply(AgentAnswer(sentence=sentence, **asdict(await _shown(office, number))))


async def _shown(office: Office, number: str) -> Agent:
    return _view(await office.agents.agent(number), _now_of(office, number))


def _at_work(office: Office) -> list[AgentNow]:
    if office.live is None or office.live.agents is None:
        return []
    return list(office.live.agents.agents())


def _now_of(office: Office, number: str) -> AgentNow | None:
    """Return what an agent does; None where no server knows."""
    if office.live is None or office.live.agents is None:
        return None
    try:
        return office.live.agents.agent(number)
    except NotFound:  # added this moment
        return None


def _view(entry: AgentEntry, now: AgentNow | None) -> Agent:
    known = Agent(
        number=entry.number,
        name=entry.name,
        skills=dict(entry.skills),
        capacity=entry.capacity,
        weight=entry.weight,
    )
    if now is None:
        return known
    view = now.view
    return replace(
        known,
        state=view.state.value,
        reason=view.reason,
        since=utc_text(now.since),
        seconds=round(now.seconds, 1),
        ends_in_s=None if now.ends_in_s is None else round(now.ends_in_s, 1),
        logged_in=view.logged_in,
        pause=view.pause,
        queues=view.queues,
        queues_later=view.queues_later,
        call=view.call or None,
        queue=view.queue,
    )
