"""The server's side of the process that checks dialplans. [io]

Reading and rehearsing a large dialplan takes half a second of computing, which calls must not wait
for; so a process of its own does it. It takes a while to start. Therefore it stays for a minute
after its last answer, and who reloads again and again waits for the check alone.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Final

from pbx.dialplan.question import Answer, Question
from pbx.errors import Refused

IDLE: Final = 60.0
"""Seconds without a question after which the process ends."""

LONGEST: Final = 60.0
"""Seconds that an answer may take."""

NICENESS: Final = 10
"""By how much the process gives way to others (nice(2))."""

HEAD: Final = struct.Struct("!Q")
"""What stands before each question and answer: its length in bytes."""


class Checker:
    """A process that answers one question at a time, started when the first one is asked."""

    def __init__(self, *, idle: float = IDLE, longest: float = LONGEST) -> None:
        self._idle = idle
        self._longest = longest
        self._process: Process | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, question: Question) -> Answer:
        """Return the answer. Raises Refused where none comes, or not in time."""
        async with self._turn:
            if self._leaving is not None:
                self._leaving.cancel()
            answer: Answer | None = None
            try:
                async with asyncio.timeout(self._longest):
                    answer = await self._asked(question)
            except TimeoutError:
                sentence = f"the check of the dialplan took longer than {self._longest:g} s"
                raise Refused(sentence) from None
            except (EOFError, ConnectionError) as error:
                sentence = "the check of the dialplan broke off; the log says why"
                raise Refused(sentence) from error
            finally:
                if answer is None:  # nobody knows what the pipes hold
                    await self._end()
            self._leaving = asyncio.create_task(self._leave(), name="dialplan checker")
            return answer

    async def close(self) -> None:
        """End the process."""
        if self._leaving is not None:
            self._leaving.cancel()
        await self._end()

    async def _asked(self, question: Question) -> Answer:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pbx.dialplan", stdin=PIPE, stdout=PIPE
            )
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        payload = pickle.dumps(question)
        questions.write(HEAD.pack(len(payload)) + payload)
        await questions.drain()
        (length,) = HEAD.unpack(await answers.readexactly(HEAD.size))
        answer = pickle.loads(await answers.readexactly(length))
        assert isinstance(answer, Answer)
        return answer

    async def _leave(self) -> None:
        await asyncio.sleep(self._idle)
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
