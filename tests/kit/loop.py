"""An asyncio event loop whose time jumps to the next timer when nothing is ready.

A day of waiting takes milliseconds and the same test gives the same order every time. There are no
sockets and no threads: what tries to use one gets an error. When nothing is ready and no timer is
set, nobody can ever wake anybody: `Deadlock` names the tasks and the lines they wait in.

    run(scenario())                                    one scenario, nothing may be left over
    cancel_everywhere(scenario, tasks="call *")      the scenario once per await, cancelled there
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Never, TypeVar

from tests.kit.clock import VirtualClock

T = TypeVar("T")

_ASYNCIO = str(Path(asyncio.__file__).parent)

LIMIT = 24 * 3600.0
"""Virtual seconds after which a scenario is held to run forever."""


class Deadlock(AssertionError):
    """Nothing is ready and no timer is set; the text lists who waits where."""


class OutOfTime(AssertionError):
    """The scenario did not end within its limit of virtual seconds."""


class LeftOver(AssertionError):
    """The scenario ended, but tasks it started did not."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on a `VirtualClock`.

    The base class asks a selector to wait; ours lets virtual time pass instead. These are the three
    private names of asyncio that every event loop outside the standard library builds on as well.
    """

    def __init__(self, clock: VirtualClock, *, limit: float = LIMIT) -> None:
        super().__init__()
        self.clock = clock
        self.unhandled: list[BaseException] = []
        self._deadline = clock.monotonic() + limit
        self._selector = self
        self.set_exception_handler(self._remember)

    def time(self) -> float:
        """Return the clock's monotonic seconds."""
        return self.clock.monotonic()

    def select(self, timeout: float | None) -> list[Never]:
        """Let `timeout` seconds pass; None means that nothing will ever happen again."""
        if timeout is None:
            raise Deadlock(f"nothing is ready and no timer is set:\n{describe_tasks(self)}")
        if timeout > 0:
            self.clock.advance(timeout)
            if self.clock.monotonic() > self._deadline:
                raise OutOfTime(f"still running at the limit:\n{describe_tasks(self)}")
        return []

    def run_in_executor(self, *_: object) -> Never:
        """Refuse: a thread would run in real time."""
        raise RuntimeError("the virtual loop has no threads; inject something in memory instead")

    def _process_events(self, _: list[Never]) -> None:
        """Do nothing: there are no sockets to have events."""

    def _write_to_self(self) -> None:
        """Do nothing: nobody sleeps in a system call who would need waking."""

    def _remember(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.unhandled.append(error or AssertionError(context["message"]))


def run(
    main: Coroutine[Any, Any, T], *, clock: VirtualClock | None = None, limit: float = LIMIT
) -> T:
    """Run `main` to its end in virtual time and return what it returns.

    Raises what `main` raises; `Deadlock` and `OutOfTime` as their names say; `LeftOver` when tasks
    survive it; an ExceptionGroup of errors that only the loop's exception handler saw.
    """
    return _run(main, VirtualLoop(clock or VirtualClock(), limit=limit))


def _run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            result = runner.run(_named_main(main))
        except asyncio.CancelledError:
            _complain(runner, loop)
            raise
        _complain(runner, loop)
    return result


async def _named_main(main: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    task.set_name("main")
    return await main


def _complain(runner: asyncio.Runner, loop: VirtualLoop) -> None:
    """Raise when errors went unseen or tasks are left, once what is ready has run."""
    runner.run(_settle())
    if loop.unhandled:
        raise BaseExceptionGroup("errors that nobody awaited", loop.unhandled)
    left = describe_tasks(loop)
    if left:
        raise LeftOver(f"the scenario ended, these tasks did not:\n{left}")


async def _settle(rounds: int = 10) -> None:
    for _ in range(rounds):
        await asyncio.sleep(0)


def describe_tasks(loop: asyncio.AbstractEventLoop) -> str:
    """Return one line for each unfinished task: its name and where it waits."""
    tasks = asyncio.all_tasks(loop)
    return "\n".join(sorted(f"  {task.get_name()}: {_place(task.get_coro())}" for task in tasks))


def _place(coroutine: object) -> str:
    """Return the innermost `async def` that it waits in, file and line; asyncio's own are
    skipped."""
    place = "not started"
    while coroutine is not None:
        if isinstance(coroutine, _Counted):
            coroutine = coroutine.inner
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and not frame.f_code.co_filename.startswith(_ASYNCIO):
            place = f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
        coroutine = getattr(coroutine, "cr_await", None)
    return place


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine that counts its suspensions and has its task cancelled at a chosen one."""

    def __init__(self, inner: Coroutine[Any, Any, Any], counter: _Counter) -> None:
        self.inner = inner
        self._counter = counter

    def send(self, value: Any) -> Any:
        """Resume, and count when it suspends again."""
        awaited = self.inner.send(value)
        self._counter.suspended()
        return awaited

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
    ) -> Any:
        """Raise inside, and count when it suspends in spite of that."""
        error = kind if isinstance(kind, BaseException) else value or kind()
        assert isinstance(error, BaseException)
        awaited = self.inner.throw(error)
        self._counter.suspended()
        return awaited

    def close(self) -> None:
        """Close the coroutine inside."""
        self.inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.inner.__await__())


class _Counter:
    """Counts suspensions of all tasks whose name matches `tasks`; cancels the task at number
    `cancel_at`."""

    def __init__(self, tasks: str, cancel_at: int) -> None:
        self._tasks = tasks
        self._cancel_at = cancel_at
        self.count = 0

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make the loop's future tasks count."""
        loop.set_task_factory(
            lambda loop, coroutine, **options: asyncio.Task(
                _Counted(coroutine, self),
                loop=loop,
                **options,
            )
        )

    def suspended(self) -> None:
        """Note that the current task is about to suspend."""
        task = asyncio.current_task()
        assert task is not None
        if not fnmatchcase(task.get_name(), self._tasks):
            return
        self.count += 1
        if self.count == self._cancel_at:
            task.get_loop().call_soon(task.cancel)


def cancel_everywhere(
    scenario: Callable[[], Coroutine[Any, Any, object]],
    *,
    tasks: str = "main",
    check: Callable[[], None] = lambda: None,
    limit: float = LIMIT,
) -> int:
    """Run a scenario once undisturbed, then once for each time a task suspends, cancelling that
    task there.

    `scenario` builds everything anew each time. `tasks` is a glob over task names. After each run
    nothing may be left over (as `run` checks) and `check` must not raise. Returns how many awaits
    were tried; an AssertionError carries a note that says at which one it failed.
    """
    steps = _run_cancelled(scenario, tasks, 0, check, limit)
    for step in range(1, steps + 1):
        try:
            _run_cancelled(scenario, tasks, step, check, limit)
        except BaseException as error:
            error.add_note(f"cancelled {tasks!r} at await {step} of {steps}")
            raise
    return steps


def _run_cancelled(
    scenario: Callable[[], Coroutine[Any, Any, object]],
    tasks: str,
    step: int,
    check: Callable[[], None],
    limit: float,
) -> int:
    counter = _Counter(tasks, step)
    loop = VirtualLoop(VirtualClock(), limit=limit)
    counter.install(loop)
    try:
        _run(scenario(), loop)
    except asyncio.CancelledError:
        if not step:
            raise
    check()
    return counter.count
