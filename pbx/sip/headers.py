"""Typed header values (RFC 3261 §20): one frozen dataclass per term, with `parse` and `__str__`.

`parse` takes one unfolded value, `parse_many` a value that may be a list; both raise `MessageError` 400 with a slug.
`str` writes the value so that it parses to the same again. Which headers a message holds, and how many of each, is
`fields` and `validation`; URIs are `uri`, the grammar below all of them `grammar`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from pbx.errors import MessageError
from pbx.sip.flow import bracket
from pbx.sip.grammar import (
    LWS,
    NO_PARAMETERS,
    Parameters,
    is_token,
    parse_number,
    quote,
    quoted_prefix,
    split_list,
    unquote,
)
from pbx.sip.uri import HOST, Uri, check_ipv6, escape_user

__all__ = [
    "CSeq",
    "MediaType",
    "NameAddr",
    "Parameters",
    "Reason",
    "Uri",
    "Via",
    "escape_user",
    "parse_tokens",
    "read_tag",
]

MAGIC_COOKIE = "z9hG4bK"
"""What the branches of RFC 3261 start with (§8.1.1.7)."""

MAX_CSEQ = 2**31 - 1
"""The greatest CSeq number (§8.1.1.5)."""

_VIA = re.compile(
    r"SIP[ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+([A-Za-z0-9\-.!%*_+`'~]++)[ \t]++"
    + HOST
    + r"(?:[ \t]*+:[ \t]*+([0-9]++))?+[ \t]*+",
    re.IGNORECASE,
)
# The RFC asks for tokens; names that cannot be mistaken for anything else are let in.
_UNQUOTED_NAME = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\",;<>\\]*+")
_PLAIN_TAG = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]++")


@dataclass(frozen=True, slots=True)
class NameAddr:
    """An address with an optional display name (decoded) and the header's own parameters (§20.10)."""

    display_name: str | None
    uri: Uri
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one name-addr or addr-spec with its parameters.

        In the form without brackets all parameters are the header's, and a URI with headers is a 400 (§20).
        """
        return _parse_name_addr(text)

    @classmethod
    def parse_many(cls, text: str) -> list[NameAddr]:
        """Read a comma-separated list of addresses."""
        return [_parse_name_addr(element) for element in split_list(text)]

    def __str__(self) -> str:
        name = "" if self.display_name is None else quote(self.display_name) + " "
        return f"{name}<{self.uri}>{self.parameters}"

    @property
    def tag(self) -> str | None:
        """Return the tag parameter (§19.3)."""
        return self.parameters.get("tag")

    def with_tag(self, tag: str) -> NameAddr:
        """Return a copy with this tag."""
        return replace(self, parameters=self.parameters.replace("tag", tag))


@lru_cache(maxsize=1024)
def _parse_name_addr(text: str) -> NameAddr:
    text = text.strip(LWS)
    name: str | None = None
    rest = text
    if text.startswith('"'):
        quoted = quoted_prefix(text)
        if quoted is None:
            raise MessageError(400, "unbalanced_quoting", text[:40])
        name = unquote(quoted)
        rest = text[len(quoted) :].lstrip(LWS)
        if not rest.startswith("<"):
            raise MessageError(400, "bad_address", text[:40])
    before, bracket_open, after = rest.partition("<")
    if not bracket_open:
        return _parse_addr_spec(text)
    if before:
        if not _UNQUOTED_NAME.fullmatch(before):
            raise MessageError(400, "bad_display_name", text[:40])
        name = " ".join(before.split())
    uri, bracket_close, parameters = after.partition(">")
    if not bracket_close:
        raise MessageError(400, "unbalanced_brackets", text[:40])
    return NameAddr(name, Uri.parse(uri), Parameters.parse(parameters))


def _parse_addr_spec(text: str) -> NameAddr:
    uri, semicolon, parameters = text.partition(";")
    if "?" in uri or "," in uri:
        raise MessageError(400, "uri_needs_brackets", text[:40])
    return NameAddr(None, Uri.parse(uri.rstrip(LWS)), Parameters.parse(semicolon + parameters))


def read_tag(text: str) -> str | None:
    """Read the tag of a From or To value without reading the rest, where that is safe; else parse it."""
    tail = text[text.rfind(">") + 1 :]
    if not tail:
        return None
    _, found, rest = tail.partition(";tag=")
    if found and '"' not in text:
        tag, _, more = rest.partition(";")
        if _PLAIN_TAG.fullmatch(tag) and "tag" not in more.lower():
            return tag
    return _parse_name_addr(text).tag


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request's way (§20.42). `transport` is in upper case, `host` without brackets."""

    transport: str
    host: str
    port: int | None = None
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value."""
        match = _VIA.match(text)
        if not match:
            raise MessageError(400, "bad_via", text[:40])
        transport, host, port = match.groups()
        if host[0] == "[":
            host = host[1:-1]
            check_ipv6(host)
        return cls(
            transport.upper(),
            host,
            None if port is None else parse_number(port, maximum=65535, slug="bad_via"),
            Parameters.parse(text[match.end() :]),
        )

    @classmethod
    def parse_many(cls, text: str) -> list[Via]:
        """Read a comma-separated list of Via values."""
        return [cls.parse(element) for element in split_list(text)]

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracket(self.host)}{port}{self.parameters}"

    @property
    def branch(self) -> str | None:
        """Return the branch parameter as written."""
        return self.parameters.get("branch")

    @property
    def unique_branch(self) -> str | None:
        """Return the branch if it identifies the transaction: magic cookie and more (§17.2.3, RFC 4475 §3.2.1)."""
        branch = self.parameters.get("branch")
        if branch and len(branch) > len(MAGIC_COOKIE) and branch.startswith(MAGIC_COOKIE):
            return branch
        return None

    @property
    def received(self) -> str | None:
        """Return the address that the request really came from."""
        value = self.parameters.get("received")
        return value.strip("[]") if value else None

    @property
    def wants_rport(self) -> bool:
        """Tell whether rport is there, filled or not (RFC 3581 §4)."""
        return "rport" in self.parameters

    @property
    def rport(self) -> int | None:
        """Return the port of a filled rport parameter."""
        value = self.parameters.get("rport")
        return parse_number(value, maximum=65535, slug="bad_via") if value else None

    def stamped(self, host: str, port: int) -> Via:
        """Return a copy that tells where the request came from (§18.2.1, RFC 3581 §4)."""
        parameters = self.parameters
        if "rport" in parameters:
            parameters = parameters.replace("rport", str(port))
        elif host == self.host:
            return self
        return replace(self, parameters=parameters.replace("received", host))


@dataclass(frozen=True, slots=True)
class CSeq:
    """The number of a request within its dialog and its method (§20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read a CSeq value; numbers above 2**31 - 1 are a 400."""
        parts = text.split()
        if len(parts) != 2 or not is_token(parts[1]):
            raise MessageError(400, "bad_cseq", text[:40])
        return cls(parse_number(parts[0], maximum=MAX_CSEQ, slug="bad_cseq"), parts[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class MediaType:
    """A content type, in lower case, with its parameters (§20.15)."""

    type: str
    subtype: str
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> MediaType:
        """Read `type/subtype;parameters`."""
        full, semicolon, parameters = text.partition(";")
        main, slash, sub = (part.strip(LWS) for part in full.partition("/"))
        if not slash or not is_token(main) or not is_token(sub):
            raise MessageError(400, "bad_media_type", text[:40])
        return cls(main.lower(), sub.lower(), Parameters.parse(semicolon + parameters))

    @classmethod
    def parse_many(cls, text: str) -> list[MediaType]:
        """Read a comma-separated list of types, as Accept has it (ranges such as `text/*` too)."""
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


def parse_tokens(text: str) -> list[str]:
    """Read a comma-separated list of tokens, as Allow, Require and Supported have it; may be empty."""
    tokens = split_list(text) if text else []
    if not all(map(is_token, tokens)):
        raise MessageError(400, "bad_token", text[:40])
    return tokens
