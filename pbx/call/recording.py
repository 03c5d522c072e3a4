"""Recordings of calls and rooms: they follow the bridge, whoever comes and goes on it.

A recording is known here from its start until the worker says that its file is complete. Everything
that happens to it is an event: for the index, which hears all of them, and for the calls whose
records name it. A pause ends by itself after `LONGEST_PAUSE`, so that nobody who forgets it loses a
conversation. Files are named by us alone: the day, the call's id and a number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from pbx.call.note import Dictated, Note
from pbx.errors import NotFound, Refused
from pbx.events import (
    RecordingEnded,
    RecordingEvent,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
)
from pbx.events.bus import Clock
from pbx.media.engine import MediaEngine
from pbx.media.protocol import (
    PauseRecording,
    Record,
    RecordingDone,
    RecordingFormat,
    StopRecording,
)

if TYPE_CHECKING:
    from pbx.call.bridge import Bridge
    from pbx.call.call import Call
    from pbx.call.leg import Leg

log = logging.getLogger(__name__)

LONGEST_PAUSE = 120.0
"""Seconds after which a paused recording goes on by itself."""

STARTED_TONE = ("tone:beep",)
STOPPED_TONE = ("tone:beep", "silence:150", "tone:beep")
REFUSED_TONE = ("tone:leave",)
"""What a party hears who keyed the code."""

FINISHING = 0.5
"""Seconds that files may take to be completed when the server ends."""

WORKER_DIED = "the media worker died"

NOT_WHOLE = (
    "recordings are not whole, because the disk is full, broken or too slow; "
    "callpbx recording list shows which"
)

_SUFFIXES: dict[RecordingFormat, str] = {"ulaw": "wav", "pcm": "wav", "opus": "opus"}


class Index(Protocol):
    """Where every recording is entered; `pbx.recordings` keeps it."""

    def take(self, event: RecordingEvent, at: float) -> None:
        """Note what happened to a recording at `at`, seconds since the epoch."""


class Recording:
    """One recording that goes on. `number` names it to the worker, `id` to everybody else."""

    def __init__(
        self, recordings: Recordings, bridge: Bridge, call: Call, *, number: int, id: str
    ) -> None:
        self.number = number
        self.id = id
        self.bridge = bridge
        self.worker = bridge.worker
        self.calls = [call]
        """The calls whose records name it; the first is the one it is named after."""
        self.file = ""
        self.paused = False
        """Whether it records silence now."""
        self.stopping = False
        self._pause_wished = self._hushed = False
        self._recordings = recordings
        self._resume: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Record silence, for `LONGEST_PAUSE` seconds at most; said again, it begins anew."""
        if self.stopping:
            return
        self._forget_pause()
        self._resume = asyncio.get_running_loop().call_later(
            LONGEST_PAUSE, lambda: self._go_on(by_itself=True)
        )
        self._pause_wished = True
        self._settle()

    def resume(self) -> None:
        """Record sound again; without effect where it is not paused."""
        self._go_on(by_itself=False)

    def hush(self, on: bool) -> None:
        """Record silence, however long a secret is being keyed, or no longer."""
        self._hushed = on
        self._settle()

    def stop(self) -> None:
        """Complete the file; without effect when that was said before."""
        if not self.stopping:
            self.stopping = True
            self._forget_pause()
            self.bridge.send(StopRecording(self.number))

    def name_in(self, call: Call) -> None:
        """Let the record of another call, one in the same room, name it too."""
        if call not in self.calls:
            self.calls.append(call)
            call.emit(self.started(call.id))

    def started(self, call: str) -> RecordingStarted:
        """Return the event of its start, as `call` sees it."""
        format = self._recordings.format
        return RecordingStarted(call=call, recording=self.id, file=self.file, format=format)

    def emit(self, event: RecordingEvent) -> None:
        """Tell the index and all calls that are concerned; `event.call` is filled in."""
        self._recordings.tell(self, event)

    def ended(self, event: RecordingDone | None) -> None:
        """Note what became of the file; None where its worker died."""
        self.stopping = True
        self._forget_pause()
        if event is None:
            self.emit(RecordingEnded(call="", recording=self.id, error=WORKER_DIED))
        else:
            self.emit(
                RecordingEnded(
                    call="",
                    recording=self.id,
                    seconds=round(event.seconds, 3),
                    octets=event.octets,
                    sha256=event.sha256 or None,
                    error=event.error,
                )
            )

    def _go_on(self, *, by_itself: bool) -> None:
        self._forget_pause()
        self._pause_wished = False
        self._settle(by_itself=by_itself)

    def _settle(self, *, by_itself: bool = False) -> None:
        """Let the worker and everybody know when sound becomes silence, or silence sound."""
        paused = self._pause_wished or self._hushed
        if paused == self.paused or self.stopping:
            return
        self.paused = paused
        self.bridge.send(PauseRecording(self.number, paused))
        if paused:
            self.emit(RecordingPaused(call="", recording=self.id))
        else:
            self.emit(RecordingResumed(call="", recording=self.id, by_itself=by_itself))

    def _forget_pause(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None


class Recordings:
    """All recordings that go on. `folder` is where their files are, as the workers see it, and
    `notes_folder` where those of notes are.

    `refused` may be set to a sentence: no recording is started while it is.
    """

    def __init__(
        self,
        engine: MediaEngine,
        index: Index,
        *,
        clock: Clock,
        folder: str,
        notes_folder: str,
        format: RecordingFormat = "ulaw",
        alarm: Callable[[str], object] = log.warning,
    ) -> None:
        self.format: RecordingFormat = format
        self.refused: str | None = None
        self._engine = engine
        self._index = index
        self._clock = clock
        self._folder = folder
        self._notes_folder = notes_folder
        self._alarm = alarm
        self._live: dict[int, Recording] = {}
        self._notes: dict[int, Note] = {}
        self._hushed: list[Bridge] = []
        """Bridges on which secrets are being keyed now, once for each."""
        self._wanted: set[Call] = set()
        """Calls to be recorded from their answer on."""
        self._over = asyncio.Event()

    def __len__(self) -> int:
        """Return how many recordings and notes are not complete yet."""
        return len(self._live) + len(self._notes)

    def start(self, bridge: Bridge, call: Call, *, left: Leg | None = None) -> Recording:
        """Record a bridge: `left` on the left, what it hears on the right; else the sum of all.

        `call` is the one that it is named after; its record names it. Raises Refused.
        """
        if self.refused is not None:
            raise Refused(self.refused)
        if not bridge.placed:
            raise Refused("nobody is there to be recorded yet")
        number = self._engine.next_bridge()
        call.recorded += 1
        recording = Recording(self, bridge, call, number=number, id=f"{call.id}-{call.recorded}")
        day = datetime.fromtimestamp(self._clock.wall(), UTC)
        recording.file = f"{day:%Y/%m/%d}/{recording.id}.{_SUFFIXES[self.format]}"
        self._live[number] = recording
        recording.emit(recording.started(""))  # the row comes before the file
        bridge.send(
            Record(
                number,
                bridge.number,
                f"{self._folder}/{recording.file}",
                left.id if left is not None else None,
                self.format,
            )
        )
        self._hush(bridge)
        return recording

    def note(self, bridge: Bridge, name: str) -> Note:
        """Take down what is said on a bridge, into a file that is in no index: a caller's name."""
        return self._take_down(bridge, f"{self._notes_folder}/{name}.wav", None, None)

    def dictate(self, call: Call, path: str, *, then: Callable[[Dictated], None]) -> Note:
        """Take down what is said on a call's own bridge into the file at `path`.

        `then` is told once what became of it, whatever becomes of the call; the call's record
        waits for that as it does for figures.
        """
        return self._take_down(call.bridge, path, call, then)

    def _take_down(
        self,
        bridge: Bridge,
        path: str,
        call: Call | None,
        then: Callable[[Dictated], None] | None,
    ) -> Note:
        number = self._engine.next_bridge()
        note = self._notes[number] = Note(number, bridge, path, call, then)
        bridge.send(Record(number, bridge.number, path))
        return note

    def of(self, bridge: Bridge) -> list[Recording]:
        """Return the recordings of a bridge that go on, oldest first."""
        return [each for each in self._live.values() if each.bridge is bridge and not each.stopping]

    def find(self, id: str) -> Recording:
        """Return the recording that goes on; raises NotFound."""
        for recording in self._live.values():
            if recording.id == id and not recording.stopping:
                return recording
        raise NotFound(f"no recording {id} is going on")

    @contextmanager
    def hushed(self, bridge: Bridge | None) -> Iterator[None]:
        """Record silence on a bridge within the block, also by recordings that begin in it: a
        secret is keyed. None for a party that is on none."""
        if bridge is None:
            yield
            return
        self._hushed.append(bridge)
        self._hush(bridge)
        try:
            yield
        finally:
            self._hushed.remove(bridge)
            self._hush(bridge)

    def _hush(self, bridge: Bridge) -> None:
        for recording in self.of(bridge):
            recording.hush(bridge in self._hushed)

    def begin(self, call: Call) -> Recording:
        """Record a call with its customer on the left; the recording that goes on, if one does.

        What the customer hears is on the right: the agent, but no supervisor who whispers. Raises
        Refused.
        """
        if going_on := self.of(call.bridge):
            return going_on[0]
        if call.ending is not None:
            raise Refused(f"call {call.id} is ending")
        customer = call.customer
        if customer is None or customer.bridge is not call.bridge:
            raise Refused(f"nobody talks in call {call.id} who could be recorded")
        return self.start(call.bridge, call, left=customer)

    def want(self, call: Call) -> None:
        """Record a call as soon as its caller can be heard; what cannot be done is logged."""
        caller = call.caller
        self._wanted.add(call)
        if not caller.media.open:
            return
        self._wanted.discard(call)
        if caller.bridge is None:
            call.bridge.add(caller)
        try:
            self.begin(call)
        except Refused as refusal:
            log.warning("call %s is not recorded: %s", call.id, refusal)

    def unwant(self, call: Call) -> None:
        """Record a call no longer, nor from its answer on."""
        self._wanted.discard(call)
        for recording in self.of(call.bridge):
            recording.stop()

    def answered(self, call: Call) -> None:
        """Begin what waited for the call's answer."""
        if call in self._wanted:
            self.want(call)

    def toggle(self, leg: Leg) -> None:
        """Begin to record the call of the leg, or stop, as `*1` does; both sides hear a tone."""
        call = leg.call
        if going_on := self.of(call.bridge):
            for recording in going_on:
                recording.stop()
            call.bridge.announce(*STOPPED_TONE)
            return
        try:
            self.begin(call)
        except Refused as refusal:
            log.warning("call %s is not recorded: %s", call.id, refusal)
            call.bridge.announce(*REFUSED_TONE)
        else:
            call.bridge.announce(*STARTED_TONE)

    def done(self, worker: int, event: RecordingDone) -> None:
        """Take what the worker says became of a file."""
        note = self._notes.pop(event.recording, None)
        if note is not None:
            self._over.set()
            note.over(event)
        recording = self._live.get(event.recording)
        if recording is not None and recording.worker == worker:
            self._end(recording, event)
            if event.error:
                log.warning("recording %s: %s", recording.id, event.error)
                self._alarm(NOT_WHOLE)

    def worker_lost(self, worker: int) -> None:
        """Note that the recordings of a worker ended with it."""
        for recording in tuple(self._live.values()):
            if recording.worker == worker:
                self._end(recording, None)
        for note in tuple(self._notes.values()):
            if note.bridge.worker == worker:
                del self._notes[note.number]
                note.over(RecordingDone(note.number, 0.0, 0, "", WORKER_DIED))

    async def finish(self) -> None:
        """Complete all that goes on, for the end of the server; at most `FINISHING` seconds."""
        for recording in tuple(self._live.values()):
            recording.stop()
        try:
            async with asyncio.timeout(FINISHING):
                while len(self):
                    self._over.clear()
                    await self._over.wait()
        except TimeoutError:
            log.warning("%d recordings are not complete yet", len(self))

    def awaited_by(self, call: Call) -> bool:
        """Tell whether a file of the call's own bridge is still being completed."""
        return any(each.bridge is call.bridge for each in self._live.values()) or any(
            note.call is call for note in self._notes.values()
        )

    def tell(self, recording: Recording, event: RecordingEvent) -> None:
        """Give an event to the index and to the calls whose records name the recording."""
        first, *others = (_of_call(event, call) for call in recording.calls)
        self._index.take(first, self._clock.wall())
        for call, named in zip(recording.calls, (first, *others), strict=True):
            call.emit(named)

    def _end(self, recording: Recording, event: RecordingDone | None) -> None:
        del self._live[recording.number]
        self._over.set()
        recording.ended(event)
        for call in recording.calls:
            call.figures_in()


def _of_call(event: RecordingEvent, call: Call) -> RecordingEvent:
    return replace(event, call=call.id)
