"""Who may ask what: the socket's owner everything, everybody else what a token says.

Requests over TCP are turned away here, before their body is read: no valid token, no work. The Unix
socket is a file that only its owner may open (0600), so what comes that way is the administrator;
`serving.py` and the in-process client mark it by wrapping the application in `Administrator`.
Without that mark a request is a stranger's.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from fastapi import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from pbx.api.office import Office, Scope

MAX_BODY = 1_000_000  # bytes
CALLER = "callpbx.caller"
RANKS: dict[Scope, int] = {"read": 0, "control": 1, "admin": 2}


class Caller(NamedTuple):
    """Who sent a request: the name of its token, or "socket"."""

    name: str
    scope: Scope


class Administrator:
    """Marks everything that reaches `app` through it as the administrator's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass the connection on, marked."""
        await self._app({**scope, CALLER: Caller("socket", "admin")}, receive, send)


class Access:
    """Lets marked connections and those with a valid token through; answers 401 to the others."""

    def __init__(self, app: ASGIApp, office: Office) -> None:
        self._app = app
        self._office = office

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Check one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if CALLER not in scope:
            caller = await self._caller(connection)
            if caller is None:
                await _turn_away(scope, send, 401, "a token is needed: Authorization: Bearer …")
                return
            scope = {**scope, CALLER: caller}
        if scope["type"] == "http" and (refusal := _body_refusal(connection)):
            await _turn_away(scope, send, *refusal)
            return
        await self._app(scope, receive, send)

    async def _caller(self, connection: HTTPConnection) -> Caller | None:
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            return None
        token = await self._office.directory.token(secret.strip())
        return Caller(token.name, token.scope) if token else None


def needs(scope: Scope) -> Callable[[HTTPConnection], Awaitable[Caller]]:
    """Return the dependency of routes that want at least `scope`; it gives them the caller."""

    async def check(connection: HTTPConnection) -> Caller:
        caller: Caller = connection.scope[CALLER]
        if RANKS[caller.scope] < RANKS[scope]:
            sentence = f'token "{caller.name}" may only {caller.scope}; this needs {scope}'
            raise HTTPException(403, sentence)
        return caller

    return check


def _body_refusal(connection: HTTPConnection) -> tuple[Literal[411, 413], str] | None:
    headers = connection.headers
    if "transfer-encoding" in headers:
        return 411, "send a Content-Length instead of Transfer-Encoding"
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 10) or int(length) > MAX_BODY:
        return 413, f"the body is longer than {MAX_BODY} bytes"
    return None


async def _turn_away(scope: AsgiScope, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    body = json.dumps({"detail": sentence}, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
