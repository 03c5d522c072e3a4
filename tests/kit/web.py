"""A web server for tests: a real socket on loopback, answers as they are given, byte by byte.

async with Web(reply('{"level": "vip"}')) as web:
    ...                                     # http://127.0.0.1:{web.port}/
assert web.requests[0].line == "GET /x HTTP/1.1"
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Asked:
    """One request as it came: header names are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Callable[[Asked], bytes | Awaitable[bytes]]
"""What a server answers: always the same, or depending on the request. b"" hangs up."""


def reply(body: str | bytes = "", code: int = 200, **headers: str) -> bytes:
    """Return a whole response; `content_encoding` names the header Content-Encoding."""
    content = body.encode() if isinstance(body, str) else body
    lines = {"content_length": str(len(content)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {code} As asked\r\n{head}\r\n".encode() + content


class Web:
    """A server while it is entered. `requests` are all that came, `connections` how many did."""

    def __init__(
        self, answer: Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self._answer = answer
        self._host = host
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self.requests: list[Asked] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            asked = await _read(reader)
            self.requests.append(asked)
            answer = self._answer(asked) if callable(self._answer) else self._answer
            writer.write(answer if isinstance(answer, bytes) else await answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in head[1:-2])
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(head[0], headers, body)
