"""Session descriptions: text ⇄ values (RFC 8866), with limits, and `SdpError` as the only error.

Parsing is liberal where phones are careless (line ends, a missing s= or t=, unknown lines, an
origin whose user name holds spaces) and strict where a value is used. Lines that callpbx has no use
for (i u e p b r z k) are read over and not kept; attributes are all kept, as text, in order.
What a description means for a call is in `formats.py`, what to answer in `offer_answer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final, NamedTuple

import msgspec

from pbx.errors import SdpError

MAX_BODY: Final = 32_768
"""Bytes of the longest description read."""
MAX_LINE: Final = 8192
"""Characters of the longest line."""
MAX_LINES: Final = 1000
MAX_MEDIA: Final = 32
"""m= lines of one description."""
MAX_FORMATS: Final = 64
"""Formats of one m= line."""


class Direction(Enum):
    """Which way media flows, seen from whoever wrote it (RFC 8866 §6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    def __init__(self, spelled: str) -> None:
        self.sends = "send" in spelled
        """Whether the writer sends."""
        self.receives = "recv" in spelled
        """Whether the writer listens."""

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """Return the direction that has these two parts."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    def reversed(self) -> Direction:
        """Return the same flow seen from the other side."""
        return Direction.of(sends=self.receives, receives=self.sends)

    def within(self, allowed: Direction) -> Direction:
        """Return what of this direction `allowed` leaves."""
        return Direction.of(
            sends=self.sends and allowed.sends, receives=self.receives and allowed.receives
        )


class Origin(NamedTuple):
    """The o= line. Ids stay text: some are longer than 64 bits."""

    username: str
    session_id: str
    version: str
    address_type: str
    address: str

    def __str__(self) -> str:
        return (
            f"{self.username} {self.session_id} {self.version} IN {self.address_type} "
            f"{self.address}"
        )


class Connection(NamedTuple):
    """A c= line: `address_type` is IP4 or IP6; `address` as written, unchecked until used."""

    address_type: str
    address: str

    def __str__(self) -> str:
        return f"IN {self.address_type} {self.address}"


class Attribute(NamedTuple):
    """An a= line; `value` is None for a flag."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


class MediaDescription(msgspec.Struct, frozen=True):
    """One m= line with the lines below it. `port` 0 means that the stream is refused or gone."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: Connection | None = None
    attributes: tuple[Attribute, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the lines, without line ends."""
        yield f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}".rstrip()
        if self.connection is not None:
            yield f"c={self.connection}"
        for attribute in self.attributes:
            yield f"a={attribute}"


class SessionDescription(msgspec.Struct, frozen=True):
    """A whole description. Two are equal when they say the same in the same order."""

    origin: Origin
    connection: Connection | None
    media: tuple[MediaDescription, ...]
    attributes: tuple[Attribute, ...] = ()
    name: str = "-"

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """Read a body; raise SdpError(400, …) for anything that is no description."""
        reader = _Reader()
        for line in _lines(body):
            read = _READ.get(line[0])
            if read is not None:
                read(reader, line[2:].strip())
        return reader.description()

    def lines(self) -> Iterator[str]:
        """Yield the lines in the order of RFC 8866 §5, without line ends."""
        yield "v=0"
        yield f"o={self.origin}"
        yield f"s={self.name}"
        if self.connection is not None:
            yield f"c={self.connection}"
        yield "t=0 0"
        for attribute in self.attributes:
            yield f"a={attribute}"
        for media in self.media:
            yield from media.lines()

    def __bytes__(self) -> bytes:
        text = "\r\n".join(self.lines())
        return (text + "\r\n").encode("utf-8", "surrogateescape")


def read_number(text: str, highest: int) -> int | None:
    """Return the decimal number in `text` when it lies in 0…`highest`, else None."""
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return None
    number = int(text)
    return number if number <= highest else None


