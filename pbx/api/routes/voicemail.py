"""Voicemail: the boxes, the messages in them and their sound, PINs and addresses.

Sound is served from the file, whole or by range (RFC 9110 §14). Whoever fetches it here is not the
owner of the box: the message stays new. Pages are those of records.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import FileResponse

from pbx.api.replies import MAX_PAGE, nothing, reply, returns
from pbx.api.routes.requests import (
    Administers,
    Body,
    Controls,
    OfficeHere,
    Reads,
    Word,
    link_to_next,
)
from pbx.mailboxes.model import BoxEntry, MessageEntry

router = APIRouter(prefix="/voicemail", tags=["voicemail"])

Text = Annotated[str | None, Query(max_length=100)]


class BoxSettings(Body):
    """What is set of a box: a field that is left out stays, an empty text clears it.

    `standard_greeting` forgets the greeting that the owner recorded.
    """

    pin: Word | None = None
    mail: Word | None = None
    standard_greeting: bool = False


@router.get("/boxes", responses=returns(list[BoxEntry]))
async def list_boxes(office: OfficeHere, _: Reads) -> Response:
    """Return the boxes that have messages, or for which something was set."""
    return reply(await office.mailboxes.boxes())


@router.put("/boxes/{box}", status_code=204)
async def set_box(box: Word, wanted: BoxSettings, office: OfficeHere, _: Administers) -> Response:
    """Set the PIN of a box, or the address that its messages are mailed to."""
    await office.mailboxes.change(
        box, pin=wanted.pin, mail=wanted.mail, standard_greeting=wanted.standard_greeting
    )
    return nothing()


@router.get("/messages", responses=returns(list[MessageEntry]))
async def list_messages(
    request: Request,
    office: OfficeHere,
    _: Reads,
    box: Text = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    before: Text = None,
) -> Response:
    """Return a page of messages, newest first."""
    found = await office.mailboxes.messages(box=box, limit=limit, before=before)
    return reply(
        found, headers=link_to_next(request, found[-1].id) if len(found) == limit else None
    )


@router.get("/messages/{message}", responses=returns(MessageEntry))
async def show_message(message: Word, office: OfficeHere, _: Reads) -> Response:
    """Return a message."""
    return reply(await office.mailboxes.message(message))


@router.get("/messages/{message}/audio", response_class=FileResponse)
async def fetch_message(message: Word, office: OfficeHere, _: Reads) -> Response:
    """Return the sound of a message."""
    _entry, path = await office.mailboxes.fetch(message)
    return FileResponse(
        path,
        media_type="audio/wav",
        filename=path.name,
        headers={"Cache-Control": "no-store"},
    )


@router.delete("/messages/{message}", status_code=204)
async def delete_message(message: Word, office: OfficeHere, _: Controls) -> Response:
    """Delete a message and its sound."""
    await office.mailboxes.delete(message)
    return nothing()
