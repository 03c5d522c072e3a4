"""The box.

Are the ports free, are the kernel's limits high enough, is the clock right, is there room on the
disk.
"""

from __future__ import annotations

import ctypes
import errno
import ipaddress
import resource
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from pbx.cli.checks.finding import Check, Examined, Finding, fail, ok, warn
from pbx.cli.output import byte_size
from pbx.config import SipListen

RECEIVE_BUFFER = 4 * 2**20  # bytes that the SIP socket asks for
SO_RCVBUFFORCE = 33  # socket(7); Python has no name for it
WANTED_DESCRIPTORS = 4096
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 208  # size of struct timex


def check_ports(examined: Examined) -> Iterator[Finding]:
    """Look whether the SIP addresses can be listened on, or are by our server."""
    listens: list[SipListen] = list(examined.settings.sip.listen)
    if examined.running:
        yield ok("ports", f"callpbx listens on {', '.join(map(str, listens))}")
        return
    for listen in listens:
        yield _try_port(listen)


def check_api_port(examined: Examined) -> Iterator[Finding]:
    """Look whether the API's TCP address is free and stays on this machine."""
    listen = examined.settings.api.listen
    if not examined.running:
        found = _try_port(SipListen("tcp", listen.host, listen.port))
        if found.level == "fail":
            sentence = f"{listen} is taken; the API will be on var/callpbx.sock only"
            yield warn("api", sentence, "set api: listen: in callpbx.yaml to a free port")
            return
    if ipaddress.ip_address(listen.host).is_loopback:
        yield ok("api", f"{listen}, from this machine only")
    else:
        yield warn(
            "api",
            f"{listen} can be reached from other machines, and tokens pass unencrypted",
            "listen on 127.0.0.1 and put an HTTPS proxy before it",
        )


def check_media_ports(examined: Examined) -> Iterator[Finding]:
    """Look whether the audio ports collide with those that the kernel gives to programs."""
    first, last = examined.settings.media.ports
    calls = (last - first + 1) // 4
    text = _read_text("/proc/sys/net/ipv4/ip_local_port_range").split()
    if len(text) == 2 and first <= int(text[1]) and int(text[0]) <= last:
        yield warn(
            "media ports",
            f"{first}-{last} overlap the ports {text[0]}-{text[1]} that the kernel gives away",
            f"sysctl -w net.ipv4.ip_local_reserved_ports={first}-{last}",
        )
    else:
        yield ok("media ports", f"{first}-{last}, enough for {calls} calls of two phones")


def check_address(examined: Examined) -> Iterator[Finding]:
    """Look whether phones can find this machine: it has an address, and NAT is told of."""
    from pbx.api.address import own_address

    own = own_address()
    sip = examined.settings.sip
    if own is None:
        yield warn("address", "this machine has no network", "connect it, then run doctor again")
        return
    address = ipaddress.ip_address(own)
    local = any(address in network for network in sip.local_networks)
    if local:
        outside = sip.external_address or "none set: phones beyond a NAT router will not hear"
        yield ok("address", f"phones use {own}; from outside: {outside}")
    elif not address.is_global:
        bits = 24 if address.version == 4 else 64
        network = ipaddress.ip_network(f"{own}/{bits}", strict=False)
        yield warn(
            "address",
            f"{own} is private but in none of sip: local_networks",
            f"add its network to local_networks in callpbx.yaml: {network} perhaps",
        )
    else:
        yield ok("address", f"phones use {own}, which is public")


def check_receive_buffer(_: Examined) -> Iterator[Finding]:
    """Look whether a storm of registrations fits into the socket's buffer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        got = probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles it
    if got >= RECEIVE_BUFFER:
        yield ok("udp buffer", byte_size(got))
    else:
        yield warn(
            "udp buffer",
            f"only {byte_size(got)}: messages are lost when all phones register at once",
            f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER}, and the same in /etc/sysctl.d",
        )


def check_descriptors(_: Examined) -> Iterator[Finding]:
    """Look whether enough sockets can be open."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= WANTED_DESCRIPTORS:
        yield ok("descriptors", f"{hard} may be open")
    else:
        yield warn(
            "descriptors",
            f"only {hard} may be open: about {hard // 6} calls",
            "raise LimitNOFILE in the systemd unit, or ulimit -Hn",
        )


def check_clock(_: Examined) -> Iterator[Finding]:
    """Ask the kernel whether somebody keeps its clock right: records carry its times."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return
    if state == TIME_ERROR:
        fix = "timedatectl set-ntp true (or run chrony)"
        yield warn("clock", "nothing keeps this machine's clock right", fix)
    elif state >= 0:
        yield ok("clock", "kept right by the network")


def check_disk(examined: Examined) -> Iterator[Finding]:
    """Look whether there is room for records and recordings."""
    free = shutil.disk_usage(examined.home.path).free
    wanted = examined.settings.retention.min_free_bytes
    if free < wanted:
        sentence = f"{byte_size(free)} free, less than retention: min_free ({byte_size(wanted)})"
        yield fail("disk", sentence, f"make room on the disk of {examined.home.path}")
    else:
        yield ok("disk", f"{byte_size(free)} free")


MACHINE_CHECKS: tuple[Check, ...] = (
    check_ports,
    check_api_port,
    check_media_ports,
    check_address,
    check_receive_buffer,
    check_descriptors,
    check_clock,
    check_disk,
)


def _try_port(listen: SipListen) -> Finding:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if listen.transport == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
    except OSError as error:
        return fail("ports", *_port_trouble(listen, error))
    return ok("ports", f"{listen} is free")


def _port_trouble(listen: SipListen, error: OSError) -> tuple[str, str]:
    """Return the sentence and the fix for an address that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        letter = "u" if listen.transport == "udp" else "t"
        finder = f"ss -l{letter}np sport = :{listen.port}"
        return f"{listen} is taken by another program", f"{finder} names it; stop it"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{listen.host} is no address of this machine", "correct listen: in callpbx.yaml"
    if error.errno == errno.EACCES:
        return f"{listen} needs root", "use a port from 1024, or CAP_NET_BIND_SERVICE"
    return f"{listen}: {error.strerror}", "correct listen: in callpbx.yaml"


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
