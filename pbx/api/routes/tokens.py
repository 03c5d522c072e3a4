"""Tokens that let programs use the API over TCP."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pbx.api.office import Scope, TokenView
from pbx.api.replies import nothing, reply, returns
from pbx.api.routes.requests import Administers, Body, OfficeHere, Word
from pbx.api.views import Token, TokenCreated, utc_text

router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(Body):
    """A token to make."""

    name: Word
    scope: Scope


@router.get("", responses=returns(list[Token]))
async def list_tokens(office: OfficeHere, _: Administers) -> Response:
    """Return the names and scopes of all tokens."""
    tokens = await office.directory.tokens()
    return reply([_view(token) for token in tokens])


@router.post("", status_code=201, responses=returns(TokenCreated, status=201))
async def add_token(wanted: NewToken, office: OfficeHere, _: Administers) -> Response:
    """Make a token. Its secret is shown here and never again."""
    secret = await office.directory.add_token(wanted.name, wanted.scope)
    return reply(TokenCreated(name=wanted.name, scope=wanted.scope, token=secret), status=201)


@router.delete("/{name}", status_code=204)
async def remove_token(name: str, office: OfficeHere, _: Administers) -> Response:
    """Make a token worthless at once."""
    await office.directory.remove_token(name)
    return nothing()


def _view(token: TokenView) -> Token:
    last_used = None if token.last_used is None else utc_text(token.last_used)
    return Token(name=token.name, scope=token.scope, last_used=last_used)
