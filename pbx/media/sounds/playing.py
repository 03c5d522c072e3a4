"""What is played to legs and announced in bridges.

A playback's end is noticed in the middle of a tick, by whoever asked it for more; what follows from
it — the leg hears others again, `PlaybackDone` goes out — waits for the tick's own end (`advance`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pbx.errors import Refused
from pbx.media.codecs.registry import ARRAY_CODECS
from pbx.media.mixing.bridge import Bridge
from pbx.media.mixing.column import SoundColumn
from pbx.media.mixing.leg import MediaLeg
from pbx.media.protocol import Announce, AnyWorkerEvent, Play, PlaybackDone, StopPlaying
from pbx.media.sounds.playback import Playback
from pbx.media.sounds.store import SoundStore

_SPOKEN: Final = "file:"
"""Sources that recordings have too."""

_ANNOUNCEMENT: Final = -1  # announcements have no number of signalling's

End = tuple[SoundColumn, str | None]


class Playing:
    """All that is played in one worker.

    `arrange(leg)` lets a leg's bridge decide anew.
    """

    def __init__(
        self,
        post: Callable[[AnyWorkerEvent], None],
        arrange: Callable[[MediaLeg], None],
        sounds: SoundStore,
    ) -> None:
        self._post = post
        self._arrange = arrange
        self._sounds = sounds
        self._legs: dict[SoundColumn, MediaLeg] = {}
        self._bridges: dict[SoundColumn, Bridge] = {}
        self._ended: list[End] = []

    @property
    def music_frames(self) -> int:
        """Return how many payloads of music were coded since the start."""
        return self._sounds.music_frames

    @property
    def active(self) -> bool:
        """Return whether anything is played, heard or not."""
        return bool(self._legs or self._bridges)

    def play(self, leg: MediaLeg, command: Play) -> None:
        """Play to a leg; what it hears now ends."""
        self.stop(leg)
        try:
            _check_playable(leg, command.sources)
            playback = self._open(
                command.playback, command.sources, loop=command.loop, others=command.others
            )
        except Refused as refusal:
            self._post(PlaybackDone(command.leg, command.playback, False, str(refusal)))
            return
        sound = SoundColumn(
            playback,
            self._note_end,
            spoken=any(source.startswith(_SPOKEN) for source in command.sources),
            stops_on_key=command.stop_on_key,
        )
        self._legs[sound] = leg
        leg.play(sound)
        self._arrange(leg)

    def announce(self, bridge: Bridge, command: Announce) -> None:
        """Play to all ears of a bridge, after what was announced before; raises Refused."""
        sound = SoundColumn(self._open(_ANNOUNCEMENT, command.sources), self._note_end, spoken=True)
        self._bridges[sound] = bridge
        bridge.announce(sound)

    def stop(self, leg: MediaLeg, command: StopPlaying | None = None) -> None:
        """End what is played to a leg; of a command, only the playback that it names."""
        sound = leg.playback
        if sound is not None and (command is None or command.playback == sound.number):
            self._end(sound, finished=False)

    def stop_on_key(self, leg: MediaLeg) -> None:
        """End what a leg's key is to end."""
        if leg.playback is not None and leg.playback.stops_on_key:
            self.stop(leg)

    def check(self, leg: MediaLeg) -> None:
        """End what is played to a leg that agreed on a codec in which it cannot be."""
        if leg.playback is None:
            return
        try:
            _check_playable(leg, ("a sound",))
        except Refused as refusal:
            self._end(leg.playback, finished=False, error=str(refusal))

    def forget(self, bridge: Bridge) -> None:
        """Announce nothing more in a bridge that has ended."""
        for sound in [sound for sound, where in self._bridges.items() if where is bridge]:
            del self._bridges[sound]

    def begin_tick(self) -> None:
        """Let live music go on."""
        self._sounds.advance()

    def end_tick(self) -> None:
        """Let time pass for those who hear nothing now, and carry out what ended."""
        for sound in self._legs:
            sound.pass_by()
        ended, self._ended = self._ended, []
        for sound, error in ended:
            self._end(sound, finished=error is None, error=error)

    def _open(
        self, number: int, sources: Sequence[str], *, loop: bool = False, others: float = 1.0
    ) -> Playback:
        sounds = [self._sounds.open(source) for source in sources]
        return Playback(number, sounds, loop=loop, others=others)

    def _note_end(self, sound: SoundColumn, error: str | None) -> None:
        self._ended.append((sound, error))

    def _end(self, sound: SoundColumn, *, finished: bool, error: str | None = None) -> None:
        leg, bridge = self._legs.pop(sound, None), self._bridges.pop(sound, None)
        if leg is not None:
            leg.play(None)
            self._arrange(leg)
            self._post(PlaybackDone(leg.number, sound.number, finished, error))
        elif bridge is not None:
            bridge.end_announcement(sound)


def _check_playable(leg: MediaLeg, sources: Sequence[str]) -> None:
    """Refuse what a leg cannot hear in its codec, or before it has one."""
    what = ", ".join(source.removeprefix(_SPOKEN) for source in sources)
    if leg.payload is None:
        raise Refused(f"{what} cannot be played before a codec is agreed on")
    if leg.payload.codec not in ARRAY_CODECS:
        raise Refused(f"{what} cannot be played in {leg.payload.codec}")
