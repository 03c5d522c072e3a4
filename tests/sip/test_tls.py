"""TLS on loopback: who is believed, what is refused, and the limits that hold meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from pbx.errors import Refused
from pbx.sip.endpoint import Endpoint
from pbx.sip.flow import Address, Flow
from pbx.sip.resolve import LocalAddresses, NameResolver
from pbx.sip.settings import AgentSettings
from pbx.sip.stream_transport import StreamLimits, StreamTransport
from pbx.sip.tls import Tls, TlsFiles
from pbx.sip.transport import Listen, SipTransport
from pbx.sip.uri import Uri
from tests.kit.certificates import Authority
from tests.sip.test_stream_transport import HOST, OK, OPTIONS, Later, Owner
from tests.sip.test_transport import Agent

T = TypeVar("T")

LIMITS = StreamLimits(connect=2.0, handshake=2.0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that both sides believe."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def files(authority: Authority) -> TlsFiles:
    """Return the files of a server on loopback."""
    return authority.issue(HOST, "pbx.example")


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Return what runs a coroutine on one of the two loops."""

    def run_bounded(work: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(15.0):
                await work()

        request.param(bounded())

    return run_bounded


Run = Callable[[Callable[[], Awaitable[None]]], None]


@contextlib.asynccontextmanager
async def listening(
    files: TlsFiles, limits: StreamLimits = LIMITS
) -> AsyncIterator[tuple[Owner, Address]]:
    """Return an owner whose streams listen on TLS."""
    owner = Owner()
    owner.streams = streams = StreamTransport(owner, LocalAddresses(), limits, tls=Tls(files))
    address = await streams.listen(HOST, 0, kind="tls")
    try:
        yield owner, address
    finally:
        await owner.disconnect()
        await streams.close(0.2)


def phone(authority: Authority, **changes: object) -> ssl.SSLContext:
    """Return the TLS of a phone that believes the authority."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    for name, value in changes.items():
        setattr(context, name, value)
    return context


async def connect(
    owner: Owner, address: Address, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect as a phone does."""
    reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=HOST)
    owner._remotes.append(writer)
    return reader, writer


def test_messages_pass_both_ways(run: Run, files: TlsFiles, authority: Authority) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            owner.answer = OK
            reader, writer = await connect(owner, address, phone(authority))
            (flow,) = await owner.until("opened")
            assert isinstance(flow, Flow)
            assert (flow.transport, flow.local) == ("tls", address)
            for part in (OPTIONS[:20], OPTIONS[20:] + OPTIONS):
                writer.write(part)
                await writer.drain()
            assert await reader.readexactly(2 * len(OK)) == 2 * OK
            writer.close()
            assert await owner.until("closed") == [flow]

    run(work)


