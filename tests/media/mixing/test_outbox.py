from collections.abc import Sequence

from pbx.media.mixing.outbox import MAX_WAITING, Outbox
from pbx.media.protocol import (
    AnyWorkerEvent,
    DigitHeard,
    LegFreed,
    LegGiven,
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


class Suitcase:
    """A socket that is none."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.open = True

    def fileno(self) -> int:
        assert self.open
        return self.number

    def close(self) -> None:
        self.open = False


class Counter(Pipe):
    """A channel that takes descriptors too."""

    def __init__(self, room: int = 1000) -> None:
        super().__init__(room)
        self.passed: list[Sequence[int]] = []

    def send(self, datagram: bytes, descriptors: Sequence[int] = ()) -> None:
        super().send(datagram)
        self.passed.append(descriptors)


def test_sockets_go_along_in_their_turn_and_are_closed_here():
    counter, pair = Counter(), (Suitcase(7), Suitcase(8))
    with counter.outbox.together():
        counter.outbox.post(DigitHeard(1, "1", 80))
        counter.outbox.hand_over(LegGiven(1, b"state"), pair)
        counter.outbox.post(DigitHeard(2, "2", 80))
    assert counter.sent == [DigitHeard(1, "1", 80), LegGiven(1, b"state"), DigitHeard(2, "2", 80)]
    assert counter.passed == [(), [7, 8], ()]
    assert not any(each.open for each in pair)


def test_sockets_wait_open_for_room():
    counter, pair = Counter(room=0), (Suitcase(7), Suitcase(8))
    counter.outbox.hand_over(LegGiven(1, b"state"), pair)
    assert all(each.open for each in pair)
    counter.room = 1
    counter.outbox.flush()
    assert counter.passed == [[7, 8]]
    assert not any(each.open for each in pair)


def test_sockets_that_nobody_will_take_are_closed():
    counter, pair = Counter(room=0), (Suitcase(7), Suitcase(8))
    counter.outbox.hand_over(LegGiven(1, b"state"), pair)
    counter.outbox.close()
    assert not any(each.open for each in pair)
