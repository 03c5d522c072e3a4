"""`SpeechStore`: what each saying sounds like, as the source that plays it. [io]

In this order:

1. A saying with a name is the file `sounds/LANGUAGE/NAME.wav` where there is one: that is how `*77`
   records a prompt, and how a built-in phrase is replaced (`sounds/NAME.wav` serves it, too).
2. A path is that file, inside the office's folder.
3. Words are what the best voice of their language rendered. What is not there yet is rendered at
   once; where that takes longer than a caller waits, another voice steps in.
4. Where nothing can speak: recorded words, else a beep. An alarm says what to do, once.

A recording replaces all of a prompt: where its text has values, they are not heard any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from pbx.errors import Refused
from pbx.outside.speech import files
from pbx.outside.speech.cache import Cache, name_of
from pbx.outside.speech.desk import Desk, Job
from pbx.outside.speech.engines import Voice, Wishes, to_install, voices_for
from pbx.outside.speech.recorded import recorded_words
from pbx.speech.saying import Saying

log = logging.getLogger(__name__)

BEEP: Final = "tone:beep"

PATIENCE: Final = 2.0
"""Seconds that a caller waits for a voice before another one speaks."""

LAST_PATIENCE: Final = 5.0
"""The same where nobody else can: then there is a beep."""

HASTE: Final = 2
"""How many texts may be waited for at a slow voice; for more, another one speaks at once."""

RETRY: Final = 60.0
"""Seconds for which a text that could not be rendered is not tried again."""

MAX_WORDS: Final = 4000  # characters in one saying
MASTERING_S: Final = 20.0  # seconds that the levelling of a recorded prompt may take
AT_ONCE: Final = 10  # sayings that are looked after before the loop does something else
PROGRESS: Final = 20  # prompts between two lines of the log


class SpeechStore:
    """Sounds of sayings. `office` is its folder, `folder` where rendered files are kept.

    `now` are seconds since the epoch. `alarm` takes a sentence for the administrator.
    """

    def __init__(
        self,
        office: Path,
        folder: Path,
        wishes: Wishes,
        *,
        now: Callable[[], float],
        alarm: Callable[[str], object] = log.warning,
        desks: tuple[Desk, Desk] | None = None,
    ) -> None:
        self.office = office
        self._sounds = office / "sounds"
        self._wishes = wishes
        self._cache = Cache(folder)
        self._now = now
        self._alarm = alarm
        self._quick, self._neural = desks or (Desk("quick", idle=None), Desk("neural"))
        self._jobs: dict[str, Job] = {}
        self._failed: dict[str, float] = {}
        self._ill: set[tuple[str, str]] = set()
        """Engines and languages that the administrator was told of."""
        self._voices: dict[str, tuple[Voice, ...]] = {}

    async def close(self) -> None:
        """End what renders."""
        await self._quick.close()
        await self._neural.close()

    # -- what calls ask ----------------------------------------------------------------------

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return what plays the sayings; one that cannot be played is a beep."""
        found: list[str] = []
        for saying, order in [(saying, self._begin(saying)) for saying in sayings]:
            found += order if isinstance(order, tuple) else await self._spoken(saying)
        return tuple(found)

    def _begin(self, saying: Saying) -> tuple[str, ...] | None:
        """Return what is there already; else begin to render it, and return None."""
        at_hand = self.at_hand(saying)
        if at_hand is None:
            for voice in self._quick_enough(saying)[:1]:
                self._render(saying, voice, urgent=True)
        return at_hand

    def at_hand(self, saying: Saying) -> tuple[str, ...] | None:
        """Return what plays a saying now; None where it has to be rendered first."""
        if (recording := self.recording_of(saying)) is not None:
            return (f"file:{recording}",)
        if saying.path:
            return (self._file(saying.path),)
        if not saying.words.strip():
            return ()
        for voice in self.voices(saying.language)[:1]:
            name = self._name(saying, voice)
            if self._cache.use(name, self._now()):
                return (f"file:{self._cache.path(name)}",)
        return None

    def recording_of(self, saying: Saying) -> Path | None:
        """Return the office's own recording of a named saying; None: there is none."""
        if not saying.name:
            return None
        found = files.named(self._sounds / saying.language, saying.name)
        if found is None and saying.phrase:
            found = files.named(self._sounds, saying.name)
        return found

    def voices(self, language: str) -> tuple[Voice, ...]:
        """Return who speaks a language here, whom to ask first first."""
        found = self._voices.get(language, ())
        if not found:  # looked for each time: somebody may be installing what the alarm told
            found = self._voices[language] = voices_for(language, self._wishes)
        return found

    def advice(self, language: str) -> str:
        """Return what to do where nobody speaks a language."""
        what = to_install(language, self._wishes)
        return f"nothing here speaks {language}, callers hear a beep; {what}"

    async def _spoken(self, saying: Saying) -> tuple[str, ...]:
        """Return what a saying sounds like once somebody has spoken it."""
        voices = self._quick_enough(saying)
        for voice in voices:
            name = self._name(saying, voice)
            job = self._render(saying, voice, urgent=True)
            if job is not None:
                patience = LAST_PATIENCE if voice is voices[-1] else PATIENCE
                await asyncio.wait((job.done,), timeout=patience)
            if self._cache.has(name):
                return (f"file:{self._cache.path(name)}",)
        return self._unspoken(saying)

    def _quick_enough(self, saying: Saying) -> tuple[Voice, ...]:
        """Return whom to ask while a caller waits: no slow voice that others wait for."""
        voices = self.voices(saying.language)
        if self._neural.in_haste < HASTE:
            return voices
        quick = [
            voice
            for voice in voices
            if not voice.engine.neural or self._name(saying, voice) in self._jobs
        ]
        return tuple(quick) or voices

    def _unspoken(self, saying: Saying) -> tuple[str, ...]:
        """Return what is played where nobody can speak."""
        folder = self._wishes.recorded.get(saying.language)
        if folder is not None:
            words = recorded_words(self.office / folder, saying)
            if words:
                return tuple(f"file:{path}" for path in words)
        if not self.voices(saying.language):
            self._alarm(self.advice(saying.language))
        return (BEEP,)

    def _file(self, path: str) -> str:
        """Return the source of the office's own file."""
        try:
            found = files.inside(self.office, path)
            problem = files.probe(found)
            if problem is None and found.suffix.lower() in files.RAW:
                found = self._wrapped(found)
        except Refused as refused:
            problem = str(refused)
        if problem is not None:
            self._alarm(f"a prompt cannot be played, callers hear a beep: {problem}")
            return BEEP
        return f"file:{found}"

    def _wrapped(self, path: Path) -> Path:
        """Return the WAV file that was made of a raw one; it is made where it is missing."""
        about = path.stat()
        name = name_of("file", str(path), str(about.st_mtime_ns), str(about.st_size))
        if not self._cache.use(name, self._now()):
            self._cache.put(name, files.wrapped(path))
        return self._cache.path(name)

    # -- rendering ---------------------------------------------------------------------------

    async def prepare(self, sayings: Iterable[Saying]) -> None:
        """Render what is missing of a plan's sayings, and keep them all from now on.

        Calls are served meanwhile, and what they need comes first.
        """
        self._voices.clear()
        wanted = dict.fromkeys(saying for saying in sayings if saying.words.strip())
        needed: set[str] = set()
        missing: list[Saying] = []
        for number, saying in enumerate(wanted, 1):
            needed.update(self._name(saying, voice) for voice in self.voices(saying.language)[:1])
            if self.at_hand(saying) is None:
                missing.append(saying)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # each is a look at the disk: calls come first
        self._cache.needed = frozenset(needed)
        self._quick.warm_up()
        if not missing:
            return
        log.info("%d prompts are rendered now", len(missing))
        done = count(1)

        async def one(saying: Saying) -> None:
            await self.render(saying)
            if (number := next(done)) % PROGRESS == 0 or number == len(missing):
                log.info("%d of %d prompts rendered", number, len(missing))

        async with asyncio.TaskGroup() as rendering:
            for number, saying in enumerate(missing, 1):
                rendering.create_task(one(saying))
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)

    def missing(self, sayings: Iterable[Saying]) -> list[Saying]:
        """Return which sayings would have to be rendered, each once."""
        return [saying for saying in dict.fromkeys(sayings) if self.at_hand(saying) is None]

    async def render(self, saying: Saying) -> bool:
        """Render one saying by the first voice that can; tell whether one could."""
        for voice in self.voices(saying.language):
            job = self._render(saying, voice, urgent=False)
            if job is not None:
                await asyncio.wait((job.done,))
            if self._cache.has(self._name(saying, voice)):
                return True
        if not self.voices(saying.language):
            self._unspoken(saying)
        return False

    def _render(self, saying: Saying, voice: Voice, *, urgent: bool) -> Job | None:
        """Let a voice speak unless it does already or did; None: there is nothing to wait for."""
        name = self._name(saying, voice)
        if name in self._jobs:
            job = self._jobs[name]
            job.urgent = job.urgent or urgent
            return job
        if self._cache.has(name) or self._now() < self._failed.get(name, 0.0) + RETRY:
            return None
        order = {
            "make": voice.engine.name,
            "language": saying.language,
            "voice": voice.name,
            "words": saying.words[:MAX_WORDS],
            "speed": self._wishes.speed,
            "url": self._wishes.url,
            "office": str(self.office),
            "path": str(self._cache.path(name)),
        }
        self._cache.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        desk = self._neural if voice.engine.neural else self._quick
        job = desk.submit(order, seconds=voice.engine.seconds, urgent=urgent)
        self._jobs[name] = job
        job.done.add_done_callback(lambda done: self._rendered(name, saying, voice, done))
        return job

    def _rendered(
        self, name: str, saying: Saying, voice: Voice, done: asyncio.Future[float]
    ) -> None:
        del self._jobs[name]
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            return
        now = self._now()
        self._failed = {key: at for key, at in self._failed.items() if now < at + RETRY}
        self._failed[name] = now
        log.info("%s did not say %r: %s", voice.engine.name, saying.name or "a text", error)
        who = (voice.engine.name, saying.language)
        if who not in self._ill:
            self._ill.add(who)
            self._alarm(f"{voice.engine.name} could not speak {saying.language}: {error}")

    def _name(self, saying: Saying, voice: Voice) -> str:
        engine = voice.engine
        where = (self._wishes.url or "") if engine.name == "http" else ""
        what = (voice.name, saying.language, str(self._wishes.speed), saying.words)
        return name_of(engine.name, where, *what)

    # -- housekeeping, and prompts recorded by phone -------------------------------------------

    def forget(self, now: float) -> None:
        """Delete rendered files that nobody needs (`now`: seconds since the epoch)."""
        with suppress(OSError):
            self._cache.forget(now)

    async def keep_prompt(self, note: str, language: str, name: str) -> None:
        """Make a recording (the source that plays it) the office's own of a prompt.

        It is trimmed and levelled like all others. Raises Refused.
        """
        path = self._sounds / language / f"{name}.wav"
        if files.inside(self._sounds, f"{language}/{name}.wav") != path.resolve():
            raise Refused(f'"{name}" is no name of a prompt')
        path.parent.mkdir(parents=True, exist_ok=True)
        order = {"make": "recording", "from": note.removeprefix("file:"), "path": str(path)}
        job = self._quick.submit(order, seconds=MASTERING_S, urgent=True)
        seconds = await job.done
        log.info("prompt %s was recorded in %s: %.1f s", name, language, seconds)
