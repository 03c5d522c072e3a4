"""One studio process, and the work that waits for it: a render at a time, the urgent ones first.

The process (`python -m pbx.outside.speech.studio`) is started with the first job and ends when it
has been idle for a while, or with us: it reads jobs from a pipe, one line of JSON each, and answers
likewise. One that takes longer than its job may is killed, and the next job starts another: so
whatever goes wrong costs that job only. [io]
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from pbx.errors import Refused

log = logging.getLogger(__name__)

STUDIO: Final = (sys.executable, "-m", "pbx.outside.speech.studio")

IDLE: Final = 600.0
"""Seconds after which a process without work ends: a model takes half a gigabyte."""

STARTING: Final = 30.0
"""Seconds that the start of a process may take, where nobody waits for it."""

DIED: Final = "the process that speaks ended unexpectedly; the log says why"


@dataclass(eq=False, slots=True)
class Job:
    """A file to be made. `order` is what the studio is told, `seconds` how long it may take.

    `done` gets the length of the sound in seconds, or Refused.
    """

    order: dict[str, Any]
    seconds: float
    number: int
    urgent: bool = False
    done: asyncio.Future[float] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def take(self, answer: dict[str, Any]) -> None:
        """Take what the studio says became of it."""
        if "refused" in answer:
            self.done.set_exception(Refused(answer["refused"]))
        else:
            self.done.set_result(float(answer["seconds"]))


class Desk:
    """Jobs of one studio process. `name` is its name in the log; after `idle` seconds without work
    the process ends, None: never."""

    def __init__(
        self, name: str, *, command: Sequence[str] = STUDIO, idle: float | None = IDLE
    ) -> None:
        self._name = name
        self._command = command
        self._idle = idle
        self._numbers = count(1)
        self._waiting: list[Job] = []
        self._running: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._closed = False
        self._ending: set[asyncio.Task[None]] = set()

    def submit(self, order: dict[str, Any], *, seconds: float, urgent: bool) -> Job:
        """Let a file be made; `job.urgent` may still be changed while it waits.

        A job for a closed desk is cancelled at once.
        """
        job = Job(order, seconds, next(self._numbers), urgent)
        if self._closed:
            job.done.cancel()
            return job
        self._waiting.append(job)
        if self._running is None:
            if self._rest is not None:
                self._rest.cancel()
            self._running = asyncio.create_task(self._work(), name=f"studio {self._name}")
        return job

    def warm_up(self) -> None:
        """Start the process before it is needed."""
        job = self.submit({"make": "ready"}, seconds=STARTING, urgent=False)
        job.done.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def in_haste(self) -> int:
        """Return how many urgent jobs are not done."""
        return sum(job.urgent for job in self._waiting)

    async def close(self) -> None:
        """End the process; jobs that are not done never will be."""
        self._closed = True
        if self._rest is not None:
            self._rest.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
        for job in self._waiting:
            job.done.cancel()
        self._end()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _work(self) -> None:
        try:
            while self._waiting:
                job = min(self._waiting, key=lambda each: (not each.urgent, each.number))
                answer = await self._do(job)
                self._waiting.remove(job)
                job.take(answer)
        finally:
            self._running = None
            if self._process is not None and self._idle is not None:
                loop = asyncio.get_running_loop()
                self._rest = loop.call_later(self._idle, self._end)

    async def _do(self, job: Job) -> dict[str, Any]:
        """Do one job. Whatever interrupts it ends the process: its answer would be the next's."""
        answered = False
        try:
            async with asyncio.timeout(job.seconds):
                answer = await self._ask(job.order)
            answered = True
        except TimeoutError:
            answer = {"refused": f"it took longer than {job.seconds:g} s"}
        except (OSError, ValueError) as error:
            log.warning("studio %s: %s", self._name, error)
            answer = {"refused": DIED}
        finally:
            if not answered:
                self._end()
        return answer

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, env=_environment()
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        answer = json.loads(line)  # ValueError where the process died: an empty line
        if not isinstance(answer, dict):
            raise ValueError(f"no answer: {line!r}")
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            ending = asyncio.get_running_loop().create_task(_ended(process))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)


async def _ended(process: Process) -> None:
    """Wait until a process and its pipes are gone: their loop may end soon after."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    await process.stdout.read()
    await process.wait()


def _environment() -> dict[str, str]:
    """Return the environment of the process: one thread, and this checkout where it is one."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    root = Path(__file__).parents[3]
    if root.name not in ("site-packages", "dist-packages"):
        paths = (str(root), environment.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment
