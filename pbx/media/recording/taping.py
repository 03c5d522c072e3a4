"""The recordings of one worker: commands of signalling on one side, files and bridges on the other.

A recording hears its bridge from the next tick on and keeps it alive. Ticks that the loop had to
leave out are silence in every recording, so that each stays aligned with the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pbx.media.mixing.bridge import Bridge
from pbx.media.mixing.tick import TickLoop
from pbx.media.protocol import PauseRecording, Record, RecordingDone, StopRecording
from pbx.media.recording.record import Recording
from pbx.media.recording.tape import Tape
from pbx.media.recording.writer import RecordingWriter


@dataclass(frozen=True, slots=True)
class Taped:
    """A recording that goes on, as its bridge hears it."""

    recording: Recording
    tape: Tape
    bridge: Bridge


class Taping:
    """All that is recorded in one worker.

    `bridge_ended(bridge)` is called when a recording was the last that held one.
    """

    def __init__(
        self,
        loop: TickLoop,
        post: Callable[[RecordingDone], None],
        bridge_ended: Callable[[Bridge], None],
    ) -> None:
        self._loop = loop
        self._post = post
        self._bridge_ended = bridge_ended
        self._writer: RecordingWriter | None = None
        self._taped: dict[int, Taped] = {}
        self._skipped = 0

    def record(self, bridge: Bridge, command: Record) -> None:
        """Begin to record a bridge."""
        if command.recording in self._taped:
            return
        stereo, format = command.left is not None, command.format
        track = self._open_writer().open(
            command.recording, command.path, format=format, stereo=stereo
        )
        recording = Recording(command.recording, track, format=format, stereo=stereo)
        tape = Tape(recording, command.left)
        self._skipped = self._loop.skipped_ticks if not self._taped else self._skipped
        self._taped[command.recording] = Taped(recording, tape, bridge)
        bridge.record(tape)

    def pause(self, command: PauseRecording) -> None:
        """Record silence, or sound again."""
        if taped := self._taped.get(command.recording):
            taped.recording.pause(command.paused)

    def stop(self, command: StopRecording) -> None:
        """Complete a file; `RecordingDone` follows once it is."""
        self._end(command.recording)

    def catch_up(self) -> None:
        """Record silence for the ticks that were left out since this was called last."""
        skipped = self._loop.skipped_ticks - self._skipped
        if skipped:
            self._skipped += skipped
            for taped in self._taped.values():
                taped.recording.skip(skipped)

    def close(self) -> None:
        """Complete all files, as far as the disk takes them now."""
        for number in tuple(self._taped):
            self._end(number)
        if self._writer is not None:
            self._loop.forget(self._writer.watch)
            self._writer.close()

    def _open_writer(self) -> RecordingWriter:
        if self._writer is None:
            self._writer = RecordingWriter()
            self._loop.watch(self._writer.watch, self._report)
        return self._writer

    def _report(self, now: float) -> None:
        """Tell what became of recordings; one that failed by itself is heard no longer."""
        if self._writer is not None:
            for done in self._writer.finished():
                self._end(done.recording)
                self._post(done)

    def _end(self, number: int) -> None:
        taped = self._taped.pop(number, None)
        if taped is None:
            return
        taped.recording.stop()
        taped.bridge.stop_recording(taped.tape)
        if taped.bridge.ended:
            self._bridge_ended(taped.bridge)
