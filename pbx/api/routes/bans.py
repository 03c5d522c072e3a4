"""Sources and users that are shut out after too many failed authentications."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Administers, LiveHere, Reads
from pbx.api.views import Ban

router = APIRouter(tags=["bans"])


@router.get("/bans", responses=returns(list[Ban]))
async def list_bans(live: LiveHere, _: Reads) -> Response:
    """Return the bans in force."""
    return reply(live.status().bans)


@router.delete("/bans/{address}", status_code=204)
async def lift_ban(address: str, live: LiveHere, _: Administers) -> Response:
    """Lift the ban on an address or a user."""
    live.unban(address)
    return nothing()
