"""Where remotes begin TLS: accepts, and lets them shake hands within a time. [io]

A remote is let in or refused by its address before a byte of it is read, and counts while its
handshake lasts, so that those who never finish one keep nobody else out. What asyncio's own
listening does with TLS knows a remote only after its handshake.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from pbx.sip.connection import Connection
from pbx.sip.guard import source_key
from pbx.sip.tls import Tls

if TYPE_CHECKING:
    from pbx.sip.stream_transport import StreamTransport

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that the kernel holds until we accept them, and that are accepted at a time."""

REST = 1.0
"""Seconds without accepting after descriptors or memory ran out."""


class TlsListener:
    """One listening socket."""

    def __init__(self, streams: StreamTransport, listener: socket.socket, tls: Tls) -> None:
        """Listen on a bound socket; it is closed with this."""
        self._streams = streams
        self._listener = listener
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._watch()

    def close(self) -> None:
        """Accept nobody any more, and give up on handshakes."""
        if self._listener.fileno() < 0:
            return
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for task in self._tasks:
            task.cancel()

    def _watch(self) -> None:
        self._rest = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                accepted, remote = self._listener.accept()
            except (BlockingIOError, ConnectionError, InterruptedError):
                return
            except OSError as error:
                log.warning("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._listener)
                self._rest = self._loop.call_later(REST, self._watch)
                return
            source = source_key(remote[0])
            if not self._streams.admit_handshake(source, remote[0]):
                accepted.close()
                continue
            task = self._loop.create_task(self._shake_hands(accepted, source))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _shake_hands(self, accepted: socket.socket, source: str) -> None:
        streams = self._streams
        accepted.setblocking(False)
        connection = Connection(
            streams, None, streams.now(), kind="tls", begun=lambda: streams.handshake_over(source)
        )
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls.server,
                ssl_handshake_timeout=streams.limits.handshake,
            )
        except OSError as error:  # those of ssl and time-outs are among them
            log.debug("no TLS with %s: %s", source, error)
        finally:
            connection.begin()
