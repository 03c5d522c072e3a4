"""Which addresses lookups may connect to: the guard against server-side request forgery (CWE-918).

A host that callpbx.yaml lists by name alone may be anywhere on the public Internet and nowhere
else; a private, loopback, link-local or otherwise special address is reached only where
`http.allow` names it together with the host, and such a host is reached nowhere but there. What is
judged is the address that a connection is about to be made to, never how it was spelled (RFC 6890,
RFC 4291).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from pbx.config.values import AllowedHost, Network
from pbx.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out of IPv6 for use on the Internet."""

NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator: the last 32 bits are the address (RFC 6052 §2.1)."""

COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
"""IPv4 in the oldest way of writing it as IPv6 (RFC 4291 §2.5.5.1)."""

SPECIAL: Final = _networks(
    "0.0.0.0/8",
    "100.64.0.0/10",  # carriers' own, RFC 6598
    "192.0.0.0/24",
    "192.88.99.0/24",  # 6to4 relays, RFC 7526
    "198.18.0.0/15",
    "224.0.0.0/3",  # multicast and reserved
    "2001::/23",  # Teredo and other protocols
    "3fff::/20",  # documentation, RFC 9637
)
"""What is not public, besides what the standard library knows as such."""


def is_public(address: Address) -> bool:
    """Tell whether an address is an ordinary one on the Internet.

    One that carries an IPv4 address — mapped, compatible, 6to4, NAT64 — is as public as that.
    """
    inner = carried(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not any(address in network for network in SPECIAL)


def carried(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one carries, None where it carries none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64 or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class Guard:
    """What `http.allow` says."""

    def __init__(self, allowed: Iterable[AllowedHost]) -> None:
        self._networks: dict[str, list[Network | None]] = {}
        for rule in allowed:
            self._networks.setdefault(rule.host, []).append(rule.address)

    def check_host(self, host: str) -> None:
        """Raise Refused for a host, in its one spelling, that callpbx.yaml does not list."""
        if host not in self._networks:
            raise Refused(f"{host} is not among http: allow in callpbx.yaml; add it there")

    def judge(self, host: str, addresses: Sequence[str]) -> list[str]:
        """Return those of a host's addresses that may be connected to, in their order.

        Raises Refused where there is none.
        """
        self.check_host(host)
        judged = [_address(text) for text in addresses]
        permitted = [address for address in judged if self._permits(host, address)]
        if permitted:
            return [str(address) for address in permitted]
        if not judged:
            raise Refused(f"{host} has no address")
        raise Refused(
            f"{host} is at {judged[0]}, which may not be reached; where that is right write"
            f" {{host: {host}, address: {judged[0]}}} in http: allow of callpbx.yaml"
        )

    def _permits(self, host: str, address: Address) -> bool:
        return any(
            is_public(address) if network is None else _plain(address) in network
            for network in self._networks[host]
        )


def _plain(address: Address) -> Address:
    """A mapped address makes a connection of IPv4, so it is the same as that one."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _address(text: str) -> Address:
    return _plain(ipaddress.ip_address(text))