def test_a_message_that_comes_with_the_end_of_the_handshake_is_not_lost(
    run: Run, files: TlsFiles, authority: Authority
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            owner.answer = OK
            for _ in range(20):
                reader, writer = await connect(owner, address, phone(authority))
                writer.write(OPTIONS)
                assert await reader.readexactly(len(OK)) == OK
            assert len(owner.of("opened")) == 20

    run(work)


def test_a_connection_that_is_open_is_used_for_requests_too(
    run: Run, files: TlsFiles, authority: Authority
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            reader, _ = await connect(owner, address, phone(authority))
            (flow,) = await owner.until("opened")
            assert isinstance(flow, Flow)
            assert owner.streams.send(OPTIONS, flow)
            assert await reader.readexactly(len(OPTIONS)) == OPTIONS
            assert not owner.streams.send(OK, flow._replace(transport="tcp"))

    run(work)


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"]
)
def test_old_versions_are_refused(
    run: Run, files: TlsFiles, authority: Authority, version: ssl.TLSVersion
) -> None:
    context = phone(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = version
    _assert_refused(run, files, context)


@pytest.mark.parametrize(
    "ciphers",
    ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "AES128-SHA", "ECDHE-RSA-AES256-SHA"],
)
def test_ciphers_without_aead_or_forward_secrecy_are_refused(
    run: Run, files: TlsFiles, authority: Authority, ciphers: str
) -> None:
    context = phone(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    _assert_refused(run, files, context)


@pytest.mark.parametrize("ciphers", ["RC4-SHA", "DES-CBC3-SHA", "ECDHE-RSA-DES-CBC3-SHA"])
def test_broken_ciphers_are_not_even_known_here(files: TlsFiles, ciphers: str) -> None:
    assert ciphers not in [cipher["name"] for cipher in Tls(files).server.get_ciphers()]


def test_all_that_is_spoken_is_aead(files: TlsFiles) -> None:
    tls = Tls(files)
    for context in (tls.server, tls.client):
        assert all(cipher["aead"] for cipher in context.get_ciphers())
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_new_versions_are_spoken(
    run: Run, files: TlsFiles, authority: Authority, version: ssl.TLSVersion
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            context = phone(authority, minimum_version=version, maximum_version=version)
            await connect(owner, address, context)
            await owner.until("opened")

    run(work)


def test_a_remote_that_never_begins_is_cut_off_and_counts_meanwhile(
    run: Run, files: TlsFiles, authority: Authority
) -> None:
    async def work() -> None:
        limits = StreamLimits(handshake=0.3, from_one_source=3)
        async with listening(files, limits) as (owner, address):
            silent = [await owner.connect(address) for _ in range(3)]
            for _, writer in silent[:1]:
                writer.write(b"\x16")
            while owner.streams.snapshot()["handshakes"] < 3:
                await asyncio.sleep(0)
            reader, _ = await owner.connect(address)
            assert await reader.read() == b""
            assert owner.streams.refused == 1
            for reader, _ in silent:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            assert owner.streams.snapshot()["handshakes"] == 0
            await connect(owner, address, phone(authority))
            await owner.until("opened")
            assert owner.of("closed") == []

    run(work)


def test_plain_sip_and_rubbish_at_the_port_are_nobodys_business(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            for rubbish in (OPTIONS, b"\0" * 400, b"\x16\x03\x01\xff\xff" + b"A" * 70_000):
                reader, writer = await owner.connect(address)
                writer.write(rubbish)
                with contextlib.suppress(ConnectionError):
                    while await reader.read(4096):
                        pass
            assert owner.told == []
            assert owner.streams.snapshot()["handshakes"] == 0

    run(work)


def test_a_banned_source_never_begins(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            owner.banned.add(HOST)
            reader, _ = await owner.connect(address)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            assert owner.streams.refused == 1

    run(work)


def test_silence_after_the_handshake_is_limited_as_ever(
    run: Run, files: TlsFiles, authority: Authority
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            reader, _ = await connect(owner, address, phone(authority))
            await owner.until("opened")
            later = Later(owner.streams)
            later.ahead = LIMITS.message + 1
            owner.streams.sweep()
            assert await reader.read() == b""
            await owner.until("closed")

    run(work)


def test_closing_gives_up_handshakes(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            await owner.connect(address)
            while not owner.streams.snapshot()["handshakes"]:
                await asyncio.sleep(0)
            await owner.streams.close(0.1)
            while owner.streams.snapshot()["handshakes"]:
                await asyncio.sleep(0)

    run(work)


# Outwards


def test_a_trunk_is_believed_by_the_name_that_was_asked_for(
    run: Run, files: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address), listening(files) as (ours, _):
            flow = Flow("tls", (HOST, 5061), address)
            ours.streams.expect_name(address, "pbx.example")
            assert ours.streams.send(OPTIONS, flow)
            assert ours.streams.send(OPTIONS, flow)
            assert await owner.until("message", 2)
            assert ours.of("opened") == [flow]

    run(work)
    assert not caplog.records


def test_a_trunk_by_address_shows_that_address(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address), listening(files) as (ours, _):
            ours.streams.send(OPTIONS, Flow("tls", (HOST, 5061), address))
            await owner.until("message")

    run(work)


def test_a_trunk_with_the_wrong_name_is_refused_and_the_log_says_why(
    run: Run, files: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address), listening(files) as (ours, _):
            flow = Flow("tls", (HOST, 5061), address)
            ours.streams.expect_name(address, "sip.carrier.example")
            assert ours.streams.send(OPTIONS, flow)
            assert await ours.until("failed") == [flow]
            assert owner.of("message") == []

    with caplog.at_level(logging.WARNING, logger="pbx"):
        run(work)
    (record,) = [one for one in caplog.records if one.name.startswith("pbx")]
    assert "is not trusted as sip.carrier.example" in record.getMessage()
    assert "Hostname mismatch" in record.getMessage()


def test_a_trunk_that_nobody_vouches_for_is_refused(
    run: Run, files: TlsFiles, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).issue(HOST)

    async def work() -> None:
        async with listening(stranger) as (owner, address), listening(files) as (ours, _):
            ours.streams.send(OPTIONS, Flow("tls", (HOST, 5061), address))
            await ours.until("failed")
            assert owner.of("message") == []

    run(work)


def test_what_is_encrypted_is_never_sent_over_a_plain_connection(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, _):
            plain = await owner.streams.listen(HOST, 0)
            reader, writer = await owner.connect(plain)
            (flow,) = await owner.until("opened")
            assert isinstance(flow, Flow)
            secret = flow._replace(transport="tls")
            assert not owner.streams.send(OK, secret)
            writer.write(OPTIONS)
            assert owner.streams.send(OPTIONS, secret)
            await owner.until("failed")
            assert reader._buffer == b""

    run(work)


def test_a_name_goes_from_its_uri_to_the_handshake(run: Run, files: TlsFiles) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            agent, addresses = Agent(), LocalAddresses()
            transport = SipTransport(
                agent,
                listen=[Listen("tls", HOST, 0)],
                addresses=addresses,
                on_events=lambda: None,
                names=NameResolver(lambda name: [HOST]),
                tls=Tls(files),
            )
            await transport.start()
            port = address[1]
            for text, what in (
                (f"sip:x@pbx.example:{port};transport=tls", "opened"),
                (f"sips:x@evil.example:{port}", "failed"),
            ):
                (flow,) = await transport.resolve(Uri.parse(text))
                assert flow.transport == "tls"
                agent.outgoing.append((OPTIONS, flow))
                transport.transmit()
                while not any(kind == what for kind, _ in agent.told):
                    await agent.changed.wait()
                    agent.changed.clear()
                for streams in (owner.streams, transport._streams):
                    assert streams is not None
                    for connection in tuple(streams._connections.values()):
                        connection.abort()
                await owner.until("closed")
            await transport.close()

    run(work)


# Certificates


def test_a_new_certificate_is_for_new_connections(
    run: Run, authority: Authority, tmp_path: Path
) -> None:
    own = Authority(tmp_path)
    files = own.issue(HOST)

    async def work() -> None:
        tls = Tls(files)
        transport = SipTransport(
            Agent(),
            listen=[Listen("tls", HOST, 0)],
            addresses=LocalAddresses(),
            on_events=lambda: None,
            tls=tls,
        )
        await transport.start()
        address = transport.listening[0][1:]
        context = phone(own)
        first = await asyncio.open_connection(*address, ssl=context, server_hostname=HOST)
        old = first[1].get_extra_info("ssl_object").getpeercert()["serialNumber"]
        own.issue(HOST)
        transport.reload_certificates()
        second = await asyncio.open_connection(*address, ssl=context, server_hostname=HOST)
        assert second[1].get_extra_info("ssl_object").getpeercert()["serialNumber"] != old
        files.key.write_text("rubbish")
        with pytest.raises(Refused):
            transport.reload_certificates()
        third = await asyncio.open_connection(*address, ssl=context, server_hostname=HOST)
        first[1].write(b"\r\n\r\n")
        assert await first[0].readexactly(2) == b"\r\n"
        for _, writer in (first, second, third):
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await transport.close()

    run(work)


def test_files_of_no_use_are_refused_in_a_sentence(authority: Authority, tmp_path: Path) -> None:
    own = Authority(tmp_path)
    good, other = own.issue(HOST), own.issue(HOST, file="other")
    empty = tmp_path / "empty"
    empty.write_text("no PEM here")
    missing = tmp_path / "missing"
    for files, said in (
        (TlsFiles(missing, good.key), "missing cannot be read: No such file or directory"),
        (TlsFiles(good.certificate, missing), "sip: key: "),
        (TlsFiles(good.certificate, other.key), "is not that of the certificate"),
        (TlsFiles(empty, good.key), "are not a certificate and its unencrypted key in PEM form"),
        (TlsFiles(good.certificate, empty), "are not a certificate and its unencrypted key"),
        (TlsFiles(good.certificate, good.key, missing), "sip: ca: "),
        (TlsFiles(good.certificate, good.key, empty), "holds no certificates in PEM form"),
    ):
        with pytest.raises(Refused, match=said):
            Tls(files)


def test_listening_on_tls_needs_a_certificate() -> None:
    async def work() -> None:
        transport = SipTransport(
            Agent(),
            listen=[Listen("tls", HOST, 0)],
            addresses=LocalAddresses(),
            on_events=lambda: None,
        )
        with pytest.raises(Refused, match="TLS needs sip: certificate and key"):
            await transport.start()

    asyncio.run(work())


def _assert_refused(run: Run, files: TlsFiles, context: ssl.SSLContext) -> None:
    async def work() -> None:
        async with listening(files) as (owner, address):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await connect(owner, address, context)
            assert owner.told == []

    run(work)


# What we call ourselves


@pytest.mark.parametrize(
    ("transport", "sips", "contact"),
    [
        ("tls", True, "Contact: <sips:101@192.0.2.1:5061>\r\n"),
        ("tls", False, "Contact: <sip:101@192.0.2.1:5061;transport=tls>\r\n"),
        ("udp", True, "Contact: <sip:101@192.0.2.1:5061>\r\n"),
    ],
)
def test_the_contact_is_sips_where_that_was_asked_for(
    transport: str, sips: bool, contact: str
) -> None:
    endpoint = Endpoint(AgentSettings(), lambda: "token", lambda flow: flow.local)
    flow = Flow(transport, ("192.0.2.1", 5061), ("192.0.2.2", 5061))
    assert endpoint.contact_line(flow, "101", sips=sips) == contact
    via = f"SIP/2.0/{transport.upper()} 192.0.2.1:5061;rport;branch=z9hG4bKtoken"
    assert endpoint.via(flow)[1] == via
