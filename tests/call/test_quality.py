"""What a worker's figures come to: per stretch, per call, and `None` where nothing was measured."""

from __future__ import annotations

import pytest

from pbx.call.quality import LegFigures, StreamQuality
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtcp import RtcpReporter
from pbx.media.packets.rtp import RtpStream
from pbx.media.protocol import Echo, FreeLeg, LegFreed, LegReport, PayloadMap, StreamFigures
from tests.kit.rtp import PCMU, Board, phones

PCMA = PayloadMap("PCMA", 8, 8, 8000)
STRANGE = PayloadMap("speex", 97, 97, 8000)


def heard(
    packets: int,
    lost: int = 0,
    *,
    bursts: int = 0,
    round_trip_ms: float | None = None,
    buffer_ms: float = 0.0,
) -> StreamFigures:
    """Return a report of what came in, by counts since the call began."""
    return StreamFigures(
        packets=packets,
        lost=lost,
        bursts=bursts,
        round_trip_ms=round_trip_ms,
        buffer_ms=buffer_ms,
    )


def received(*reports: StreamFigures) -> StreamQuality:
    """Return the quality of a received stream after these reports."""
    stream = StreamQuality("received")
    for report in reports:
        stream.take(report, PCMA)
    return stream


def test_a_clean_call_has_the_best_score() -> None:
    row = received(heard(250), heard(500)).row("caller", "PCMA")
    assert (row.mos, row.mos_worst, row.loss_percent) == (4.41, 4.41, 0.0)
    assert (row.leg, row.direction, row.codec, row.packets) == ("caller", "received", "PCMA", 500)


def test_loss_is_a_percentage_of_what_should_have_come() -> None:
    row = received(heard(950, 50, bursts=40)).row("called", "PCMA")
    assert (row.loss_percent, row.mos, row.bursts) == (5.0, 3.92, 40)


def test_a_bad_stretch_does_not_follow_the_call_to_its_end() -> None:
    stream = received(heard(225, 25))
    assert stream.loss_percent == 10.0
    assert stream.mos == pytest.approx(3.41, abs=0.005)
    for n in range(1, 10):
        stream.take(heard(225 + 250 * n, 25), PCMA)
    assert stream.loss_percent == 0.0
    assert stream.mos == pytest.approx(4.41, abs=0.005)
    row = stream.row("caller", "PCMA")
    assert (row.loss_percent, row.mos, row.mos_worst) == (1.0, 4.33, 3.41)


def test_less_than_five_seconds_have_no_score() -> None:
    stream = received(heard(130), heard(249))
    assert stream.mos is None
    row = stream.row("caller", "PCMA")
    assert (row.mos, row.mos_worst, row.packets) == (None, None, 249)
    assert received(heard(130), heard(250)).row("caller", "PCMA").mos == 4.41


def test_short_stretches_are_judged_together() -> None:
    stream = received(heard(250), heard(350, 24))
    assert stream.loss_percent == 0.0
    stream.take(heard(350, 25), PCMA)
    assert stream.loss_percent == 20.0


def test_the_delay_is_half_the_round_trip_and_the_buffer() -> None:
    row = received(heard(500, round_trip_ms=300.0, buffer_ms=100.0)).row("caller", "PCMA")
    assert (row.mos, row.round_trip_ms) == (3.99, 300.0)


def test_the_round_trip_of_a_call_is_the_mean_of_what_was_told() -> None:
    stream = received(heard(250), heard(500, round_trip_ms=20.0), heard(750, round_trip_ms=40.0))
    assert stream.round_trip_ms == 30.0


def test_what_we_sent_has_a_score_only_where_the_far_end_tells() -> None:
    sent = StreamQuality("sent")
    sent.take(StreamFigures(packets=1000), PCMA)
    silent = sent.row("called", "PCMA")
    assert (silent.mos, silent.loss_percent, silent.packets) == (None, 0.0, 1000)
    sent.take(StreamFigures(packets=1200, lost=50, reported=1000), PCMA)
    told = sent.row("called", "PCMA")
    assert (told.mos, told.loss_percent, told.packets) == (3.92, 5.0, 1200)


def test_a_codec_that_the_model_does_not_know_has_no_score() -> None:
    stream = StreamQuality("received")
    stream.take(heard(500), STRANGE)
    assert (stream.mos, stream.loss_percent) == (None, 0.0)
    assert stream.row("caller", "speex").mos is None


def test_before_a_codec_is_agreed_on_nothing_is_judged() -> None:
    figures = LegFigures()
    figures.take(heard(500), StreamFigures(), None)
    assert [row.mos for row in figures.rows("caller", "")] == [None, None]


def test_late_packets_make_no_loss_below_zero() -> None:
    stream = received(heard(240, 10), heard(500, 0))
    assert stream.loss_percent == 0.0
    assert stream.mos == pytest.approx(4.41, abs=0.005)


def test_the_worse_direction_is_shown() -> None:
    figures = LegFigures()
    figures.take(heard(500), StreamFigures(packets=500), PCMA)
    assert figures.worse is figures.received
    figures.take(heard(1000), StreamFigures(packets=1000, lost=100, reported=1000), PCMA)
    assert figures.worse is figures.sent
    figures.take(heard(1000, 600), StreamFigures(packets=1000, lost=100, reported=1000), PCMA)
    assert figures.worse is figures.received


def test_loss_on_the_wire_comes_to_the_score_that_it_deserves() -> None:
    """Both ways through a worker: a phone loses every 20th packet, and so do we."""
    board = Board(pairs=20)
    with phones("127.0.0.1") as (phone,):
        leg = board.add(phone)
        board.lock(phone)
        board.do(Echo(leg))
        heard, told = RtpStream(), RtcpReporter(cname="phone", epoch=3.9e9)
        nothing = OutgoingStream(ssrc=phone.ssrc, sequence=0, timestamp=0)
        figures = LegFigures()
        for n in range(1000):
            phone.sequence += n % 20 == 7  # lost on the way to us
            board.talk(1, phone)
            for packet in phone.hear():
                if n % 20 != 13:  # lost on the way to the phone
                    heard.admit(packet.ssrc, packet.sequence)
            if n % 250 == 249:
                report = told.write(heard=heard, sent=nothing, now=board.now)
                phone.report(report)
                board.settle()
            for event in board.events(LegReport):
                figures.take(event.received, event.sent, PCMU)
        board.do(FreeLeg(leg))
        (freed,) = board.events(LegFreed)
        figures.take(freed.received, freed.sent, PCMU)
    board.close()
    for row, loss in zip(figures.rows("caller", "PCMU"), (5.0, 9.75), strict=True):
        assert row.loss_percent == pytest.approx(loss, abs=0.5)
        assert row.mos == pytest.approx(3.92 if loss == 5.0 else 3.43, abs=0.15)
        assert row.mos_worst is not None
