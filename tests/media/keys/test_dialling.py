from collections.abc import Callable

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.keys.dial import TICK
from pbx.media.keys.dialling import Dialling
from pbx.media.keys.telephone_event import TelephoneEvent
from pbx.media.packets.outgoing import OutgoingStream
from pbx.media.packets.rtp import RtpPacket
from pbx.media.protocol import PayloadMap

EVENTS = PayloadMap("PCMU", 0, 0, 8000, event_send=101, event_receive=101)
NO_EVENTS = PayloadMap("PCMU", 0, 0, 8000)


class Phone:
    """A leg as keys are sent to it."""

    def __init__(self, payload: PayloadMap | None) -> None:
        self.payload = payload
        self.out = OutgoingStream(ssrc=1, sequence=10, timestamp=0)
        self.events = None
        self.tones = None
        self.reachable = True
        self.sent: list[RtpPacket | None] = []

    def send_packet(self, packet: bytes) -> None:
        self.sent.append(RtpPacket.parse(packet))

    @property
    def digits(self) -> list[int]:
        events = [TelephoneEvent.parse(packet.payload) for packet in self.sent if packet]
        started = [packet.marker for packet in self.sent if packet]
        return [event.event for event, new in zip(events, started, strict=True) if event and new]


class Room:
    """What dialling needs around it, with a clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.arranged: list[tuple[bool, bool]] = []
        self._calls: list[tuple[float, Callable[[float], None]]] = []
        self.dialling: Dialling[Phone] = Dialling(
            lambda when, call: self._calls.append((when, call)), self._arrange
        )

    def _arrange(self, leg: Phone) -> None:
        self.arranged.append((leg.events is not None, leg.tones is not None))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds + 1e-9
        while self._calls and min(when for when, _ in self._calls) <= end:
            self._calls.sort(key=lambda call: call[0])
            when, call = self._calls.pop(0)
            self.now = max(self.now, when)
            call(self.now)
        self.now = end


def test_events_go_out_every_20_ms_and_then_the_stream_is_free():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "5", 100, room.now)
    assert phone.events is not None
    assert len(phone.sent) == 1
    room.wait(3 * TICK)
    assert len(phone.sent) == 4
    room.wait(1)
    assert len(phone.sent) == 7
    assert phone.events is None
    assert room.arranged == [(True, False), (False, False)]


def test_keys_that_come_meanwhile_are_sent_afterwards():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "1", 100, room.now)
    room.wait(TICK)
    room.dialling.dial(phone, "23", 100, room.now)
    room.wait(1)
    assert phone.digits == [1, 2, 3]
    assert len(room.arranged) == 2


def test_a_held_up_loop_sends_what_it_missed():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "5", 100, room.now)
    room.now += 0.1
    room.wait(0)
    assert len(phone.sent) == 6


def test_without_telephone_event_keys_are_tones():
    room, phone = Room(), Phone(NO_EVENTS)
    room.dialling.dial(phone, "5", 100, room.now)
    assert phone.tones is not None
    while phone.tones.next_payload(ARRAY_CODECS["PCMU"], 20) is not None:
        pass
    room.dialling.end_tick()
    assert phone.tones is None
    assert phone.sent == []
    assert room.arranged == [(False, True), (False, False)]


def test_nothing_is_sent_to_a_leg_that_is_not_reachable():
    room = Room()
    for phone in (Phone(None), held := Phone(EVENTS)):
        held.reachable = False
        room.dialling.dial(phone, "5", 100, room.now)
        room.wait(1)
        assert (phone.sent, phone.events, phone.tones) == ([], None, None)


def test_what_is_no_key_changes_nothing():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "w", 100, room.now)
    assert (phone.events, room.arranged) == (None, [])


def test_a_stop_ends_it_at_once():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "123", 100, room.now)
    room.wait(TICK)
    room.dialling.stop(phone)
    sent = len(phone.sent)
    room.wait(1)
    assert len(phone.sent) == sent
    assert phone.events is None
    room.dialling.stop(phone)
    assert len(room.arranged) == 2


def test_a_leg_that_is_held_meanwhile_is_sent_no_more():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "123", 100, room.now)
    phone.reachable = False
    room.wait(1)
    assert len(phone.sent) == 1
    assert phone.events is None


def test_dialling_again_after_a_stop_begins_anew():
    room, phone = Room(), Phone(EVENTS)
    room.dialling.dial(phone, "1", 100, room.now)
    room.dialling.stop(phone)
    room.dialling.dial(phone, "2", 100, room.now)
    room.wait(1)
    assert phone.digits == [1, 2]
    assert len(phone.sent) == 1 + 7
