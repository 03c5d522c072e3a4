"""SIP and SIPS URIs (RFC 3261 §19.1), and just enough of all others that a 416 can be told from a 400.

A `Uri` keeps its parts escaped as they were written, so that `str` gives back what was read; `equals` compares as
§19.1.4 says, `number` is the user part decoded. Parsing is cached: the few URIs of an office come again and again.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pbx.errors import MessageError
from pbx.sip.flow import bracket
from pbx.sip.grammar import (
    NO_PARAMETERS,
    Parameters,
    normalise_escapes,
    parse_number,
    unescape,
)

HOST = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._\-]++)"
"""A host as URIs and Via write it. Underscores are no host name by the RFC, but local networks have them."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+")
_OPAQUE = re.compile(r"[!#-;=?-~]++")
# "#" must be escaped (§25.1), but phones send it bare when it is dialled.
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})++")
_PASSWORD = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*+")
_HOST_PORT = re.compile(HOST + r"(?::([0-9]{1,5}))?+")
_HEADERS = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$&=]|%[0-9A-Fa-f]{2})++")
_ESCAPED_IN_USER = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")

# Present in one URI only, these make two URIs differ; other parameters do not (§19.1.4).
_DISTINGUISHING = ("user", "ttl", "method", "maddr", "transport")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI. For schemes other than sip and sips, `opaque` holds all that follows the colon.

    `user`, `password`, `parameters` and `headers` are escaped as written; `host` has no brackets.
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
        """Read an addr-spec without white space or brackets; raise `MessageError` 400 where it is none."""
        return _parse(text)

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        user = self.user
        if user is None:
            at = ""
        elif self.password is None:
            at = f"{user}@"
        else:
            at = f"{user}:{self.password}@"
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{at}{bracket(self.host)}{port}{self.parameters}{headers}"

    @property
    def is_sip(self) -> bool:
        """Tell whether the scheme is sip or sips; for all others a request is answered with 416."""
        return self.scheme in ("sip", "sips")

    @property
    def transport(self) -> str | None:
        """Return the transport parameter in lower case, None where there is none."""
        value = self.parameters.get("transport")
        return value.lower() if value else None

    @property
    def lr(self) -> bool:
        """Tell whether the URI names a loose router (§19.1.1)."""
        return "lr" in self.parameters

    @property
    def number(self) -> str:
        """Return the user part with its escapes decoded: what was dialled; "" without a user part."""
        return unescape(self.user) if self.user else ""

    def equals(self, other: Uri) -> bool:
        """Tell whether both URIs are equivalent by RFC 3261 §19.1.4."""
        return (
            self.scheme == other.scheme
            and self.port == other.port
            and self.opaque == other.opaque
            and _same_text(self.user, other.user)
            and _same_text(self.password, other.password)
            and _normal_host(self.host) == _normal_host(other.host)
            and _same_parameters(self.parameters, other.parameters)
            and _normal_headers(self.headers) == _normal_headers(other.headers)
        )

    def bare(self) -> Uri:
        """Return the URI without password, parameters and headers: an address of record (§10.3)."""
        return replace(self, password=None, parameters=NO_PARAMETERS, headers="")


def escape_user(text: str) -> str:
    """Escape any text so that it can stand as the user part of a URI."""
    return _ESCAPED_IN_USER.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=2048)
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
        user, password = _parse_user_info(user_info)
    else:
        rest = text
    match = _HOST_PORT.match(rest)
    if not match:
        raise MessageError(400, "bad_uri_host", rest[:40])
    host, port = match.groups()
    if host[0] == "[":
        host = host[1:-1]
        check_ipv6(host)
    tail, question, headers = rest[match.end() :].partition("?")
    if question and not _HEADERS.fullmatch(headers):
        raise MessageError(400, "bad_uri_headers", headers[:40])
    return Uri(
        scheme,
        user,
        password,
        host,
        None if port is None else parse_number(port, maximum=65535, slug="bad_uri_port"),
        Parameters.parse_uri(tail),
        headers,
    )


def _parse_user_info(text: str) -> tuple[str, str | None]:
    user, colon, password = text.partition(":")
    if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(password):
        raise MessageError(400, "bad_uri_user", text[:40])
    return user, password if colon else None


def check_ipv6(host: str) -> None:
    """Raise `MessageError` 400 unless `host` (without brackets) is an IPv6 address."""
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise MessageError(400, "bad_ipv6_address", host) from None


def _same_text(left: str | None, right: str | None) -> bool:
    if left is None or right is None:
        return left is right
    return left == right or normalise_escapes(left) == normalise_escapes(right)


def _normal_host(host: str) -> str:
    return ipaddress.IPv6Address(host).compressed if ":" in host else host.lower()


def _same_parameters(left: Parameters, right: Parameters) -> bool:
    if left == right:
        return True
    ours, theirs = _normal_parameters(left), _normal_parameters(right)
    if any((name in ours) != (name in theirs) for name in _DISTINGUISHING):
        return False
    return all(ours[name] == theirs[name] for name in ours.keys() & theirs.keys())


def _normal_parameters(parameters: Parameters) -> dict[str, str | None]:
    return {
        normalise_escapes(name).lower(): None if value is None else normalise_escapes(value).lower()
        for name, value in parameters
    }


def _normal_headers(headers: str) -> list[tuple[str, str]]:
    pairs = (header.partition("=") for header in headers.split("&"))
    return sorted((normalise_escapes(name).lower(), normalise_escapes(v)) for name, _, v in pairs)
