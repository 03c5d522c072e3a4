"""The process that checks dialplans: it answers, it dies, it hangs, it leaves."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from pbx.dialplan.checker import Checker
from pbx.dialplan.question import Question
from pbx.errors import Refused

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def question(tmp_path: Path) -> Question:
    """Ask about a dialplan that is fine."""
    path = tmp_path / "dialplan.yaml"
    path.write_text('version: 1\nnumbers:\n  "4001": ext:101\n')
    return Question(path)


def process_of(checker: Checker) -> Process:
    assert checker._process is not None
    return checker._process


async def is_fine(checker: Checker, question: Question) -> bool:
    return bool((await checker.ask(question)).pieces)


def test_one_process_answers_all_and_ends_when_it_is_closed(question: Question) -> None:
    async def scenario() -> None:
        checker = Checker()
        assert all(await asyncio.gather(*(is_fine(checker, question) for _ in range(3))))
        process = process_of(checker)
        assert await is_fine(checker, question)
        assert process_of(checker) is process
        await checker.close()
        assert process.returncode is not None

    asyncio.run(scenario())


def test_one_that_dies_is_told_and_the_next_one_answers(question: Question) -> None:
    async def scenario() -> None:
        checker = Checker()
        assert await is_fine(checker, question)
        os.kill(process_of(checker).pid, signal.SIGSTOP)
        asking = asyncio.create_task(checker.ask(question))
        await asyncio.sleep(0)
        process_of(checker).kill()
        with pytest.raises(Refused, match="broke off; the log says why"):
            await asking
        assert await is_fine(checker, question)
        await checker.close()

    asyncio.run(scenario())


def test_one_that_hangs_is_ended(question: Question) -> None:
    async def scenario() -> None:
        checker = Checker()
        assert await is_fine(checker, question)
        process = process_of(checker)
        os.kill(process.pid, signal.SIGSTOP)
        checker._longest = 0.1
        with pytest.raises(Refused, match=r"took longer than 0\.1 s"):
            await checker.ask(question)
        assert process.returncode is not None

    asyncio.run(scenario())


def test_it_leaves_when_nobody_asks(question: Question) -> None:
    async def scenario() -> None:
        checker = Checker(idle=0.01)
        assert await is_fine(checker, question)
        await process_of(checker).wait()
        await checker.close()

    asyncio.run(scenario())


def test_who_gives_up_waiting_leaves_nothing_half_said(question: Question) -> None:
    async def scenario() -> None:
        checker = Checker()
        assert await is_fine(checker, question)
        process = process_of(checker)
        asking = asyncio.create_task(checker.ask(question))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait((asking,))
        assert process.returncode is not None
        assert await is_fine(checker, question)
        await checker.close()

    asyncio.run(scenario())
