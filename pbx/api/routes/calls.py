"""Calls that are going on: look, make, end, trace."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from pbx.api.idempotency import Idempotency
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Body, Controls, Dialled, LiveHere, Reads, Word
from pbx.api.views import CallPlaced, LiveCall, TraceEntry
from pbx.events import SupervisionMode

router = APIRouter(prefix="/calls", tags=["calls"])


class NewCall(Body):
    """A call to make: `from` is rung first, then `to` is called as if it had been dialled."""

    from_: Dialled = Field(alias="from")
    to: Dialled


@router.get("", responses=returns(list[LiveCall]))
async def list_calls(live: LiveHere, _: Reads) -> Response:
    """Return the calls that are up, oldest first."""
    return reply(live.calls())


@router.post("", status_code=201, responses=returns(CallPlaced, status=201))
async def place_call(
    request: Request,
    wanted: NewCall,
    live: LiveHere,
    caller: Controls,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Ring one phone and connect it to a number.

    With an Idempotency-Key, at most one call is made.
    """
    if idempotency_key is None:
        return reply(CallPlaced(id=await live.originate(wanted.from_, wanted.to)), status=201)
    idempotency: Idempotency = request.app.state.idempotency
    call, repeated = await idempotency.once(
        (caller.name, idempotency_key), wanted, lambda: live.originate(wanted.from_, wanted.to)
    )
    headers = {"Idempotency-Replayed": "true"} if repeated else None
    return reply(CallPlaced(id=call), status=201, headers=headers)


@router.delete("/{call}", status_code=204)
async def end_call(call: str, live: LiveHere, _: Controls) -> Response:
    """End a call."""
    live.hangup(call)
    return nothing()


class NewSupervisor(Body):
    """Who supervises, and how: heard by nobody (listen), by the agent (whisper), by all (barge)."""

    supervisor: Dialled
    mode: SupervisionMode = "listen"


class Release(Body):
    """`all` ends the call, `agent` lets the agent's leg go, `takeover` puts `supervisor` there."""

    mode: Literal["all", "agent", "takeover"] = "all"
    supervisor: Dialled | None = None


@router.post("/{call}/supervisors", status_code=204)
async def supervise_call(
    call: str, wanted: NewSupervisor, live: LiveHere, caller: Controls
) -> Response:
    """Ring a supervisor's phone and let it into the call; one that is in it changes its mode."""
    await live.supervise(call, wanted.supervisor, wanted.mode, caller.name)
    return nothing()


class Transfer(Body):
    """Where to: a number that the agent could dial, or a place such as `queue:service`."""

    to: Word


@router.post("/{call}/transfer", status_code=204)
async def transfer_call(call: str, wanted: Transfer, live: LiveHere, _: Controls) -> Response:
    """Hand the customer of a call on to a number or a place; its agent is let go at once."""
    live.transfer(call, wanted.to)
    return nothing()


@router.post("/{call}/release", status_code=204)
async def release_call(call: str, wanted: Release, live: LiveHere, caller: Controls) -> Response:
    """End a call by force, or one party's part in it."""
    live.release(call, wanted.mode, wanted.supervisor, caller.name)
    return nothing()


@router.get("/{call}/trace", responses=returns(list[TraceEntry]))
async def trace_call(call: str, live: LiveHere, _: Reads) -> Response:
    """Return the ladder of a call, going on or over: SIP of all legs, media and call events."""
    return reply(live.trace(call))
