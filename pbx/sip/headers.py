"""Typed header values (RFC 3261 §20): one frozen dataclass per term, with `parse` and `__str__`.

`parse` takes one unfolded value, `parse_many` a value that may be a list; both raise `MessageError`
400 with a slug. `str` writes what parses to the same value again. Which headers a message has is
`fields`, which it must have is `validation`; URIs are `uri`, the grammar beneath is `grammar`.

Trap: without `<>`, everything behind the first `;` belongs to the header and not to the URI (§20),
and the display name of an address may hold `;`, `,` and `<` where it is quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pbx.errors import MessageError
from pbx.sip.flow import bracket
from pbx.sip.grammar import (
    LWS,
    TOKEN,
    is_token,
    parse_number,
    quote,
    quoted_prefix,
    read_seconds,
    split_list,
    unquote,
)
from pbx.sip.parameters import NO_PARAMETERS, Parameters
from pbx.sip.uri import CACHED_LENGTH, HOST, Uri, escape_user, parse_host

__all__ = [
    "MAGIC_COOKIE",
    "MAX_CSEQ",
    "CSeq",
    "MediaType",
    "NameAddr",
    "Parameters",
    "Reason",
    "Uri",
    "Via",
    "escape_user",
    "read_tag",
]

MAGIC_COOKIE = "z9hG4bK"
"""What the branches of RFC 3261 start with (§8.1.1.7)."""

MAX_CSEQ = 2**31 - 1
"""The greatest CSeq number (§8.1.1.5)."""

_VIA = re.compile(
    rf"SIP[ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+({TOKEN})[ \t]++{HOST}"
    r"(?:[ \t]*+:[ \t]*+([0-9]++))?[ \t]*+",
    re.IGNORECASE,
)
# The RFC asks for tokens; what cannot be mistaken for another part of the value is let in.
_UNQUOTED_NAME = re.compile(r'[^\x00-\x08\x0a-\x1f\x7f",;<>\\]*+')
_TAG = re.compile(TOKEN)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """An address with an optional display name (decoded) and its header's parameters (§20.10)."""

    display_name: str | None
    uri: Uri
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one name-addr or addr-spec with its parameters."""
        cached = len(text) <= CACHED_LENGTH
        return _parse_address(text) if cached else _parse_address.__wrapped__(text)

    @classmethod
    def parse_many(cls, text: str) -> list[NameAddr]:
        """Read a comma-separated list of addresses."""
        return [cls.parse(element) for element in split_list(text)]

    def __str__(self) -> str:
        name = "" if self.display_name is None else quote(self.display_name) + " "
        return f"{name}<{self.uri}>{self.parameters}"

    @property
    def tag(self) -> str | None:
        """Return the tag parameter (§19.3)."""
        return self.parameters.get("tag")

    @property
    def expires(self) -> int | None:
        """Return the expires parameter of a Contact in seconds, None if none can be read."""
        return read_seconds(self.parameters.get("expires"))

    def with_tag(self, tag: str) -> NameAddr:
        """Return a copy with this tag."""
        return replace(self, parameters=self.parameters.replace("tag", tag))


@lru_cache(maxsize=1024)
def _parse_address(text: str) -> NameAddr:
    text = text.strip(LWS)
    quoted = ""
    if text.startswith('"'):
        quoted = quoted_prefix(text) or ""
        if not quoted:
            raise MessageError(400, "unbalanced_quoting", text[:40])
    before, bracketed, after = text[len(quoted) :].partition("<")
    if not bracketed:
        return _parse_bare_address(text)
    uri, closed, parameters = after.partition(">")
    if not closed:
        raise MessageError(400, "unbalanced_brackets", text[:40])
    name = _read_display_name(quoted, before)
    return NameAddr(name, Uri.parse(uri), Parameters.parse(parameters))


def _read_display_name(quoted: str, before: str) -> str | None:
    if not quoted:
        if not _UNQUOTED_NAME.fullmatch(before):
            raise MessageError(400, "bad_display_name", before[:40])
        return " ".join(before.split()) or None
    if before.strip(LWS):
        raise MessageError(400, "bad_display_name", before[:40])
    return unquote(quoted)


def _parse_bare_address(text: str) -> NameAddr:
    uri, semicolon, parameters = text.partition(";")
    if "?" in uri or "," in uri:
        raise MessageError(400, "uri_needs_brackets", text[:40])
    return NameAddr(None, Uri.parse(uri.rstrip(LWS)), Parameters.parse(semicolon + parameters))


@lru_cache(maxsize=1024)
def read_tag(text: str) -> str | None:
    """Return the tag of a From or To value; reads no more of the value than that safely needs."""
    tail = text[text.rfind(">") + 1 :]
    if not tail:
        return None
    if '"' not in tail and "<" not in tail:
        _, found, rest = tail.partition(";tag=")
        tag, _, more = rest.partition(";")
        if found and _TAG.fullmatch(tag) and "tag" not in more.lower():
            return tag
    return NameAddr.parse(text).tag


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request's way (§20.42); `transport` in upper case, `host` without brackets."""

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value."""
        sender, semicolon, parameters = text.partition(";")
        read = _parse_sender if len(sender) <= CACHED_LENGTH else _parse_sender.__wrapped__
        return cls(*read(sender), Parameters.parse(semicolon + parameters))

    @classmethod
    def parse_many(cls, text: str) -> list[Via]:
        """Read a comma-separated list of Via values."""
        return [cls.parse(element) for element in split_list(text)]

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracket(self.host)}{port}{self.parameters}"

    @property
    def branch(self) -> str | None:
        """Return the branch parameter as it was written."""
        return self.parameters.get("branch")

    @property
    def unique_branch(self) -> str | None:
        """Return the branch if it names a transaction: the magic cookie and more (§17.2.3)."""
        branch = self.parameters.get("branch")
        if branch and branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
            return branch
        return None

    @property
    def received(self) -> str | None:
        """Return the address that the request really came from (§18.2.1)."""
        value = self.parameters.get("received")
        return value.strip("[]") if value else None

    @property
    def wants_rport(self) -> bool:
        """Tell whether rport is there, filled or not (RFC 3581 §4)."""
        return "rport" in self.parameters

    @property
    def rport(self) -> int | None:
        """Return the port that the request really came from; None where rport is not filled."""
        value = self.parameters.get("rport")
        return parse_number(value, maximum=65535, slug="bad_via_rport") if value else None

    def stamped(self, host: str, port: int) -> Via:
        """Return a copy that tells where the request came from (§18.2.1, RFC 3581 §4)."""
        parameters = self.parameters
        if "rport" in parameters:
            parameters = parameters.replace("rport", str(port))
        elif host == self.host:
            return self
        return replace(self, parameters=parameters.replace("received", host))


@lru_cache(maxsize=1024)
def _parse_sender(text: str) -> tuple[str, str, int | None]:
    """Read the part of a Via that is the same for all requests of one sender."""
    match = _VIA.fullmatch(text)
    if not match:
        raise MessageError(400, "bad_via", text[:40])
    transport, host, port = match.groups()
    number = None if port is None else parse_number(port, maximum=65535, slug="bad_via_port")
    return transport.upper(), parse_host(host), number


@dataclass(frozen=True, slots=True)
class CSeq:
    """The number of a request within its dialog, and its method (§20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read a CSeq value; a number above 2**31 - 1 is a 400."""
        return _parse_cseq(text) if len(text) <= CACHED_LENGTH else _parse_cseq.__wrapped__(text)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@lru_cache(maxsize=1024)
def _parse_cseq(text: str) -> CSeq:
    parts = text.split()
    if len(parts) != 2 or not is_token(parts[1]):
        raise MessageError(400, "bad_cseq", text[:40])
    return CSeq(parse_number(parts[0], maximum=MAX_CSEQ, slug="bad_cseq"), parts[1])


@dataclass(frozen=True, slots=True)
class MediaType:
    """A content type, or a range of them in Accept, in lower case (§20.1, §20.15)."""

    type: str
    subtype: str
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> MediaType:
        """Read `type/subtype;parameters`."""
        cached = len(text) <= CACHED_LENGTH
        return _parse_media_type(text) if cached else _parse_media_type.__wrapped__(text)

    @classmethod
    def parse_many(cls, text: str) -> list[MediaType]:
        """Read a list of types and ranges; it may be empty, as Accept may."""
        return [cls.parse(element) for element in split_list(text)] if text else []

    def __str__(self) -> str:
        return f"{self.full}{self.parameters}"

    @property
    def full(self) -> str:
        """Return `type/subtype`."""
        return f"{self.type}/{self.subtype}"

    def covers(self, full: str) -> bool:
        """Tell whether this type or range covers `full`, a `type/subtype` in lower case."""
        main, _, sub = full.partition("/")
        return self.type in ("*", main) and self.subtype in ("*", sub)


@lru_cache(maxsize=256)
def _parse_media_type(text: str) -> MediaType:
    full, semicolon, parameters = text.partition(";")
    main, slash, sub = (part.strip(LWS) for part in full.partition("/"))
    if not slash or not is_token(main) or not is_token(sub):
        raise MessageError(400, "bad_media_type", text[:40])
    return MediaType(main.lower(), sub.lower(), Parameters.parse(semicolon + parameters))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was sent (RFC 3326): `SIP;cause=200;text="Call completed elsewhere"`."""

    protocol: str
    cause: int | None = None
    text: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reason:
        """Read one Reason value."""
        protocol, semicolon, rest = text.partition(";")
        protocol = protocol.strip(LWS)
        if not is_token(protocol):
            raise MessageError(400, "bad_reason", text[:40])
        parameters = Parameters.parse(semicolon + rest)
        cause = parameters.get("cause")
        number = None if cause is None else parse_number(cause, maximum=999, slug="bad_reason")
        return cls(protocol, number, parameters.get("text"))

    @classmethod
    def parse_many(cls, text: str) -> list[Reason]:
        """Read a comma-separated list of reasons."""
        return [cls.parse(element) for element in split_list(text)]

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = "" if self.text is None else f";text={quote(self.text)}"
        return f"{self.protocol}{cause}{text}"
