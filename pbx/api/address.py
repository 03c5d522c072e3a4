"""What people type into a phone as its server: this machine's address."""

from __future__ import annotations

import ipaddress
import socket

DEFAULT_PORT = 5060
SOMEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has (RFC 5737, RFC 3849): the kernel is asked for the way there only."""


def own_address() -> str | None:
    """Return the address from which this machine reaches the world; nothing is sent.

    None where it has no network.
    """
    for family, address in SOMEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return None


def phone_server(host: str, port: int) -> str:
    """Return `HOST` or `HOST:PORT` for phones, given an address that callpbx listens on.

    A wildcard is replaced by this machine's address; IPv6 stands in brackets.
    """
    if ipaddress.ip_address(host).is_unspecified:
        host = own_address() or "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    return host if port in (0, DEFAULT_PORT) else f"{host}:{port}"