def _lines(body: bytes) -> list[str]:
    """Return the lines behind v=0, each of the form `x=…`."""
    if len(body) > MAX_BODY:
        raise SdpError(400, "sdp_too_long", f"{len(body)} bytes")
    text = body.decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise SdpError(400, "sdp_nul")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError(400, "sdp_too_many_lines", str(len(lines)))
    lines = [line for line in lines if line and not line.isspace()]
    if not lines:
        raise SdpError(400, "sdp_empty")
    for line in lines:
        if line[1:2] != "=":
            raise SdpError(400, "sdp_line", line[:40])
        if len(line) > MAX_LINE:
            raise SdpError(400, "sdp_line_too_long")
    if lines[0].rstrip() != "v=0":
        raise SdpError(400, "sdp_version", lines[0][:40])
    return lines[1:]


class _Media:
    """An m= line whose block is still being read."""

    __slots__ = ("attributes", "connection", "formats", "kind", "port", "protocol")

    def __init__(self, value: str) -> None:
        tokens = value.split()
        if len(tokens) < 3:
            raise SdpError(400, "sdp_media", value[:40])
        self.kind = tokens[0].lower()
        port = read_number(tokens[1].partition("/")[0], 65535)
        if port is None:
            raise SdpError(400, "sdp_port", value[:40])
        self.port = port
        self.protocol = tokens[2]
        self.formats = tuple(tokens[3:])
        if len(self.formats) > MAX_FORMATS:
            raise SdpError(400, "sdp_too_many_formats", str(len(self.formats)))
        self.connection: Connection | None = None
        self.attributes: list[Attribute] = []

    def description(self) -> MediaDescription:
        return MediaDescription(
            self.kind,
            self.port,
            self.protocol,
            self.formats,
            self.connection,
            tuple(self.attributes),
        )


class _Reader:
    """Takes the lines in order; what an a= or c= line belongs to is the m= line above it."""

    __slots__ = ("_attributes", "_connection", "_media", "_name", "_origin")

    def __init__(self) -> None:
        self._origin: Origin | None = None
        self._name = "-"
        self._connection: Connection | None = None
        self._attributes: list[Attribute] = []
        self._media: list[_Media] = []

    def description(self) -> SessionDescription:
        """Return what was read; raise SdpError without an o= line."""
        if self._origin is None:
            raise SdpError(400, "sdp_origin", "missing")
        return SessionDescription(
            self._origin,
            self._connection,
            tuple([media.description() for media in self._media]),
            tuple(self._attributes),
            self._name,
        )

    def read_origin(self, value: str) -> None:
        tokens = value.split()
        if len(tokens) < 6 or self._origin is not None:
            raise SdpError(400, "sdp_origin", value[:40])
        *username, session_id, version, _, address_type, address = tokens
        self._origin = Origin(" ".join(username), session_id, version, address_type, address)

    def read_name(self, value: str) -> None:
        self._name = value or "-"

    def read_connection(self, value: str) -> None:
        tokens = value.split()
        if len(tokens) != 3 or tokens[0].upper() != "IN":
            raise SdpError(400, "sdp_connection", value[:40])
        connection = Connection(tokens[1].upper(), tokens[2])
        if not self._media:
            self._connection = self._connection or connection
        elif self._media[-1].connection is None:
            self._media[-1].connection = connection

    def read_attribute(self, value: str) -> None:
        name, colon, rest = value.partition(":")
        if name := name.strip().lower():
            attribute = Attribute(name, rest.strip() if colon else None)
            (self._media[-1].attributes if self._media else self._attributes).append(attribute)

    def read_media(self, value: str) -> None:
        if len(self._media) >= MAX_MEDIA:
            raise SdpError(400, "sdp_too_many_media")
        self._media.append(_Media(value))


_READ: Final[Mapping[str, Callable[[_Reader, str], None]]] = {
    "o": _Reader.read_origin,
    "s": _Reader.read_name,
    "c": _Reader.read_connection,
    "a": _Reader.read_attribute,
    "m": _Reader.read_media,
}
"""What is done with each type of line; the others are read over."""
