"""Who waits to be called back, and what a supervisor does about it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.centre_views import WaitingCallback
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import CentreHere, Controls, Reads

router = APIRouter(prefix="/callbacks", tags=["callbacks"])


@router.get("", responses=returns(list[WaitingCallback]))
async def list_callbacks(centre: CentreHere, _: Reads) -> Response:
    """Return who waits to be called back, by the beginning of the wait."""
    return reply(centre.callbacks())


@router.delete("/{callback}", status_code=204)
async def cancel_callback(callback: str, centre: CentreHere, _: Controls) -> Response:
    """Call somebody back no more: by the id, the beginning of it, or the number."""
    centre.cancel_callback(callback)
    return nothing()


@router.post("/{callback}/now", responses=returns(WaitingCallback))
async def hurry_callback(callback: str, centre: CentreHere, _: Controls) -> Response:
    """Let a call-back wait in its line now, whatever its next try and its hours; before nobody."""
    return reply(centre.hurry_callback(callback))
