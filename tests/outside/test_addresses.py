"""The guard: what an address is, and who may be connected to at it."""

from __future__ import annotations

import ipaddress

import pytest

from pbx.config import AllowedHost
from pbx.errors import Refused
from pbx.outside.addresses import Guard, carried, is_public

PRIVATE = ipaddress.ip_network("10.0.0.5/32")

NOT_PUBLIC = [
    *("0.0.0.0", "10.0.0.5", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1"),
    *("2001:db8::1", "2001::1", "3fff::1", "4000::1", "5f00::1", "64:ff9b:1::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.5", "::127.0.0.1", "2002:7f00:1::", "2002:a00:5::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:5", "fe80::1%eth0"),
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_special_addresses_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_ordinary_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_an_address_that_carries_another_is_known() -> None:
    for text in ("::ffff:1.2.3.4", "::1.2.3.4", "64:ff9b::102:304", "2002:102:304::"):
        assert str(carried(ipaddress.ip_address(text))) == "1.2.3.4"
    assert carried(ipaddress.ip_address("2606::1")) is None
    assert carried(ipaddress.ip_address("1.2.3.4")) is None


def test_a_host_that_is_not_listed_is_refused() -> None:
    with pytest.raises(Refused, match=r"evil\.example is not among http: allow"):
        Guard([AllowedHost("crm.local")]).judge("evil.example", ["8.8.8.8"])
    with pytest.raises(Refused, match="add it there"):
        Guard([]).check_host("crm.local")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_host_listed_by_name_alone_is_reached_on_the_internet_only(address: str) -> None:
    with pytest.raises(Refused, match="may not be reached; where that is right"):
        Guard([AllowedHost("crm.example")]).judge("crm.example", [address])


def test_of_several_addresses_only_good_ones_are_used() -> None:
    guard = Guard([AllowedHost("crm.example")])
    found = guard.judge("crm.example", ["127.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"])
    assert found == ["8.8.8.8", "2606:4700::1111"]


def test_a_private_address_is_reached_where_it_is_named_with_its_host() -> None:
    guard = Guard([AllowedHost("crm.local", PRIVATE)])
    assert guard.judge("crm.local", ["10.0.0.5"]) == ["10.0.0.5"]
    assert guard.judge("crm.local", ["::ffff:10.0.0.5"]) == ["10.0.0.5"]


@pytest.mark.parametrize("address", ["10.0.0.6", "127.0.0.1", "8.8.8.8", "64:ff9b::a00:5"])
def test_a_pinned_host_is_reached_nowhere_else(address: str) -> None:
    with pytest.raises(Refused, match="may not be reached"):
        Guard([AllowedHost("crm.local", PRIVATE)]).judge("crm.local", [address])


def test_a_host_can_be_pinned_to_several_networks() -> None:
    loopback = ipaddress.ip_network("::1/128")
    guard = Guard([AllowedHost("crm.local", PRIVATE), AllowedHost("crm.local", loopback)])
    assert guard.judge("crm.local", ["::1", "10.0.0.5"]) == ["::1", "10.0.0.5"]


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(Refused, match="has no address"):
        Guard([AllowedHost("crm.example")]).judge("crm.example", [])
