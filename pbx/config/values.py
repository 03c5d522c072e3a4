"""Single values of callpbx.yaml: text → value, or ValueError with a sentence that ends "X …".

Addresses are numeric on purpose: a name that cannot be resolved must not keep phones from working.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from pbx.marks.hosts import host_spelling
from pbx.marks.mail import mail_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CODECS = ("opus", "g722", "pcma", "pcmu", "l16")
TONE_COUNTRIES = ("cn", "de", "fr", "hk", "jp", "uk", "us")
SPEECH_ENGINES = ("espeak-ng", "piper", "kokoro", "http")
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
LATER_TRANSPORTS = ("ws", "wss")
LOWEST_MEDIA_PORT = 1024
SECRET_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
LISTEN_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/@\[\]]+))"
    r"(?::(?P<port>[0-9]{1,6}))?/?"
)


@dataclass(frozen=True, slots=True)
class SipListen:
    """An address that phones reach us at; `transport` is "udp", "tcp" or "tls". Port 0: any free
    one."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpListen:
    """The TCP address of the API."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A host that lookups may reach. A private or loopback one is pinned to `address`."""

    host: str
    address: Network | None = None


def sip_listen(text: str) -> SipListen:
    """Return the address of `udp://HOST:PORT`, tcp:// or tls:// alike; the port may be left out."""
    scheme, host, port = _listen_url(text)
    if scheme in LATER_TRANSPORTS:
        raise ValueError(f"is not in this version yet: {scheme}; use udp://, tcp:// and tls://")
    if scheme not in DEFAULT_PORTS:
        raise ValueError("is no SIP address; write udp://HOST:PORT, tcp:// or tls:// alike")
    return SipListen(scheme, ip_address(host), DEFAULT_PORTS[scheme] if port is None else port)


def http_listen(text: str) -> HttpListen:
    """Return the address of `http://HOST:PORT`."""
    scheme, host, port = _listen_url(text)
    if scheme == "https":
        raise ValueError("is not in this version yet: https; use http://127.0.0.1:8080")
    if scheme != "http" or port is None:
        raise ValueError("is no address for the API; write http://HOST:PORT")
    return HttpListen(ip_address(host), port)


def _listen_url(text: str) -> tuple[str, str, int | None]:
    found = LISTEN_URL.fullmatch(text)
    if not found:
        raise ValueError("is no address; write SCHEME://HOST:PORT")
    port = int(found["port"]) if found["port"] else None
    if port is not None and port > 65535:
        raise ValueError("has no port from 0 to 65535")
    return found["scheme"], found["ipv6"] or found["host"], port


def ip_address(text: str) -> str:
    """Return an IPv4 or IPv6 address in its usual spelling."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("has no numeric IP address") from None


def auto_or_address(text: str) -> str | None:
    """Return None for `auto`, else an IP address."""
    return None if text == "auto" else ip_address(text)


def network(text: str) -> Network:
    """Return a network such as 10.0.0.0/8; an address alone stands for itself."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is no network; write ADDRESS/BITS such as 192.168.0.0/16") from None
    raise ValueError(f"has bits beyond its prefix; did you mean {loose}?")


def ports(text: str) -> tuple[int, int]:
    """Return the first and last of `10000-19999`."""
    found = re.fullmatch(r"([0-9]{1,5})\s*-\s*([0-9]{1,5})", text)
    if not found:
        raise ValueError("is no range of ports; write FIRST-LAST such as 10000-19999")
    first, last = int(found[1]), int(found[2])
    if not LOWEST_MEDIA_PORT <= first < last <= 65535:
        raise ValueError(f"is no range of ports from {LOWEST_MEDIA_PORT} to 65535")
    return first, last


def workers(text: str) -> int | None:
    """Return None for `auto`, else how many media workers to run, 1 to 64."""
    if text == "auto":
        return None
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 64:
        raise ValueError("is neither auto nor a number from 1 to 64")
    return int(text)


def call_limit(text: str) -> int:
    """Return a number of calls, 0 to 9999."""
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError("is no number from 0 to 9999")
    return int(text)


def realm(text: str) -> str:
    """Return the digest realm: it is quoted in SIP headers."""
    if not re.fullmatch(r'[^"\\\x00-\x1f\x7f]{1,100}', text):
        raise ValueError("has a quote, a backslash or a control character, or is too long")
    return text


def database(text: str) -> str:
    """Return `sqlite`; nothing else is built."""
    if text != "sqlite":
        raise ValueError("is not in this version yet; write sqlite")
    return text


def connection(text: str) -> str:
    """Return the URL of a database for lookups."""
    if not re.fullmatch(r"sqlite:///.+|postgresql://[^/]+/.+", text):
        raise ValueError("is no connection; write sqlite:///PATH or postgresql://USER@HOST/NAME")
    return text


def http_url(text: str) -> str:
    """Return the URL of an engine; `{language}`, `{voice}` and `{speed}` in it are filled in."""
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("is no URL; write http://HOST/PATH?language={language}")
    return text


def speed(text: str) -> float:
    """Return how fast to speak, 1.0 being as the voice does by itself."""
    if not re.fullmatch(r"[0-9](\.[0-9]{1,2})?", text) or not 0.5 <= float(text) <= 2.0:
        raise ValueError("is no number from 0.5 to 2.0")
    return float(text)


def has_password(url: str) -> bool:
    """Tell whether the URL of a database holds a password."""
    return re.match(r"[a-z]+://[^/@:]*:[^/]*@", url) is not None or "password=" in url


def public_host(text: str) -> str:
    """Return the name of a host that lookups may reach anywhere on the Internet."""
    host = host_name(text)
    if host == "localhost" or _is_private(host):
        raise ValueError(
            "is private; write {host: NAME, address: ADDRESS/BITS} so that it is pinned"
        )
    return host


def mail_server(text: str) -> tuple[str, int | None]:
    """Return host and port of `HOST` or `HOST:PORT`, IPv6 in brackets; None: the usual port."""
    found = re.fullmatch(
        r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\s\[\]]+))(?::(?P<port>[0-9]{1,5}))?", text
    )
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 1 <= port <= 65535):
        raise ValueError("is no mail server; write HOST or HOST:PORT")
    return host_name(found["six"] or found["host"]), port


def mail_server_text(text: str) -> str:
    """Return the text of a mail server as it is."""
    mail_server(text)
    return text


def mail_sender(text: str) -> str:
    """Return who mails are from: `pbx@example.com`, or `Reception <pbx@example.com>`."""
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return mail_address(text)
    if not rest.endswith(">") or re.search(r'[@,;:"<>\\\x00-\x1f\x7f]', name):
        raise ValueError("is no sender; write pbx@example.com or Reception <pbx@example.com>")
    return f"{name.strip()} <{mail_address(rest[:-1])}>".lstrip()


def host_name(text: str) -> str:
    """Return a host name or address in its one spelling."""
    return host_spelling(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    return _is_address(host) and not ipaddress.ip_address(host).is_global
