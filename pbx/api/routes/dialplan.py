"""The dialplan in force: which one, another one, the one before."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.replies import reply, returns
from pbx.api.routes.requests import Administers, LiveHere, Reads
from pbx.api.views import DialplanReload, DialplanView

router = APIRouter(prefix="/dialplan", tags=["dialplan"])


@router.get("", responses=returns(DialplanView))
async def show_dialplan(live: LiveHere, _: Reads) -> Response:
    """Return which version is in force, and which are kept."""
    return reply(await live.dialplan.show())


@router.post("/reload", responses=returns(DialplanReload))
async def reload_dialplan(live: LiveHere, _: Administers) -> Response:
    """Put the files as they are now in force; 409 says what is wrong, and nothing has changed."""
    return reply(await live.dialplan.reload())


@router.post("/rollback", responses=returns(DialplanReload))
async def roll_dialplan_back(live: LiveHere, _: Administers) -> Response:
    """Put the version before back in force, until the next reload or start."""
    return reply(await live.dialplan.rollback())


@router.post("/dry-run", responses=returns(DialplanReload))
async def try_dialplan(live: LiveHere, _: Administers) -> Response:
    """Return what a reload would change, and all that is wrong; nothing is touched."""
    return reply(await live.dialplan.try_out())
