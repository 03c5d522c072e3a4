"""Why a call went as it did, and why an agent got the calls that it got."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response

from pbx.api.replies import reply, returns
from pbx.api.routes.requests import OfficeHere, Reads, wall
from pbx.api.why_views import AgentWhy, CallWhy
from pbx.errors import NotFound

router = APIRouter(tags=["why"])


@router.get("/why/{call}", responses=returns(CallWhy))
async def explain_call(call: str, office: OfficeHere, _: Reads) -> Response:
    """Return what led to the fate of a call, over or going on, step by step."""
    return reply(await office.why.call(call))


@router.get("/agents/{number}/why", responses=returns(AgentWhy))
async def explain_agent(
    number: str, since: datetime, until: datetime, office: OfficeHere, _: Reads
) -> Response:
    """Return what an agent did within some time, and what spoke for and against it in offers."""
    why = await office.why.agent(number, wall(since) or 0.0, wall(until) or 0.0)
    known = why.spent or why.chosen  # one that was removed since then is still told of
    if not known and all(each.number != number for each in await office.agents.agents()):
        raise NotFound(f"there is no agent {number}")
    return reply(why)
