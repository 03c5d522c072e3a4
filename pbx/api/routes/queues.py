"""Queues, who waits in them, and what a supervisor does about it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.centre_views import Board, QueueDetail, QueueRow, WaitingCaller
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Body, CentreHere, Controls, Reads, Word

router = APIRouter(tags=["queues"])


class Move(Body):
    """The queue to wait in from now on."""

    to: Word


@router.get("/board", responses=returns(Board))
async def show_board(centre: CentreHere, _: Reads) -> Response:
    """Return all queues and all agents at one moment."""
    return reply(centre.board())


@router.get("/queues", responses=returns(list[QueueRow]))
async def list_queues(centre: CentreHere, _: Reads) -> Response:
    """Return the queues as they are now, by name."""
    return reply(centre.queues())


@router.get("/queues/{name}", responses=returns(QueueDetail))
async def show_queue(name: str, centre: CentreHere, _: Reads) -> Response:
    """Return one queue, who waits in it, in order, and who could serve it."""
    return reply(centre.queue(name))


@router.post("/queues/{name}/close", status_code=204)
async def close_queue(name: str, centre: CentreHere, caller: Controls) -> Response:
    """Let no new callers into a queue; those who wait stay."""
    centre.switch_queue(name, False, caller.name)
    return nothing()


@router.post("/queues/{name}/open", status_code=204)
async def open_queue(name: str, centre: CentreHere, caller: Controls) -> Response:
    """Let callers into a queue again."""
    centre.switch_queue(name, True, caller.name)
    return nothing()


@router.get("/callers/{caller}", responses=returns(WaitingCaller))
async def show_caller(caller: str, centre: CentreHere, _: Reads) -> Response:
    """Return who waits: by the call's id, its beginning, or the caller's number."""
    return reply(centre.caller(caller))


@router.post("/queues/{name}/callers/{call}/raise", status_code=204)
async def raise_caller(name: str, call: str, centre: CentreHere, caller: Controls) -> Response:
    """Put a caller before all others of the queue."""
    centre.raise_caller(name, call, caller.name)
    return nothing()


@router.post("/queues/{name}/callers/{call}/move", status_code=204)
async def move_caller(
    name: str, call: str, wanted: Move, centre: CentreHere, caller: Controls
) -> Response:
    """Let a caller go on waiting in another queue; what it waited counts there."""
    centre.move_caller(name, call, wanted.to, caller.name)
    return nothing()
