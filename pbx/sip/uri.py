"""SIP and SIPS URIs (RFC 3261 §19.1), and of all others enough to tell a 416 from a 400.

A `Uri` keeps its parts escaped as they were written, so that `str` gives back what was read.
`equals` compares as §19.1.4 says, `number` is the user part decoded: what was dialled. Parsing is
cached for texts of usual length, as the few URIs of an office come again and again.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pbx.errors import MessageError
from pbx.sip.flow import bracket
from pbx.sip.grammar import normalise_escapes, parse_number, unescape
from pbx.sip.parameters import NO_PARAMETERS, Parameters

HOST = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._\-]++)"
"""A host as URIs and Via write it. The RFC knows no underscore in host names, local networks do."""

CACHED_LENGTH = 256
"""Longer texts are never cached: a flood of long ones must not fill the memory."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+")
_OPAQUE = re.compile(r"[!#-;=?-~]++")
# "#" must be escaped by the RFC, but phones send it as it is when it is dialled.
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+")
_PASSWORD = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*")
_HOST_PORT = re.compile(HOST + r"(?::([0-9]{1,5}))?")
_HEADERS = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$&=]|%[0-9A-Fa-f]{2})+")
_TO_ESCAPE = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")

# In one URI only, these make two URIs differ; all other parameters do not (§19.1.4).
_DISTINGUISHING = ("user", "ttl", "method", "maddr", "transport")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI. For schemes other than sip and sips, `opaque` holds all that follows the colon.

    `user`, `password`, `parameters` and `headers` are escaped as written (`escape_user` makes a
    user part of any text); `host` has no brackets.
    """

    scheme: str
    user: str | None = None
    password: str | None = None
    host: str = ""
    port: int | None = None
    parameters: Parameters = NO_PARAMETERS
    headers: str = ""
    opaque: str = ""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read an addr-spec, without brackets; raise `MessageError` 400 where it is none."""
        return _parse(text) if len(text) <= CACHED_LENGTH else _parse.__wrapped__(text)

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        password = "" if self.password is None else f":{self.password}"
        user = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{bracket(self.host)}{port}{self.parameters}{headers}"

    @property
    def is_sip(self) -> bool:
        """Tell whether the scheme is sip or sips; requests to any other are answered with 416."""
        return self.scheme in ("sip", "sips")

    @property
    def transport(self) -> str | None:
        """Return the transport parameter in lower case, None where there is none."""
        value = self.parameters.get("transport")
        return unescape(value).lower() if value else None

    @property
    def lr(self) -> bool:
        """Tell whether the URI names a loose router (§19.1.1)."""
        return "lr" in self.parameters

    @property
    def number(self) -> str:
        """Return what was dialled: the user part decoded, or the number of a tel URI; else ""."""
        if self.scheme == "tel":
            return self.opaque.partition(";")[0].translate(_VISUAL_SEPARATORS)
        return unescape(self.user) if self.user else ""

    def equals(self, other: Uri) -> bool:
        """Tell whether both URIs are equivalent (§19.1.4). That is no transitive relation."""
        return (
            self.scheme == other.scheme
            and self.port == other.port
            and _same_text(self.user, other.user)
            and _same_text(self.password, other.password)
            and _same_text(self.opaque, other.opaque)
            and _normal_host(self.host) == _normal_host(other.host)
            and _same_parameters(self.parameters, other.parameters)
            and _normal_headers(self.headers) == _normal_headers(other.headers)
        )

    def bare(self) -> Uri:
        """Return the URI without password, parameters and headers: an address of record (§10.3)."""
        return replace(self, password=None, parameters=NO_PARAMETERS, headers="")


def escape_user(text: str) -> str:
    """Escape any text so that it can be the user part of a URI."""
    return _TO_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape"))


def parse_host(text: str) -> str:
    """Take the brackets off a host that `HOST` matched; a 400 where they hold no IPv6 address."""
    if text[0] != "[":
        return text
    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        raise MessageError(400, "bad_ipv6_address", text) from None
    return text[1:-1]


@lru_cache(maxsize=1024)
def _parse(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise MessageError(400, "bad_uri", text[:40])
    scheme = scheme.lower()
    if scheme in ("sip", "sips"):
        return _parse_sip(scheme, rest)
    if not _OPAQUE.fullmatch(rest):
        raise MessageError(400, "bad_uri", text[:40])
    return Uri(scheme, opaque=rest)


def _parse_sip(scheme: str, text: str) -> Uri:
    user: str | None = None
    password: str | None = None
    user_info, at, rest = text.partition("@")
    if at:
        user, colon, secret = user_info.partition(":")
        password = secret if colon else None
        if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(secret):
            raise MessageError(400, "bad_uri_user", text[:40])
    else:
        rest = text
    match = _HOST_PORT.match(rest)
    if not match:
        raise MessageError(400, "bad_uri_host", text[:40])
    tail, question, headers = rest[match.end() :].partition("?")
    if question and not _HEADERS.fullmatch(headers):
        raise MessageError(400, "bad_uri_headers", text[:40])
    port = match[2]
    return Uri(
        scheme,
        user,
        password,
        parse_host(match[1]),
        None if port is None else parse_number(port, maximum=65535, slug="bad_uri_port"),
        Parameters.parse_uri(tail),
        headers,
    )


def _same_text(left: str | None, right: str | None) -> bool:
    if left is None or right is None:
        return left is right
    return left == right or normalise_escapes(left) == normalise_escapes(right)


def _normal_host(host: str) -> str:
    return ipaddress.IPv6Address(host).compressed if ":" in host else host.lower()


def _same_parameters(left: Parameters, right: Parameters) -> bool:
    if left == right:
        return True
    ours, theirs = _normal_values(left), _normal_values(right)
    return all((name in ours) == (name in theirs) for name in _DISTINGUISHING) and all(
        ours[name] == theirs[name] for name in ours.keys() & theirs.keys()
    )


def _normal_values(parameters: Parameters) -> dict[str, str | None]:
    return {
        name: None if value is None else normalise_escapes(value).lower()
        for name, value in parameters
    }


def _normal_headers(headers: str) -> list[tuple[str, str]]:
    pairs = (header.partition("=") for header in headers.split("&"))
    return sorted((normalise_escapes(n).lower(), normalise_escapes(v)) for n, _, v in pairs)
