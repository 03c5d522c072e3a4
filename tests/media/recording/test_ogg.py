"""Pages of Ogg: the checksum, lacing, and what a crash leaves of a file."""

from __future__ import annotations

import io

import pytest

from pbx.media.recording.ogg import FIRST, LAST, opus_head, opus_tags, page, repair_ogg, segments

OTHER = page([b"no opus"], serial=1, sequence=0, position=0, flags=FIRST)
"""A page of something else."""


def checksum(content: bytes) -> int:
    """Return the CRC of RFC 3533 §6 bit by bit, as the text defines it."""
    register = 0
    for octet in content:
        register ^= octet << 24
        for _ in range(8):
            carry = register & 0x8000_0000
            register = (register << 1) & 0xFFFF_FFFF
            if carry:
                register ^= 0x04C1_1DB7
    return register


def stream(pages: int = 4) -> list[bytes]:
    """Return the pages of a stream of half seconds, without an end."""
    made = [
        page([opus_head(channels=2, pre_skip=312, rate=16000)], **at(0, 0), flags=FIRST),
        page([opus_tags("callpbx")], **at(1, 0)),
    ]
    for number in range(pages):
        packets = [bytes([7]) * (100 + n) for n in range(25)]
        made.append(page(packets, **at(2 + number, 24_000 * (number + 1))))
    return made


def at(sequence: int, position: int) -> dict[str, int]:
    return {"serial": 1, "sequence": sequence, "position": position}


@pytest.mark.parametrize("packet", [b"", b"hello", bytes(range(256)) * 9])
def test_the_checksum_is_that_of_the_standard(packet: bytes) -> None:
    made = page([packet], **at(7, 123_456_789), flags=LAST)
    blank = made[:22] + bytes(4) + made[26:]
    assert int.from_bytes(made[22:26], "little") == checksum(blank)


@pytest.mark.parametrize(
    ("size", "lacing"), [(0, b"\0"), (254, b"\xfe"), (255, b"\xff\0"), (600, b"\xff\xff\x5a")]
)
def test_a_packet_takes_as_many_segments_as_it_needs(size: int, lacing: bytes) -> None:
    made = page([bytes(size)], **at(3, 960))
    assert made[26] == len(lacing) == segments(bytes(size))
    assert made[27 : 27 + len(lacing)] == lacing


def test_a_stream_without_its_end_gets_one() -> None:
    whole = b"".join(stream())
    file = io.BytesIO(whole)
    assert repair_ogg(file) == (4 * 24_000 - 312) / 48_000
    mended = file.getvalue()
    assert len(mended) == len(whole)
    last = mended[-len(stream()[-1]) :]
    assert last[5] == LAST
    again = io.BytesIO(mended)
    assert repair_ogg(again) == repair_ogg(file)
    assert again.getvalue() == mended


@pytest.mark.parametrize("rest", [1, 27, 500, -1])
def test_half_a_page_is_cut_off(rest: int) -> None:
    pages = stream()
    file = io.BytesIO(b"".join(pages[:-1]) + pages[-1][:rest])
    assert repair_ogg(file) == (3 * 24_000 - 312) / 48_000
    assert len(file.getvalue()) == len(b"".join(pages[:-1]))


def test_a_page_with_a_wrong_octet_ends_the_stream() -> None:
    pages = stream()
    broken = bytearray(pages[3])
    broken[100] ^= 1
    file = io.BytesIO(b"".join(pages[:3]) + bytes(broken) + pages[4])
    assert repair_ogg(file) == (1 * 24_000 - 312) / 48_000


@pytest.mark.parametrize("content", [b"", b"RIFF" + bytes(100), OTHER, stream()[0][:-1]])
def test_other_files_are_left_as_they_are(content: bytes) -> None:
    file = io.BytesIO(content)
    assert repair_ogg(file) is None
    assert file.getvalue() == content
