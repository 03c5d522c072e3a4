"""Ogg pages with opus in them, as recordings are written (RFC 3533, RFC 7845), and their mending.

Each page is whole in itself and has a checksum, so that a file that a crash cut off is good up to
its last whole page: mending cuts off the rest and marks that page as the last. Positions count
samples at 48 kHz, the encoder's delay (`pre_skip`) included, whatever rate was recorded.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO, Final

CLOCK: Final = 48_000
"""Hz of positions (RFC 7845 §4)."""

FIRST: Final = 0x02
LAST: Final = 0x04
"""Flags of a page (RFC 3533 §6)."""

MAX_SEGMENTS: Final = 255
"""Of one page, each up to 255 octets; a packet that fills its last one has an empty one behind."""

_HEAD: Final = struct.Struct("<4sBBqIIIB")
_CRC_AT: Final = 22
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def opus_head(*, channels: int, pre_skip: int, rate: int) -> bytes:
    """Return the packet that says what follows (RFC 7845 §5.1). `pre_skip` counts at 48 kHz."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, pre_skip, rate, 0, 0)


def opus_tags(vendor: str) -> bytes:
    """Return the packet of comments, with none in it (RFC 7845 §5.2)."""
    name = vendor.encode()
    return b"OpusTags" + struct.pack("<I", len(name)) + name + struct.pack("<I", 0)


def segments(packet: bytes) -> int:
    """Return how many segments of a page a packet takes."""
    return len(packet) // 255 + 1


def page(
    packets: Sequence[bytes], *, serial: int, sequence: int, position: int, flags: int = 0
) -> bytes:
    """Return whole packets as one page; together they have at most `MAX_SEGMENTS` segments.

    `position` is where the sound of the last one ends.
    """
    lacing = b"".join(map(_lacing, packets))
    head = _HEAD.pack(b"OggS", 0, flags, position, serial, sequence, 0, len(lacing))
    return _sealed(head + lacing + b"".join(packets))


def repair_ogg(file: BinaryIO) -> float | None:
    """Cut off what is no whole page and mark the last as such; return the seconds of sound.

    None where the file does not begin with an opus stream.
    """
    whole, last = 0, b""
    pre_skip: int | None = None
    while (found := _read_page(file, whole)) is not None:
        if not whole:
            pre_skip = _pre_skip(found)
            if pre_skip is None:
                return None
        last, whole = found, whole + len(found)
    if pre_skip is None:
        return None
    file.truncate(whole)
    if not last[5] & LAST:
        file.seek(whole - len(last))
        file.write(_sealed(last[:5] + bytes([last[5] | LAST]) + last[6:]))
    position: int = _HEAD.unpack_from(last)[3]
    return max(0, position - pre_skip) / CLOCK


def _lacing(packet: bytes) -> bytes:
    full, rest = divmod(len(packet), 255)
    return b"\xff" * full + bytes([rest])


def _read_page(file: BinaryIO, at: int) -> bytes | None:
    """Return the whole page at `at`; None where there is none."""
    file.seek(at)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(b"OggS"):
        return None
    lacing = file.read(head[-1])
    body = file.read(sum(lacing))
    found = head + lacing + body
    return found if _sealed(found) == found and len(body) == sum(lacing) else None


def _pre_skip(first: bytes) -> int | None:
    at = first.find(b"OpusHead")
    return int.from_bytes(first[at + 10 : at + 12], "little") if at > 0 else None


def _sealed(content: bytes) -> bytes:
    """Return a page with its checksum in place."""
    blank = content[:_CRC_AT] + bytes(4) + content[_CRC_AT + 4 :]
    return blank[:_CRC_AT] + _checksum(blank).to_bytes(4, "little") + blank[_CRC_AT + 4 :]


def _checksum(content: bytes) -> int:
    """Return the CRC of RFC 3533 §6: zlib's polynomial with every bit the other way round, begun
    at 0 and not inverted at the end."""
    mirrored = zlib.crc32(content.translate(_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")
