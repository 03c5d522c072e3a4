"""Lines to carriers."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from pbx.api.office import Srtp, TrunkDraft, TrunkView
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Administers, Body, OfficeHere, Reads, Word, written
from pbx.api.views import Trunk, TrunkState

router = APIRouter(prefix="/trunks", tags=["trunks"])


class NewTrunk(Body):
    """A line to add. Calls are recognised as its own by the addresses in `match`, and by its
    registration."""

    name: Word
    server: Word
    username: Word | None = None
    password: Word | None = None
    register_: bool = Field(default=False, alias="register")
    match: tuple[Word, ...] = Field(default=(), max_length=100)
    max_calls: int | None = None
    srtp: Srtp = "optional"
    numbers: tuple[Word, ...] = Field(default=(), max_length=1000)
    per_minute: int | None = None


@router.get("", responses=returns(list[Trunk]))
async def list_trunks(office: OfficeHere, _: Reads) -> Response:
    """Return all lines, sorted by name, and how they are."""
    states = {} if office.live is None else office.live.trunks()
    trunks = await office.directory.trunks()
    return reply([_view(trunk, states.get(trunk.name)) for trunk in trunks])


@router.post("", status_code=201, responses=returns(Trunk, status=201))
async def add_trunk(wanted: NewTrunk, office: OfficeHere, _: Administers) -> Response:
    """Add a line to a carrier, by registration or by address."""
    await office.directory.add_trunk(
        TrunkDraft(
            name=wanted.name,
            server=wanted.server,
            username=wanted.username,
            password=wanted.password,
            register=wanted.register_,
            match=wanted.match,
            max_calls=wanted.max_calls,
            srtp=wanted.srtp,
            numbers=wanted.numbers,
            per_minute=wanted.per_minute,
        )
    )
    await written(office)
    trunks = await office.directory.trunks()
    return reply(next(_view(trunk) for trunk in trunks if trunk.name == wanted.name), status=201)


@router.delete("/{name}", status_code=204)
async def remove_trunk(name: str, office: OfficeHere, _: Administers) -> Response:
    """Forget a line."""
    await office.directory.remove_trunk(name)
    await written(office)
    return nothing()


def _view(trunk: TrunkView, state: TrunkState | None = None) -> Trunk:
    return Trunk(
        name=trunk.name,
        server=trunk.server,
        username=trunk.username,
        register=trunk.register,
        match=tuple(trunk.match),
        max_calls=trunk.max_calls,
        srtp=trunk.srtp,
        numbers=tuple(trunk.numbers),
        per_minute=trunk.per_minute,
        state=state,
    )
