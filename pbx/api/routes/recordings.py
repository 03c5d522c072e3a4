"""Recordings: the index, the sound, and what is done to those that go on.

Sound is served from the file, whole or by range (RFC 9110 §14); each fetch from the beginning is
noted with the name of the token. Pages are those of records.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import FileResponse

from pbx.api.replies import MAX_PAGE, nothing, reply, returns
from pbx.api.routes.requests import (
    Body,
    Controls,
    LiveHere,
    OfficeHere,
    Reads,
    Word,
    link_to_next,
    wall,
)
from pbx.api.views import RecordingBegun
from pbx.recordings.model import RecordingDetails, RecordingEntry, RecordingQuery

router = APIRouter(prefix="/recordings", tags=["recordings"])

Text = Annotated[str | None, Query(max_length=100)]


class NewRecording(Body):
    """The call that shall be recorded from now on."""

    call: Word


@router.get("", responses=returns(list[RecordingEntry]))
async def list_recordings(
    request: Request,
    office: OfficeHere,
    _: Reads,
    since: datetime | None = None,
    until: datetime | None = None,
    call: Text = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    before: Text = None,
) -> Response:
    """Return a page of recordings, newest first; times without an offset are UTC."""
    wanted = RecordingQuery(
        since=wall(since), until=wall(until), call=call, limit=limit, before=before
    )
    found = await office.recordings.find(wanted)
    return reply(
        found, headers=link_to_next(request, found[-1].id) if len(found) == limit else None
    )


@router.post("", status_code=201, responses=returns(RecordingBegun, status=201))
async def begin_recording(wanted: NewRecording, live: LiveHere, _: Controls) -> Response:
    """Record a call from now on."""
    return reply(RecordingBegun(id=live.start_recording(wanted.call)), status=201)


@router.get("/{recording}", responses=returns(RecordingDetails))
async def show_recording(recording: str, office: OfficeHere, _: Reads) -> Response:
    """Return a recording, and who listened to it."""
    return reply(await office.recordings.find_one(recording))


@router.get("/{recording}/audio", response_class=FileResponse)
async def fetch_recording(
    recording: str,
    office: OfficeHere,
    caller: Reads,
    range_: Annotated[str, Header(alias="range", max_length=200)] = "",
) -> Response:
    """Return the sound; who fetches it is noted."""
    beginning = not range_ or range_.startswith("bytes=0-")
    entry, path = await office.recordings.fetch(
        recording, by=caller.name if beginning else None, at=time.time()
    )
    return FileResponse(
        path,
        media_type=entry.media_type,
        filename=path.name,
        headers={"Cache-Control": "no-store"},
    )


@router.post("/{recording}/pause", status_code=204)
async def pause_recording(recording: str, live: LiveHere, _: Controls) -> Response:
    """Record silence in place of the call, for two minutes at most."""
    live.pause_recording(recording, True)
    return nothing()


@router.post("/{recording}/resume", status_code=204)
async def resume_recording(recording: str, live: LiveHere, _: Controls) -> Response:
    """Record the call again."""
    live.pause_recording(recording, False)
    return nothing()


@router.post("/{recording}/stop", status_code=204)
async def stop_recording(recording: str, live: LiveHere, _: Controls) -> Response:
    """End a recording; its call goes on."""
    live.stop_recording(recording)
    return nothing()
