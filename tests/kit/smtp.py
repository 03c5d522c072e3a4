"""A mail server for tests: a real socket on loopback that keeps what it is given (RFC 5321).

It offers STARTTLS where it has a certificate, takes one user's password, and answers single
commands as a test wants: `MailHost(answers={"RCPT": ["451 later", "250 OK"]})`.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Letter:
    """One mail as it arrived: the envelope, what is in it, and how it came."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    user: str | None


class MailHost:
    """A mail server while it is entered."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
        password: str | None = None,
        answers: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`tls` is offered as STARTTLS, or begun `at_once`. `answers` are what commands get, one
        after the other, instead of the usual."""
        self._tls = tls
        self._at_once = at_once
        self._password = password
        self._answers = {verb: list(lines) for verb, lines in (answers or {}).items()}
        self.letters: list[Letter] = []
        self.commands: list[str] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        tls = self._tls if self._at_once else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, to, user = "", list[str](), None
        try:
            writer.write(b"220 mail.test ready\r\n")
            while line := (await reader.readline()).decode().strip():
                verb, _, rest = line.partition(" ")
                verb = verb.upper()
                self.commands.append(verb)
                encrypted = writer.get_extra_info("sslcontext") is not None
                if answers := self._answers.get(verb):
                    answer = answers.pop(0)
                    writer.write(f"{answer}\r\n".encode())
                    if not answer.startswith("2"):
                        continue
                elif verb == "EHLO":
                    writer.write(self._greeting(encrypted))
                elif verb == "STARTTLS" and self._tls is not None:
                    writer.write(b"220 go\r\n")
                    await writer.drain()
                    await writer.start_tls(self._tls)
                elif verb == "AUTH":
                    user = self._authenticated(rest)
                    writer.write(b"235 welcome\r\n" if user else b"535 wrong password\r\n")
                elif verb == "DATA":
                    writer.write(b"354 go on\r\n")
                elif verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                else:
                    writer.write(b"250 OK\r\n")
                if verb == "MAIL":
                    sender = rest.partition("<")[2].partition(">")[0]
                elif verb == "RCPT":
                    to.append(rest.partition("<")[2].partition(">")[0])
                elif verb == "DATA":
                    content = await reader.readuntil(b"\r\n.\r\n")
                    message = message_from_bytes(content[:-3], EmailMessage, policy=default)
                    self.letters.append(Letter(sender, tuple(to), message, encrypted, user))
                    writer.write(b"250 kept\r\n")
                elif verb == "QUIT":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _greeting(self, encrypted: bool) -> bytes:
        lines = ["mail.test", "8BITMIME"]
        if self._tls is not None and not encrypted:
            lines.append("STARTTLS")
        if self._password is not None:
            lines.append("AUTH PLAIN")
        *first, last = lines
        return "".join([*(f"250-{line}\r\n" for line in first), f"250 {last}\r\n"]).encode()

    def _authenticated(self, rest: str) -> str | None:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        return user if password == self._password else None
