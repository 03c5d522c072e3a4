"""A bridge: its members, who of them hears whom, and whether that takes the matrix.

Two plain legs in one codec are relayed, payload for payload, and nothing here costs them anything.
Whatever a relay cannot do — a third ear, a mute, a gain, an announcement, a prompt over a call, two
codecs, a gate — makes the legs *mixed*. A recording alone leaves them relayed and has them *tapped*
besides. `arrange` decides that anew after every change; legs that go from one to the other keep
their SSRC, their numbers and their timeline.

To the matrix a bridge describes itself as a `Room`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Final

from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.column import SoundColumn, VoiceColumn
from pbx.media.mixing.leg import MediaLeg
from pbx.media.mixing.matrix import NARROW, WIDE, Matrix
from pbx.media.mixing.scene import Listener, Room
from pbx.media.protocol import PayloadMap
from pbx.media.recording.tape import Tape

KEYS_PASS_BETWEEN: Final = 3
"""Members that hear a leg and each other in a bridge in which keys go on: two parties, and somebody
who barged in. In a larger one they are commands, and noise to everybody else."""


class Bridge:
    """One bridge of a worker, empty at first."""

    def __init__(self, number: int, matrix: Matrix) -> None:
        self.number = number
        self._matrix = matrix
        self._members: dict[int, MediaLeg] = {}
        self._gains: dict[int, dict[int, float]] = {}
        """By listener and speaker, legs both."""
        self._announcements: deque[SoundColumn] = deque()
        self._tapes: dict[Tape, None] = {}
        self._rate = NARROW

    def __len__(self) -> int:
        """Return how many members there are."""
        return len(self._members)

    @property
    def ended(self) -> bool:
        """Return whether nobody needs the bridge any more."""
        return not self._members and not self._tapes

    @property
    def tapes(self) -> Iterable[Tape]:
        """Return the recordings."""
        return self._tapes

    def enter(self, leg: MediaLeg, *, gated: bool) -> None:
        """Make a leg a member."""
        leg.gated = gated
        leg.bridge = self.number
        self._members[leg.number] = leg
        self.arrange()
        leg.route()

    def leave(self, leg: MediaLeg) -> None:
        """Let a leg be alone again."""
        del self._members[leg.number]
        leg.leave()
        self.arrange()

    def set_gains(self, gains: Iterable[tuple[int, int, float]]) -> None:
        """Say how loud single voices are to single ears: (listener, speaker, gain)."""
        self._gains = {}
        for listener, speaker, gain in gains:
            self._gains.setdefault(listener, {})[speaker] = gain
        self.arrange()

    def announce(self, sound: SoundColumn) -> None:
        """Let all ears hear a sound, after those announced before."""
        self._announcements.append(sound)
        self.arrange()

    def end_announcement(self, sound: SoundColumn) -> None:
        """Go on with the next, or without."""
        self._announcements.remove(sound)
        self.arrange()

    def record(self, tape: Tape) -> None:
        """Let a tape hear the bridge."""
        self._tapes[tape] = None
        self.arrange()

    def stop_recording(self, tape: Tape) -> None:
        """Let it hear no more."""
        self._tapes.pop(tape, None)
        self.arrange()

    def hearers_of_keys(self, leg: MediaLeg) -> list[MediaLeg]:
        """Return who is to hear the keys that a member presses: those who hear its voice."""
        if self._talkers(leg) > KEYS_PASS_BETWEEN or not leg.is_voice or leg.echoes:
            return []
        return [
            other
            for other in self._members.values()
            if other is not leg
            and other.is_ear
            and self._gain(other, leg) > 0
            and (other.playback is None or other.playback.others > 0)
        ]

    def _talkers(self, leg: MediaLeg) -> int:
        """Return how many members `leg` hears, itself among them: who only listens is none."""
        others = (other for other in self._members.values() if other is not leg)
        return 1 + sum(self._gain(leg, other) > 0 for other in others)

    def arrange(self) -> None:
        """Decide anew who is relayed, mixed and tapped.

        What else has changed of a leg must be in force already.
        """
        relayed = self._may_relay()
        members = list(self._members.values())
        others = dict(zip(members, reversed(members), strict=True)) if relayed else {}
        moved = [
            leg
            for leg in members
            if leg.place(
                others.get(leg),
                mixed=not relayed,
                tapped=bool(self._tapes),
                overlaid=not relayed and self._plays_over(leg),
            )
        ]
        for leg in moved:
            leg.route()
        self._widen()
        needed = bool(self._tapes) or (not relayed and bool(members))
        self._matrix.use(self.number, self if needed else None)

    def room(self) -> Room:
        """Return who speaks and who listens now."""
        voices = {
            number: leg.column
            for number, leg in self._members.items()
            if leg.column is not None and leg.is_voice and not leg.echoes
        }
        listeners = [
            self._listener(leg.ear, leg, voices)
            for leg in self._members.values()
            if leg.ear is not None and leg.ear.source is None
        ]
        for tape in self._tapes:
            listeners += self._sides(tape, voices)
        announced = list(self._announcements)[:1]
        return Room(self._rate, (*voices.values(), *announced), tuple(listeners))

    def _listener(
        self, ear: Hashable, leg: MediaLeg, voices: dict[int, VoiceColumn], *, taped: bool = False
    ) -> Listener:
        """Return what a leg hears; of what is played to it, a tape hears words alone."""
        at_once = not taped and leg.ear is not None and leg.ear.at_once
        if leg.playback is None and leg.number not in self._gains:  # nearly all
            return Listener(ear, voices.get(leg.number), leg.is_ear, at_once=at_once)
        sound = leg.playback if leg.overlaid or taped else None
        heard = sound is not None and (sound.spoken or not taped)
        gains = self._gains.get(leg.number, {})
        return Listener(
            ear,
            own=voices.get(leg.number),
            hears=leg.is_ear,
            others=1.0 if leg.playback is None else leg.playback.others,
            gains={voices[number]: gain for number, gain in gains.items() if number in voices},
            extra=(sound,) if sound is not None and heard else (),
            at_once=at_once,
        )

    def _sides(self, tape: Tape, voices: dict[int, VoiceColumn]) -> list[Listener]:
        """Return what a tape hears on its left and on its right."""
        left, right = tape.ears
        if tape.left is None:
            return [Listener(left), Listener(right, hears=False)]
        own = voices.get(tape.left)
        leg = self._members.get(tape.left)
        return [
            Listener(left, hears=False, extra=() if own is None else (own,)),
            Listener(right) if leg is None else self._listener(right, leg, voices, taped=True),
        ]

    def _may_relay(self) -> bool:
        if len(self._members) != 2 or self._announcements:
            return False
        a, b = self._members.values()
        plain = all(
            leg.is_voice and leg.is_ear and not leg.gated and not self._plays_over(leg)
            for leg in (a, b)
        )
        gains = (self._gain(a, b), self._gain(b, a))
        return plain and gains == (1.0, 1.0) and _compatible(a.payload, b.payload)

    def _gain(self, listener: MediaLeg, speaker: MediaLeg) -> float:
        return self._gains.get(listener.number, {}).get(speaker.number, 1.0)

    def _plays_over(self, leg: MediaLeg) -> bool:
        """Tell whether what is played to a leg goes through the matrix.

        It does when others are heard besides, or when it belongs on a recording.
        """
        sound = leg.playback
        if sound is None:
            return False
        taped = any(tape.left == leg.number for tape in self._tapes)
        return sound.others > 0 or (sound.spoken and taped)

    def _widen(self) -> None:
        """Take the rate of the widest codec; a bridge that was wide stays so."""
        codecs = [
            ARRAY_CODECS.get(leg.payload.codec)
            for leg in self._members.values()
            if leg.payload is not None
        ]
        if any(codec is not None and codec.rate > NARROW for codec in codecs):
            self._rate = WIDE


def _compatible(a: PayloadMap | None, b: PayloadMap | None) -> bool:
    """Tell whether one leg's packets, with other numbers, can be the other's.

    Where one has agreed on nothing yet nobody is heard anyway.
    """
    if a is None or b is None:
        return True
    return (a.codec, a.clock, _event_clock(a)) == (b.codec, b.clock, _event_clock(b))


def _event_clock(payload: PayloadMap) -> int | None:
    """Return the clock of a leg's telephone-events, Hz; None where it has none."""
    return None if payload.event_receive is None else payload.event_clock or payload.clock
