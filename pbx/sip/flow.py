"""Where a message came from and where one goes: `Flow` (RFC 5626 §2's sense of the word).

For UDP a flow is the pair of our address and the remote's; for TCP and TLS it names the connection,
which the transport opens when a message goes to a flow that is not open.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

Address = tuple[str, int]
"""An IP address in text (IPv6 without brackets) and a port."""


class Flow(NamedTuple):
    """One way to reach a remote: `transport` is "udp", "tcp" or "tls".

    `local` is the address that the kernel routes to the remote from, with our listening port: it is
    what Via and Contact show unless an external address replaces it.
    """

    transport: str
    local: Address
    remote: Address

    @property
    def reliable(self) -> bool:
        """Tell whether the transport itself retransmits (all but UDP)."""
        return self.transport != "udp"

    def __str__(self) -> str:
        return f"{self.transport}:{host_port(*self.remote)}"


@lru_cache(maxsize=4096)
def is_ipv6(host: str) -> bool:
    """Tell whether `host` is an IPv6 address in text."""
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def bracket(host: str) -> str:
    """Write a host as a URI or Via needs it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def host_port(host: str, port: int) -> str:
    """Write `host:port`, IPv6 in brackets."""
    return f"{bracket(host)}:{port}"
