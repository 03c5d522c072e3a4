"""The guarded client against real servers: where it goes, what it sends, what it takes."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pbx.config import AllowedHost
from pbx.errors import Refused
from pbx.outside.addresses import Guard
from pbx.outside.breaker import Unavailable
from pbx.outside.http import MAX_BODY, Client, Reply
from pbx.plan.url import Url
from tests.kit.certificates import Authority
from tests.kit.web import Asked, Web, reply

LOOPBACK = AllowedHost("crm.local", ipaddress.ip_network("127.0.0.1/32"))
LOOPBACK6 = AllowedHost("crm.local", ipaddress.ip_network("::1/128"))
BY_NAME = AllowedHost("crm.local")


class Names:
    """A resolver whose answers are written down; each list is used up but for its last."""

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(found) for name, found in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answers = self._names.get(host, [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def client(
    *allowed: AllowedHost, names: Names | None = None, tls: ssl.SSLContext | None = None
) -> Client:
    resolve = names or Names(crm_local=[["127.0.0.1"]])
    return Client(Guard(allowed), resolve, tls or ssl.create_default_context())


async def get(
    client: Client,
    port: int,
    target: str = "/",
    headers: Mapping[str, str] | None = None,
    *,
    host: str = "crm.local",
    scheme: str = "http",
) -> Reply:
    try:
        return await client.request("GET", Url(scheme, host, port, target), headers or {})
    finally:
        await client.close()


def test_a_request_is_plain_and_says_who_asks() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            found = await get(client(LOOPBACK), web.port, "/a?b=%20", {"X-Key": "äb"})
        assert found == Reply(200, b"{}")
        (asked,) = web.requests
        assert asked.line == "GET /a?b=%20 HTTP/1.1"
        assert asked.headers == {
            "host": f"crm.local:{web.port}",
            "user-agent": "callpbx",
            "accept": "application/json",
            "accept-encoding": "identity",
            "connection": "close",
            "x-key": "Ã¤b",
        }

    asyncio.run(main())


def test_a_lookup_may_say_itself_what_it_accepts() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            await get(client(LOOPBACK), web.port, headers={"accept": "text/json"})
        assert web.requests[0].headers["accept"] == "text/json"

    asyncio.run(main())


def test_ipv6_is_spoken() -> None:
    async def main() -> None:
        async with Web(reply("{}"), host="::1") as web:
            names = Names(crm_local=[["::1"]])
            assert (await get(client(LOOPBACK6, names=names), web.port)).code == 200
            literal = AllowedHost("::1", ipaddress.ip_network("::1/128"))
            names = Names(**{"::1": [["::1"]]})
            await get(client(literal, names=names), web.port, host="::1")
        assert web.requests[1].headers["host"] == f"[::1]:{web.port}"

    asyncio.run(main())


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "::", "::127.0.0.1", "64:ff9b::7f00:1"],
)
def test_a_listed_name_that_points_at_this_machine_is_refused(address: str) -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            guarded = client(BY_NAME, names=Names(crm_local=[[address]]))
            with pytest.raises(Refused, match="may not be reached"):
                await get(guarded, web.port)
        assert web.connections == 0

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1", "0x7f000001", "2130706433"])
def test_an_address_that_is_not_listed_is_refused_unresolved(host: str) -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            names = Names(**{host: [["127.0.0.1"]]})
            with pytest.raises(Refused, match="is not among http: allow"):
                await get(client(LOOPBACK, names=names), web.port, host=host)
            assert names.asked == []
        assert web.connections == 0

    asyncio.run(main())


def test_a_listed_odd_spelling_is_judged_by_where_it_points() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            names = Names(**{"0x7f000001": [["127.0.0.1"]]})
            guarded = client(AllowedHost("0x7f000001"), names=names)
            with pytest.raises(Refused, match=r"is at 127\.0\.0\.1, which may not be reached"):
                await get(guarded, web.port, host="0x7f000001")
        assert web.connections == 0

    asyncio.run(main())


def test_a_rebinding_name_gains_nothing() -> None:
    """The name is resolved once per connection, and the judged answer is the one connected to."""

    async def main() -> None:
        async with Web(reply("{}")) as web:
            names = Names(crm_local=[["127.0.0.1"], ["127.0.0.2"]])
            await get(client(LOOPBACK, names=names), web.port)
            assert names.asked == ["crm.local"]
            names = Names(crm_local=[["127.0.0.2"], ["127.0.0.1"]])
            with pytest.raises(Refused, match=r"127\.0\.0\.2, which may not"):
                await get(client(LOOPBACK, names=names), web.port)
        assert web.connections == 1

    asyncio.run(main())


def test_each_request_is_judged_anew() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            guarded = client(LOOPBACK, names=Names(crm_local=[["127.0.0.1"], ["127.0.0.2"]]))
            url = Url("http", "crm.local", web.port, "/")
            await guarded.request("GET", url, {})
            with pytest.raises(Refused):
                await guarded.request("GET", url, {})
            await guarded.close()
        assert web.connections == 1

    asyncio.run(main())


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirection_is_not_followed(code: int) -> None:
    async def main() -> None:
        async with Web(reply("{}")) as inside:
            location = f"http://127.0.0.1:{inside.port}/"
            async with Web(reply("", code, location=location)) as web:
                assert (await get(client(LOOPBACK), web.port)).code == code
        assert inside.connections == 0
        assert web.connections == 1

    asyncio.run(main())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Web(reply("{}")) as proxy, Web(reply("[]")) as web:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert (await get(client(LOOPBACK), web.port)).body == b"[]"
        assert proxy.connections == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"x" * (MAX_BODY + 1)),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY * 20),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1000\r\n%b\r\n" % (b"x" * 4096) * 20,
    ],
)
def test_a_body_is_read_up_to_64_kilobytes(answer: bytes) -> None:
    async def main() -> None:
        async with Web(answer) as web:
            with pytest.raises(Unavailable, match="longer than 64 kB"):
                await get(client(LOOPBACK), web.port)

    asyncio.run(main())


def test_the_largest_body_is_taken() -> None:
    async def main() -> None:
        async with Web(reply(b"x" * MAX_BODY)) as web:
            assert len((await get(client(LOOPBACK), web.port)).body) == MAX_BODY

    asyncio.run(main())


def test_nothing_is_unpacked() -> None:
    async def main() -> None:
        async with Web(reply(b"\x1f\x8b", content_encoding="gzip")) as web:
            with pytest.raises(Unavailable, match="compressed"):
                await get(client(LOOPBACK), web.port)

    asyncio.run(main())


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_what_is_no_answer_is_unavailable(answer: bytes) -> None:
    async def main() -> None:
        async with Web(answer) as web:
            with pytest.raises(Unavailable, match=r"crm\.local broke off, or does not speak HTTP"):
                await get(client(LOOPBACK), web.port)
        assert web.connections == 1, "a request that was sent is not sent again"

    asyncio.run(main())


def test_a_connection_is_tried_twice() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            port = web.port
        names = Names(crm_local=[["127.0.0.1"]])
        with pytest.raises(Unavailable, match="cannot be connected to"):
            await get(client(LOOPBACK, names=names), port)
        assert len(names.asked) == 2

    asyncio.run(main())


def test_the_next_address_is_tried_where_one_is_dead() -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            both = ipaddress.ip_network("127.0.0.0/30")
            names = Names(crm_local=[["127.0.0.2", "127.0.0.1"]])
            guarded = client(AllowedHost("crm.local", both), names=names)
            assert (await get(guarded, web.port)).code == 200
            assert len(names.asked) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("X-Key", "a\r\nHost: evil", "control character"),
        ("X-Key", "a\x00", "control character"),
        ("X Key", "a", "is no name of a header"),
        ("X-Key:", "a", "is no name of a header"),
        ("", "a", "is no name of a header"),
        ("Host", "evil", "written by callpbx itself"),
        ("transfer-encoding", "chunked", "written by callpbx itself"),
        ("Content-Length", "5", "written by callpbx itself"),
    ],
)
def test_no_header_changes_what_the_request_is(name: str, value: str, sentence: str) -> None:
    async def main() -> None:
        async with Web(reply("{}")) as web:
            with pytest.raises(Refused, match=sentence) as caught:
                await get(client(LOOPBACK), web.port, headers={name: value})
        assert "evil" not in str(caught.value)
        assert web.connections == 0

    asyncio.run(main())


def test_a_post_carries_its_body() -> None:
    async def main() -> None:
        async with Web(reply("", 204)) as web:
            guarded = client(LOOPBACK)
            url = Url("http", "crm.local", web.port, "/hook")
            assert (await guarded.request("POST", url, {}, b'{"a": 1}')).code == 204
            await guarded.close()
        (asked,) = web.requests
        assert (asked.line, asked.body) == ("POST /hook HTTP/1.1", b'{"a": 1}')
        assert asked.headers["content-type"] == "application/json"

    asyncio.run(main())


def server_tls(authority: Authority, *names: str) -> ssl.SSLContext:
    files = authority.issue(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def test_the_certificate_is_checked_with_the_name(tmp_path: Path) -> None:
    async def main() -> None:
        authority = Authority(tmp_path)
        trusted = ssl.create_default_context(cafile=str(authority.ca))
        seen: list[str | None] = []
        right = server_tls(authority, "crm.local")
        right.sni_callback = lambda _socket, name, _context: seen.append(name)
        async with Web(reply("{}"), tls=right) as web:
            found = await get(client(LOOPBACK, tls=trusted), web.port, scheme="https")
        assert found.code == 200
        assert seen == ["crm.local"]

    asyncio.run(main())


@pytest.mark.parametrize("name", ["other.local", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        authority = Authority(tmp_path)
        trusted = ssl.create_default_context(cafile=str(authority.ca))
        async with Web(reply("{}"), tls=server_tls(authority, name)) as web:
            with pytest.raises(Unavailable, match=r"the certificate of crm\.local is not trusted"):
                await get(client(LOOPBACK, tls=trusted), web.port, scheme="https")
        assert web.requests == []

    asyncio.run(main())


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with Web(reply("{}"), tls=server_tls(Authority(tmp_path), "crm.local")) as web:
            with pytest.raises(Unavailable, match="is not trusted"):
                await get(client(LOOPBACK), web.port, scheme="https")

    asyncio.run(main())


def test_a_server_without_tls_is_unavailable() -> None:
    async def main() -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 no web server at all\r\n")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="agree on no TLS"):
            await get(client(LOOPBACK), port, scheme="https")
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_a_silent_server_ends_with_the_time_of_who_asks() -> None:
    async def main() -> None:
        asked = asyncio.Event()

        async def silence(_: Asked) -> bytes:
            asked.set()
            await asyncio.Event().wait()
            return b""

        async with Web(silence) as web:
            guarded = client(LOOPBACK)
            url = Url("http", "crm.local", web.port, "/")
            task = asyncio.create_task(guarded.request("GET", url, {}))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await guarded.close()

    asyncio.run(main())
