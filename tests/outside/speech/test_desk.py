"""The studio process: one job at a time, and whatever goes wrong costs that job only."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pbx.errors import Refused
from pbx.outside.speech.desk import DIED, Desk, Job
from tests.outside.speech.kit import desk


def at_desk(folder: Path, scenario: Callable[[Desk], Awaitable[None]]) -> list[str]:
    """Run a scenario at a desk; return the words that reached the studio."""
    notes = folder / "orders"

    async def ran() -> None:
        made = desk(notes)
        try:
            await scenario(made)
        finally:
            await made.close()

    asyncio.run(ran())
    lines = notes.read_text().splitlines() if notes.exists() else []
    return [json.loads(line)["words"] for line in lines]


def order(
    made: Desk, folder: Path, words: str, *, seconds: float = 5.0, urgent: bool = False
) -> Job:
    """Submit a job."""
    said = {"words": words, "path": str(folder / "out.wav")}
    return made.submit(said, seconds=seconds, urgent=urgent)


def test_a_job_is_done_and_says_how_long_it_is(tmp_path: Path) -> None:
    async def scenario(made: Desk) -> None:
        assert await order(made, tmp_path, "one").done == 0.1

    assert at_desk(tmp_path, scenario) == ["one"]


def test_urgent_jobs_come_first_also_those_that_become_urgent(tmp_path: Path) -> None:
    async def scenario(made: Desk) -> None:
        jobs = [order(made, tmp_path, words) for words in ("first", "second", "third")]
        jobs.append(order(made, tmp_path, "urgent", urgent=True))
        jobs[2].urgent = True
        await asyncio.wait([job.done for job in jobs])

    assert at_desk(tmp_path, scenario) == ["third", "urgent", "first", "second"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("FAIL", "the voice is hoarse"), ("DIE", DIED), ("HANG", "it took longer than 0.3 s")],
)
def test_what_goes_wrong_costs_that_job_only(tmp_path: Path, words: str, sentence: str) -> None:
    async def scenario(made: Desk) -> None:
        bad = order(made, tmp_path, words, seconds=0.3 if words == "HANG" else 5.0)
        good = order(made, tmp_path, "good")
        assert await good.done == 0.1
        with pytest.raises(Refused, match=sentence):
            await bad.done

    assert at_desk(tmp_path, scenario) == [words, "good"]


def test_a_studio_that_cannot_be_started_refuses(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = Desk("test", command=("/nowhere/python",))
        with pytest.raises(Refused, match="ended unexpectedly"):
            await order(made, tmp_path, "one").done
        await made.close()

    asyncio.run(scenario())


def test_an_idle_studio_ends_and_is_started_again(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = (
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        f"    open({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\n"
        "    print(json.dumps({'seconds': 1}), flush=True)\n"
    )

    async def scenario() -> None:
        made = Desk("test", command=(sys.executable, "-S", "-E", "-c", program), idle=0.0)
        await order(made, tmp_path, "one").done
        while made._process is not None or made._ending:
            await asyncio.sleep(0)
        await order(made, tmp_path, "two").done
        await made.close()

    asyncio.run(scenario())
    first, second = pids.read_text().split()
    assert first != second


def test_a_closed_desk_takes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    async def scenario(made: Desk) -> None:
        waiting = [order(made, tmp_path, "HANG"), order(made, tmp_path, "later")]
        await asyncio.sleep(0)
        await made.close()
        assert all(job.done.cancelled() for job in (*waiting, order(made, tmp_path, "too late")))

    assert at_desk(tmp_path, scenario) in ([], ["HANG"])
