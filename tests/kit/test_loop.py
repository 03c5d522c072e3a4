"""The virtual event loop that all flow tests stand on."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tests.kit.clock import MORNING, VirtualClock
from tests.kit.loop import Deadlock, LeftOver, OutOfTime, cancel_everywhere, run


def test_an_hour_takes_no_time_and_is_exact() -> None:
    clock = VirtualClock()
    started = time.perf_counter()

    async def wait_an_hour() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run(wait_an_hour(), clock=clock) == 1000.0 + 3600.0
    assert clock.wall() == MORNING + 3600.0
    assert time.perf_counter() - started < 5


def test_timers_fire_in_order_of_time() -> None:
    async def collect() -> list[float]:
        loop = asyncio.get_running_loop()
        fired: list[float] = []
        for delay in (3.0, 0.5, 31.5, 1.5):
            loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(40)
        return fired

    assert run(collect()) == [0.5, 1.5, 3.0, 31.5]


def test_a_deadlock_names_the_task_and_the_line() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"main: .*test_loop\.py:\d+"):
        run(wait_for_nobody())


def test_a_timeout_is_no_deadlock() -> None:
    async def give_up() -> str:
        try:
            async with asyncio.timeout(32):
                await asyncio.Event().wait()
        except TimeoutError:
            return "gave up"
        return "never"

    assert run(give_up()) == "gave up"


def test_a_scenario_that_never_ends_is_stopped() -> None:
    async def tick() -> None:
        while True:
            await asyncio.sleep(60)

    with pytest.raises(OutOfTime):
        run(tick(), limit=3600)


def test_tasks_left_over_are_an_error() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def leave_one() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(5), name="forgotten"))

    with pytest.raises(LeftOver, match="forgotten"):
        run(leave_one())


def test_an_error_that_only_a_callback_saw_is_raised() -> None:
    async def fail_in_a_callback() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    with pytest.raises(BaseExceptionGroup) as failure:
        run(fail_in_a_callback())
    assert failure.group_contains(ZeroDivisionError)


def test_threads_and_sockets_are_refused() -> None:
    async def use_a_thread() -> None:
        await asyncio.to_thread(threading.get_ident)

    async def use_a_socket() -> None:
        await asyncio.open_connection("127.0.0.1", 5060)

    with pytest.raises(RuntimeError, match="no threads"):
        run(use_a_thread())
    with pytest.raises(NotImplementedError):
        run(use_a_socket())


def test_cancelling_everywhere_tries_each_await_once() -> None:
    outcomes: list[str] = []

    async def three_awaits() -> None:
        outcomes.append("")
        try:
            for step in "abc":
                await asyncio.sleep(1)
                outcomes[-1] += step
        finally:
            outcomes[-1] += "."

    assert cancel_everywhere(three_awaits) == 3
    assert outcomes == ["abc.", ".", "a.", "ab."]


def test_cancelling_everywhere_can_aim_at_tasks_by_name() -> None:
    async def actor() -> None:
        script = asyncio.create_task(asyncio.sleep(1), name="script 1")
        await asyncio.wait([script])

    assert cancel_everywhere(actor, tasks="script *") == 1


def test_cancelling_everywhere_finds_what_is_left_over() -> None:
    async def orphan() -> None:
        child = asyncio.create_task(asyncio.sleep(60), name="orphan")
        await asyncio.sleep(1)
        child.cancel()
        await asyncio.wait([child])

    with pytest.raises(LeftOver) as failure:
        cancel_everywhere(orphan)
    assert "await 1 of 2" in failure.value.__notes__[0]
