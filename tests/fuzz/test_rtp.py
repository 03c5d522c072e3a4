"""Whatever a remote sends as RTP or RTCP, nothing raises, and what goes on stays in order.

Invariants: every datagram is read as a packet or as nothing; a packet read and written is the same;
a relay row fed with anything sends on only well-formed packets with the hearer's SSRC, and one
stream's packets keep their distances; keys are told at most once per timestamp.
"""

from hypothesis import given
from hypothesis import strategies as st

from pbx.media.keys.telephone_event import EventReader, TelephoneEvent
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.relay import MAX_PACKET, RelayRow
from pbx.media.packets.rtcp import (
    MAX_ROUND_TRIP,
    ReceiverReport,
    ReportBlock,
    RtcpReporter,
    SenderReport,
    parse_rtcp,
)
from pbx.media.packets.rtp import RtpPacket, RtpStream, sequence_distance
from pbx.media.packets.source import SourceLock, Verdict
from pbx.media.protocol import PayloadMap

SPEAKER = PayloadMap("PCMU", send=0, receive=0, clock=8000, event_send=101, event_receive=101)
HEARER = PayloadMap("PCMU", send=0, receive=0, clock=8000, event_send=120, event_receive=120)

octets = st.binary(max_size=200)
heads = st.sampled_from(
    [b"\x80\x00", b"\x80\x65", b"\x80\xe5", b"\x90\x00", b"\xbf\x00", b"\x80\xc8"]
)
nearly_rtp = st.builds(lambda head, rest: head + rest, heads, octets)
reports = st.sampled_from(
    [b"\x80\xc8", b"\x81\xc8", b"\x81\xc9", b"\xa1\xc9", b"\x81\xca", b"\x81\xcb"]
)
nearly_rtcp = st.lists(
    st.builds(
        lambda head, body: head + (len(body) // 4).to_bytes(2, "big") + body, reports, octets
    ),
    max_size=4,
).map(b"".join)

packets = st.builds(
    RtpPacket,
    payload_type=st.sampled_from([0, 101, 13, 127]),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    ssrc=st.integers(0, 3),
    payload=st.binary(min_size=1, max_size=20),
    marker=st.booleans(),
)


@given(octets | nearly_rtp)
def test_any_datagram_is_a_packet_or_nothing(datagram: bytes):
    RtpPacket.parse(datagram)


@given(packets)
def test_a_packet_written_and_read_is_the_same(packet: RtpPacket):
    assert RtpPacket.parse(bytes(packet)) == packet


@given(octets | nearly_rtcp)
def test_any_rtcp_is_read_or_ignored(datagram: bytes):
    parse_rtcp(datagram)
    sent = OutgoingStream(ssrc=0, sequence=0, timestamp=0)
    heard = RtpStream()
    reporter = RtcpReporter(cname="c", epoch=0.0)
    reporter.read(datagram, heard=heard, sent=sent, now=1.0)
    assert parse_rtcp(reporter.write(heard=heard, sent=sent, now=2.0, goodbye=True))


words = st.integers(0, 0xFFFF_FFFF)
blocks_about_us = st.builds(
    ReportBlock,
    ssrc=st.just(0),
    fraction_lost=st.integers(0, 255),
    lost=st.integers(-0x80_0000, 0x7F_FFFF),
    highest=words,
    jitter=words,
    last_report=words,
    delay=words,
)


@given(st.lists(st.lists(blocks_about_us, max_size=31).map(tuple), max_size=5), st.booleans())
def test_what_is_told_about_us_stays_within_reason(
    reports: list[tuple[ReportBlock, ...]], sends: bool
):
    sent = OutgoingStream(ssrc=0, sequence=0, timestamp=0)
    reporter = RtcpReporter(cname="c", epoch=3.9e9)
    for n, blocks in enumerate(reports):
        report = SenderReport(9, n, n, n, n, blocks) if sends else ReceiverReport(9, blocks)
        assert reporter.read(bytes(report), heard=RtpStream(), sent=sent, now=float(n))
    assert reporter.round_trip is None or 0 <= reporter.round_trip < MAX_ROUND_TRIP
    assert reporter.reported == 0
    assert abs(reporter.lost) <= 0x80_0000


@given(st.lists(octets | nearly_rtp | packets.map(bytes), max_size=40), st.booleans())
def test_a_row_sends_on_nothing_but_well_formed_packets(datagrams: list[bytes], aimed: bool):
    row = RelayRow(lambda key, now: None)
    out = OutgoingStream(ssrc=0xB0B, sequence=0, timestamp=0)
    row.listen_to(SPEAKER)
    if aimed:
        row.aim(out, HEARER)
    for n, datagram in enumerate(datagrams):
        buffer = bytearray(MAX_PACKET)
        buffer[: len(datagram)] = datagram
        if row.forward(buffer, len(datagram), n * 0.02):
            sent = RtpPacket.parse(bytes(buffer[: len(datagram)]))
            assert aimed
            assert sent is not None
            assert sent.ssrc == 0xB0B
            assert sent.payload_type in (0, 120)
    assert row.packets + row.dropped >= len(datagrams)


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-45, 45), max_size=40))
def test_one_streams_packets_keep_their_distances(first: int, jumps: list[int]):
    row = RelayRow(lambda key, now: None)
    row.listen_to(SPEAKER)
    row.aim(OutgoingStream(ssrc=1, sequence=0, timestamp=0), HEARER)
    said = [first] + [first + 100 + jump for jump in jumps]
    heard = []
    for sequence in said:
        packet = RtpPacket(0, sequence & 0xFFFF, sequence * 160 & 0xFFFF_FFFF, 5, b"\0" * 160)
        buffer = bytearray(bytes(packet))
        if row.forward(buffer, len(buffer), 1.0):
            sent = RtpPacket.parse(bytes(buffer))
            assert sent is not None
            heard.append((sequence, sent.sequence))
    distances = {sequence_distance(out, came & 0xFFFF) for came, out in heard}
    assert len(distances) == 1


key_packets = st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 0xFFFF), st.booleans())


@given(st.lists(key_packets, max_size=60))
def test_a_key_is_told_once_per_timestamp(sequence: list[tuple[int, bool, int, bool]]):
    reader = EventReader()
    told = 0
    for key, end, duration, marker in sequence:
        event = TelephoneEvent(key, end, duration)
        told += len(reader.read(event, timestamp=key * 1000, marker=marker, now=0.0))
    told += len(reader.finish())
    assert told <= len({key for key, _, _, _ in sequence})


@given(octets, st.integers(0, 0xFFFF_FFFF), st.booleans())
def test_any_event_payload_is_read_or_ignored(payload: bytes, timestamp: int, marker: bool):
    event = TelephoneEvent.parse(payload)
    if event is not None:
        EventReader().read(event, timestamp=timestamp, marker=marker, now=0.0)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 9)), max_size=60))
def test_a_stranger_never_counts(offers: list[tuple[int, int, int]]):
    lock = SourceLock()
    lock.expect(("192.0.2.1", 4000), "192.0.2.2", relearn=False)
    for host, ssrc, sequence in offers:
        verdict = lock.offer((f"192.0.2.{host}", 4000), ssrc, sequence)
        assert host <= 2 or verdict is Verdict.IGNORED
