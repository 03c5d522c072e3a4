"""One request over HTTP/1.1 to a host that callpbx.yaml allows, guarded at the socket.

The guard sits where connections are made: a name is resolved once, every address is judged, and the
connection goes to a judged address, while Host header, SNI and the certificate check keep the name.
So a name that points elsewhere a moment later (rebinding) gains nothing, and there is no second way
out: no redirects, no proxies of the environment, no cookies, no decompression, no connection kept
for the next request. Sentences of failures name the host alone, never path, headers or body, which
may hold secrets.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpcore

from pbx.errors import Refused
from pbx.outside.addresses import Guard
from pbx.outside.breaker import Unavailable
from pbx.plan.url import Url

MAX_SECONDS: Final = 5.0
"""What a request may take, whatever a lookup says."""

MAX_BODY: Final = 65_536
"""Bytes of an answer that are read."""

MAX_CONNECTIONS: Final = 64
"""Requests under way at a time; later ones wait within their own time."""

MAX_ADDRESSES: Final = 3
"""Addresses of a host that are tried, each for its share of the time."""

ATTEMPTS: Final = 2
"""A connection that cannot be made is tried once more; a request that was sent is not."""

OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that decide how a message is read; no lookup writes them."""

TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
"""Letters of a header's name, RFC 9110 §5.6.2."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Return a host's addresses, none where it has none; a numeric host is its own."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: the code of HTTP, and the body."""

    code: int
    body: bytes


class Client:
    """Makes requests through the guard. Close it at the end."""

    def __init__(self, guard: Guard, resolve: Resolve, tls: ssl.SSLContext) -> None:
        """`tls` says which certificates are trusted."""
        self._guard = guard
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=0,
            network_backend=_GuardedNetwork(guard, resolve),
        )

    async def request(
        self,
        method: Literal["GET", "POST"],
        url: Url,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Reply:
        """Ask and return the answer, whatever its code is.

        Raises Refused for what may not be asked, Unavailable where the server gives no answer. The
        caller limits the time.
        """
        self._guard.check_host(url.host)
        lines = _header_lines(url, headers, body)
        target = httpcore.URL(
            scheme=url.scheme.encode(),
            host=url.host.encode(),
            port=url.port,
            target=url.target.encode(),
        )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._exchange(method, target, lines, body)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                if url.scheme == "https" and (refused := _tls_error(error)) is not None:
                    raise Unavailable(_tls_sentence(url.host, refused)) from None
                if attempt == ATTEMPTS:
                    raise Unavailable(f"{url.host} cannot be connected to") from None
            except httpcore.TimeoutException:
                raise Unavailable(f"{url.host} gave no answer in time") from None
            except (httpcore.NetworkError, httpcore.ProtocolError):
                raise Unavailable(f"{url.host} broke off, or does not speak HTTP") from None
        raise AssertionError("every attempt returns or raises")

    async def close(self) -> None:
        """Close what is under way."""
        await self._pool.aclose()

    async def _exchange(
        self,
        method: str,
        target: httpcore.URL,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
    ) -> Reply:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), MAX_SECONDS)
        async with self._pool.stream(
            method, target, headers=headers, content=body, extensions={"timeout": timeouts}
        ) as response:
            _refuse_encoded(response)
            read = bytearray()
            async for chunk in response.aiter_stream():
                read += chunk
                if len(read) > MAX_BODY:
                    raise Unavailable(f"the answer is longer than {MAX_BODY // 1024} kB")
            return Reply(response.status, bytes(read))


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses; the only way out that the pool has."""

    def __init__(self, guard: Guard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that is judged well and answers."""
        addresses = self._guard.judge(host, await self._resolve(host))[:MAX_ADDRESSES]
        share = (MAX_SECONDS if timeout is None else timeout) / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout=share)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Refuse: lookups know hosts only."""
        raise Refused("a lookup reaches hosts, not files")


def _header_lines(
    url: Url, headers: Mapping[str, str], body: bytes | None
) -> list[tuple[bytes, bytes]]:
    lines = [
        (b"Host", url.authority.encode()),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]
    if body is not None:
        lines += [
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
        ]
    lines += [_header_line(name, value) for name, value in headers.items()]
    given = {name.lower() for name in headers}
    ordinary = {"User-Agent": "callpbx", "Accept": "application/json"}
    lines += [
        _header_line(name, value) for name, value in ordinary.items() if name.lower() not in given
    ]
    return lines


def _header_line(name: str, value: str) -> tuple[bytes, bytes]:
    if not name or not TOKEN.issuperset(name.lower()):
        raise Refused(f'"{name}" is no name of a header')
    if name.lower() in OURS:
        raise Refused(f"the header {name} is written by callpbx itself; leave it out")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
        raise Refused(f"a value in the header {name} has a control character")
    return name.encode(), value.strip().encode(errors="replace")


def _refuse_encoded(response: httpcore.Response) -> None:
    """Nothing is unpacked: 64 kB can become gigabytes."""
    for name, value in response.headers:
        if name.lower() == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Unavailable("the answer is compressed though that was not asked for")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return why TLS failed, which stands behind the exception; None where it did not."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _tls_sentence(host: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not trusted: {error.verify_message}"
    return f"{host} and callpbx agree on no TLS"
