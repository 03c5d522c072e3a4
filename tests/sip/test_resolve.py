"""Which of our addresses a remote sees, and what becomes of host names."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from pbx.sip.flow import Flow
from pbx.sip.resolve import (
    MAX_REMOTES,
    LocalAddresses,
    NameResolver,
    numeric_family,
    routed_from,
)
from pbx.sip.uri import Uri

T = TypeVar("T")

ROUTES = {
    "192.168.1.50": "192.168.1.1",
    "203.0.113.9": "192.168.1.1",
    "10.0.0.9": "10.0.0.1",
    "2001:db8::9": "2001:db8::1",
    "fd00::9": "fd00::1",
}


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10.0):
            return await work()

    return asyncio.run(bounded())


def local(*listening: tuple[str, str, int], **settings: object) -> LocalAddresses:
    addresses = LocalAddresses(route=ROUTES.get, **settings)
    for transport, host, port in listening:
        addresses.listen(transport, (host, port))
    return addresses


EVERYWHERE = (("udp", "0.0.0.0", 5060), ("tcp", "0.0.0.0", 5070), ("udp", "::", 5060))


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("::1", socket.AF_INET6),
        ("fe80::1%lo", socket.AF_INET6),
        ("localhost", 0),
        ("1.2.3", 0),
        ("0x7f000001", 0),
        ("1.2.3.4:5", 0),
        ("", 0),
        ("a\0b", 0),
    ],
)
def test_only_plain_addresses_are_numeric(host: str, family: int) -> None:
    assert numeric_family(host) == family


def test_the_kernel_says_where_packets_leave_from() -> None:
    assert routed_from("127.0.0.1") == "127.0.0.1"
    assert routed_from("not an address") is None
    assert routed_from("255.255.255.255") is None


def test_our_side_of_a_flow_is_the_routed_address_and_our_port() -> None:
    addresses = local(*EVERYWHERE)
    assert addresses.local_for("udp", "10.0.0.9") == ("10.0.0.1", 5060)
    assert addresses.local_for("tcp", "192.168.1.50") == ("192.168.1.1", 5070)
    assert addresses.local_for("udp", "2001:db8::9") == ("2001:db8::1", 5060)


def test_there_is_no_way_without_a_route_or_a_listener() -> None:
    addresses = local(*EVERYWHERE)
    assert addresses.local_for("udp", "198.51.100.1") is None
    assert addresses.local_for("tcp", "2001:db8::9") is None
    assert addresses.local_for("tls", "10.0.0.9") is None


def test_the_listener_at_the_routed_address_is_chosen() -> None:
    addresses = local(("udp", "192.168.1.1", 5061), ("udp", "10.0.0.1", 5062))
    assert addresses.local_for("udp", "10.0.0.9") == ("10.0.0.1", 5062)
    assert addresses.local_for("udp", "198.51.100.1") == ("192.168.1.1", 5061)


@pytest.mark.parametrize(
    ("uri", "flows"),
    [
        ("sip:10.0.0.9", ["udp:10.0.0.9:5060"]),
        ("sip:1@10.0.0.9:5080", ["udp:10.0.0.9:5080"]),
        ("sip:10.0.0.9;transport=TCP", ["tcp:10.0.0.9:5060"]),
        ("sip:[2001:db8::9]", ["udp:[2001:db8::9]:5060"]),
        ("sip:[2001:db8::9];transport=tcp", []),
        ("sip:10.0.0.9;transport=tls", []),
        ("sips:10.0.0.9", []),
        ("sip:198.51.100.1", []),
        ("tel:101", []),
    ],
)
def test_a_uri_leads_to_flows_that_can_be_had(uri: str, flows: list[str]) -> None:
    parsed = Uri.parse(uri)
    assert [str(flow) for flow in local(*EVERYWHERE).flows(parsed, [parsed.host])] == flows


@pytest.mark.parametrize(
    ("uri", "flows"),
    [
        ("sip:10.0.0.9;transport=TLS", ["tls:10.0.0.9:5061"]),
        ("sip:10.0.0.9:5099;transport=tls", ["tls:10.0.0.9:5099"]),
        ("sips:10.0.0.9", ["tls:10.0.0.9:5061"]),
        ("sips:10.0.0.9;transport=tcp", ["tls:10.0.0.9:5061"]),
        ("sips:10.0.0.9:5060", ["tls:10.0.0.9:5060"]),
        ("sips:10.0.0.9;transport=udp", []),
        ("sip:10.0.0.9", ["udp:10.0.0.9:5060"]),
    ],
)
def test_a_sips_uri_leads_to_tls_or_nowhere(uri: str, flows: list[str]) -> None:
    parsed, addresses = Uri.parse(uri), local(*EVERYWHERE, ("tls", "0.0.0.0", 5061))
    assert [str(flow) for flow in addresses.flows(parsed, [parsed.host])] == flows


def test_tcp_is_used_where_we_have_no_udp() -> None:
    addresses = local(("tcp", "0.0.0.0", 5060))
    (flow,) = addresses.flows(Uri.parse("sip:10.0.0.9"), ["10.0.0.9"])
    assert flow.transport == "tcp"


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        ("192.168.1.50", "192.168.1.1"),
        ("203.0.113.9", "198.51.100.77"),
        ("2001:db8::9", "2001:db8::1"),
    ],
)
def test_remotes_beyond_nat_are_told_the_external_address(remote: str, host: str) -> None:
    addresses = local(*EVERYWHERE, external_address="198.51.100.77")
    flow = Flow("udp", (ROUTES[remote], 5060), (remote, 40000))
    assert addresses.advertise(flow) == (host, 5060)
    assert addresses.advertise(flow) == (host, 5060)


def test_local_networks_are_the_offices_choice() -> None:
    addresses = local(
        *EVERYWHERE, external_address="198.51.100.77", local_networks=["203.0.113.0/24"]
    )
    near, far = (("203.0.113.9", 1), ("192.168.1.50", 1))
    assert addresses.advertise(Flow("udp", ("192.168.1.1", 5060), near))[0] == "192.168.1.1"
    assert addresses.advertise(Flow("udp", ("192.168.1.1", 5060), far))[0] == "198.51.100.77"


def test_a_flow_made_from_another_transport_shows_the_right_port() -> None:
    flow = Flow("tcp", ("10.0.0.1", 5060), ("10.0.0.9", 5060))
    assert local(*EVERYWHERE).advertise(flow) == ("10.0.0.1", 5070)


def test_routes_are_asked_once_until_they_are_forgotten() -> None:
    asked: list[str] = []

    def route(remote: str) -> str:
        asked.append(remote)
        return "192.0.2.1"

    addresses = LocalAddresses(route=route)
    addresses.listen("udp", ("0.0.0.0", 5060))
    for _ in range(3):
        addresses.local_for("udp", "10.0.0.9")
    assert asked == ["10.0.0.9"]
    addresses.forget()
    addresses.local_for("udp", "10.0.0.9")
    assert len(asked) == 2


def test_many_remotes_do_not_fill_the_memory() -> None:
    addresses = local(*EVERYWHERE)
    for number in range(2 * MAX_REMOTES + 10):
        remote = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        addresses.local_for("udp", remote)
        addresses.advertise(Flow("udp", ("10.0.0.1", 5060), (remote, 1)))
    assert len(addresses._routed) <= MAX_REMOTES
    assert len(addresses._advertised) <= MAX_REMOTES


def test_a_name_is_looked_up_once_for_all_who_ask() -> None:
    asked: list[str] = []

    def look_up(host: str) -> list[str]:
        asked.append(host)
        return ["192.0.2.7", "2001:db8::7"]

    async def work() -> None:
        names = NameResolver(look_up)
        answers = await asyncio.gather(*(names.addresses("sip.example") for _ in range(5)))
        assert answers == [["192.0.2.7", "2001:db8::7"]] * 5
        assert await names.addresses("sip.example") == answers[0]

    run(work)
    assert asked == ["sip.example"]


def test_the_systems_resolver_knows_localhost() -> None:
    async def work() -> list[str]:
        return await NameResolver().addresses("localhost")

    assert set(run(work)) & {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_NONAME, "unknown"),
        socket.gaierror(socket.EAI_AGAIN, "again"),
        OSError("no resolver"),
        UnicodeError("label too long"),
    ],
)
def test_a_name_that_cannot_be_resolved_has_no_addresses(error: Exception) -> None:
    def look_up(host: str) -> list[str]:
        raise error

    async def work() -> list[str]:
        return await NameResolver(look_up).addresses("nowhere.invalid")

    assert run(work) == []


def test_a_dead_resolver_costs_its_callers_alone_and_only_the_time_out() -> None:
    released = threading.Event()

    def look_up(host: str) -> list[str]:
        released.wait(10.0)
        return ["192.0.2.7"]

    async def work() -> None:
        names = NameResolver(look_up, timeout=0.05, max_lookups=2)
        loop = asyncio.get_running_loop()
        began = loop.time()
        answers = await asyncio.gather(*(names.addresses(f"{n}.example") for n in range(20)))
        assert answers == [[]] * 20
        assert loop.time() - began < 1.0
        assert threading.active_count() < 10
        released.set()

    run(work)


def test_the_last_good_answer_is_used_while_the_resolver_fails() -> None:
    answers = iter([["192.0.2.7"], None])

    def look_up(host: str) -> list[str]:
        found = next(answers)
        if found is None:
            raise socket.gaierror(socket.EAI_AGAIN, "again")
        return found

    async def work() -> None:
        names = NameResolver(look_up)
        assert await names.addresses("sip.example") == ["192.0.2.7"]
        names._known["sip.example"] = (0.0, ["192.0.2.7"])  # a minute has passed
        assert await names.addresses("sip.example") == ["192.0.2.7"]

    run(work)
