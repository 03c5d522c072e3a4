"""Conference rooms: their PINs, and who is in them now."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import (
    Administers,
    Body,
    Controls,
    Dialled,
    LiveHere,
    OfficeHere,
    Reads,
    written,
)
from pbx.api.views import CallPlaced, ConferenceView

router = APIRouter(prefix="/conferences", tags=["conferences"])


class Pins(Body):
    """The PINs to set; one that is left out stays as it is."""

    pin: str | None = None
    moderator_pin: str | None = None


class Invitation(Body):
    """Whom the room rings; once answered, it is in the room without a PIN."""

    number: Dialled


@router.get("", responses=returns(list[ConferenceView]))
async def list_conferences(live: LiveHere, _: Reads) -> Response:
    """Return the rooms of the dialplan and who is in them, sorted by number."""
    return reply(live.conferences())


@router.put("/{room}/pins", status_code=204)
async def set_pins(room: Dialled, wanted: Pins, office: OfficeHere, _: Administers) -> Response:
    """Set the PINs of a room."""
    await office.directory.set_conference_pins(
        room, member=wanted.pin, moderator=wanted.moderator_pin
    )
    await written(office)
    return nothing()


@router.put("/{room}/lock", status_code=204)
async def lock_room(room: Dialled, live: LiveHere, _: Controls) -> Response:
    """Let nobody but moderators into an open room."""
    live.lock_conference(room, True)
    return nothing()


@router.delete("/{room}/lock", status_code=204)
async def unlock_room(room: Dialled, live: LiveHere, _: Controls) -> Response:
    """Let everybody in again."""
    live.lock_conference(room, False)
    return nothing()


@router.post("/{room}/members", status_code=201, responses=returns(CallPlaced, status=201))
async def invite_member(room: Dialled, wanted: Invitation, live: LiveHere, _: Controls) -> Response:
    """Ring a phone and take it into the room once it answers."""
    return reply(CallPlaced(id=await live.dial_into_conference(room, wanted.number)), status=201)


@router.put("/{room}/members/{member}/mute", status_code=204)
async def mute_member(room: Dialled, member: Dialled, live: LiveHere, _: Controls) -> Response:
    """Let nobody hear a member."""
    live.mute_in_conference(room, member, True)
    return nothing()


@router.delete("/{room}/members/{member}/mute", status_code=204)
async def unmute_member(room: Dialled, member: Dialled, live: LiveHere, _: Controls) -> Response:
    """Let a member be heard again."""
    live.mute_in_conference(room, member, False)
    return nothing()


@router.delete("/{room}/members/{member}", status_code=204)
async def put_out_member(room: Dialled, member: Dialled, live: LiveHere, _: Controls) -> Response:
    """Put a member out of the room; its call ends."""
    live.put_out_of_conference(room, member)
    return nothing()
