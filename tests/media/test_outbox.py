from pbx.media.outbox import MAX_WAITING, Outbox
from pbx.media.protocol import (
    AnyWorkerEvent,
    DigitHeard,
    LegFreed,
    LegReport,
    StreamFigures,
    WorkerLoad,
    decode_events,
)

FIGURES = StreamFigures(packets=5)


class Pipe:
    """A channel with so much room."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        self.sent: list[AnyWorkerEvent] = []
        self.waiting: list[bool] = []
        self.outbox = Outbox(self.send, self.waiting.append)

    def send(self, datagram: bytes) -> None:
        if self.room == 0:
            raise BlockingIOError
        self.room -= 1
        self.sent.extend(decode_events(datagram))


def test_events_go_out_at_once_in_order():
    pipe = Pipe()
    events = [DigitHeard(1, "5", 80), LegReport(1, FIGURES, FIGURES), WorkerLoad(0.5, 1, 0)]
    for event in events:
        pipe.outbox.post(event)
    assert pipe.sent == events
    assert pipe.waiting == []


def test_a_full_channel_keeps_keys_and_freed_legs_and_drops_figures():
    pipe = Pipe(room=1)
    kept = [DigitHeard(1, "5", 80), DigitHeard(1, "6", 80), LegFreed(1, FIGURES, FIGURES)]
    pipe.outbox.post(kept[0])
    pipe.outbox.post(LegReport(1, FIGURES, FIGURES))
    pipe.outbox.post(kept[1])
    pipe.outbox.post(WorkerLoad(0.5, 1, 0))
    pipe.outbox.post(kept[2])
    pipe.room = 1
    pipe.outbox.flush()
    assert pipe.waiting == [True]
    pipe.room = 10
    pipe.outbox.flush()
    assert pipe.sent == kept
    assert pipe.waiting == [True, False]
    assert pipe.outbox.dropped == 2


def test_what_waits_goes_before_what_comes():
    pipe = Pipe(room=0)
    pipe.outbox.post(DigitHeard(1, "1", 80))
    pipe.room = 10
    pipe.outbox.post(DigitHeard(1, "2", 80))
    assert pipe.sent == []
    pipe.outbox.flush()
    assert [event.digit for event in pipe.sent if isinstance(event, DigitHeard)] == ["1", "2"]


def test_a_server_that_never_reads_does_not_fill_the_memory():
    pipe = Pipe(room=0)
    for _ in range(MAX_WAITING + 10):
        pipe.outbox.post(DigitHeard(1, "1", 80))
    assert pipe.outbox.dropped == 10


def test_a_closed_channel_raises_nothing():
    def refuse(datagram: bytes) -> None:
        raise BrokenPipeError

    Outbox(refuse, lambda wanted: None).post(DigitHeard(1, "1", 80))


def test_what_is_posted_together_goes_out_as_one_datagram_in_order():
    datagrams: list[bytes] = []
    outbox = Outbox(datagrams.append, lambda wanted: None)
    with outbox.together():
        outbox.post(DigitHeard(1, "1", 80))
        outbox.post(LegFreed(1, FIGURES, FIGURES))
        assert datagrams == []
    (datagram,) = datagrams
    assert decode_events(datagram) == [DigitHeard(1, "1", 80), LegFreed(1, FIGURES, FIGURES)]


def test_nothing_posted_together_is_no_datagram():
    datagrams: list[bytes] = []
    with Outbox(datagrams.append, lambda wanted: None).together():
        pass
    assert datagrams == []
