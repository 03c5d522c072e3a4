"""Puts another version of the dialplan in force, under live calls. [io]

Checked by a process of its own (checker.py), unpacked piece by piece, swapped in one assignment:
calls that are up stay on the version that they began with. A dialplan that cannot be used changes
nothing and says why. Each version that was in force is kept (versions.py); `rollback` goes back to
the one before. The file stays as it is meanwhile: the next reload, and each start, takes what
stands there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from pbx.config import Home
from pbx.dialplan.changes import NOTHING, Changes
from pbx.dialplan.checker import Checker
from pbx.dialplan.checking import texts_of
from pbx.dialplan.pieces import Assembly
from pbx.dialplan.question import Answer, Question
from pbx.dialplan.versions import Version, Versions
from pbx.dialplan.watching import watch
from pbx.errors import Refused
from pbx.marks import Problem
from pbx.plan.model import Plan

log = logging.getLogger(__name__)

SHOWN: Final = 10
"""How many errors a refusal names."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of a reload. `version` is in force now, `before` was; they are the same where
    nothing has changed. `problems` are warnings; of a trial, errors too."""

    version: Version
    before: Version
    problems: tuple[Problem, ...] = ()
    changes: Changes = NOTHING


class Asked(Protocol):
    """Whoever checks dialplans."""

    async def ask(self, question: Question) -> Answer:
        """Return what there is to say. Raises Refused where nothing can be said."""

    async def close(self) -> None:
        """Answer no more."""


class Dialplan:
    """The dialplan in force and those before it.

    `put_in_force` gives a plan to new calls; `stopping` tells that there are none any more.
    """

    def __init__(
        self,
        home: Home,
        plan: Plan,
        *,
        put_in_force: Callable[[Plan], None],
        stopping: Callable[[], bool],
        alarm: Callable[[str], None],
        wall: Callable[[], float],
        checker: Asked | None = None,
    ) -> None:
        self._path = home.dialplan
        self._plan = plan
        self._files = plan.files
        self._put_in_force = put_in_force
        self._stopping = stopping
        self._alarm = alarm
        self._wall = wall
        self._checker = checker or Checker()
        self._versions = Versions(home.dialplan_versions)
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._version = Version(0, plan.version_id, wall())
        self._on_file = self._version
        """What the file held when it was read last."""

    @property
    def version(self) -> Version:
        """Return the version that is in force."""
        return self._version

    @property
    def rolled_back(self) -> bool:
        """Tell whether the file holds a newer version than the one in force."""
        return self._version != self._on_file

    async def start(self, *, watched: bool = False) -> None:
        """Keep the version that the server starts with, and reload its files when they are saved,
        if they are to be `watched`."""
        texts = await asyncio.to_thread(texts_of, self._path, self._plan)
        if texts is not None:
            self._version = self._on_file = await self._kept(self._plan.version_id, texts)

        if watched:
            self._begin(watch(self._watched, self.reload_or_tell))

    async def close(self) -> None:
        """End what checks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._checker.close()

    async def versions(self) -> Sequence[Version]:
        """Return the versions that are kept, the newest first."""
        return await asyncio.to_thread(self._versions.all)

    async def reload(self) -> Reloaded:
        """Take the files as they are now; of two at once, one waits.

        Raises Refused, with what is wrong, and changes nothing then.
        """
        async with self._turn:
            self._refuse_while_stopping()
            plan, answer = await self._checked(Question(self._path))
            before = self._version
            if plan.version_id != before.version_id:
                self._swap(plan, await self._kept(plan.version_id, answer.texts))
            self._on_file = self._version
            return Reloaded(self._version, before, answer.problems)

    async def rollback(self) -> Reloaded:
        """Put the version before the one in force back in force, until the next reload or start.

        Raises NotFound where none is kept, Refused where it cannot be used.
        """
        async with self._turn:
            self._refuse_while_stopping()
            before = self._version
            version = await asyncio.to_thread(self._versions.before, before)
            plan, answer = await self._checked(Question(self._versions.path(version), kept=True))
            if plan.version_id != version.version_id:
                raise Refused(f"the texts that are kept of {version} are damaged; {before} runs on")
            self._swap(plan, version)
            return Reloaded(version, before, answer.problems)

    async def try_out(self) -> Reloaded:
        """Return what a reload would change, with errors among the problems; change nothing."""
        async with self._turn:
            current = self._versions.path(self._version)
            answer = await self._checker.ask(Question(self._path, compare_with=current))
            if answer.refusal is not None:
                raise Refused(answer.refusal)
            return Reloaded(self._version, self._version, answer.problems, answer.changes)

    def reload_soon(self) -> None:
        """Reload beside what else is going on; see `reload_or_tell`."""
        self._begin(self.reload_or_tell())

    async def reload_or_tell(self) -> None:
        """Reload for somebody who reads no answer: what is wrong becomes an alarm."""
        try:
            await self.reload()
        except Refused as refusal:
            first = str(refusal).partition("\n")[0]
            self._alarm(f"the dialplan was not reloaded, {self._version} runs on: {first}")

    def _watched(self) -> Iterator[Path]:
        """Yield the files that were read last, and the folders of those that are included."""
        home = self._path.parent
        files = [self._path, *(home / name for name in self._files)]
        yield from dict.fromkeys(files)
        yield from {file.parent for file in files} - {home}

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="dialplan")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _checked(self, question: Question) -> tuple[Plan, Answer]:
        """Return a plan that can be put in force. Raises Refused with what is wrong with it."""
        answer = await self._checker.ask(question)
        if question.path == self._path and answer.files:
            self._files = answer.files
        if answer.refusal is not None:
            raise Refused(f"{answer.refusal}\nRunning configuration {self._version} kept.")
        if not answer.pieces:
            raise Refused(told(answer.problems, self._version))
        assembly = Assembly()
        for piece in answer.pieces:
            assembly.add(piece)
            await asyncio.sleep(0)  # calls come first
        self._refuse_while_stopping()
        return assembly.plan(), answer

    def _swap(self, plan: Plan, version: Version) -> None:
        """Let new calls go by another plan."""
        self._put_in_force(plan)
        self._plan, self._version = plan, version
        log.info("dialplan %s (%s) is in force", version, version.version_id)

    async def _kept(self, version_id: str, texts: Mapping[str, str]) -> Version:
        """Return the version with these texts, kept; without a number of its own on a full disk."""
        try:
            return await asyncio.to_thread(self._versions.keep, version_id, texts, self._wall())
        except OSError as error:
            self._alarm(f"the version of the dialplan is not kept: {error.strerror}")
            number = max(self._version.number, self._on_file.number) + 1
            return Version(number, version_id, self._wall())

    def _refuse_while_stopping(self) -> None:
        if self._stopping():
            raise Refused("callpbx is stopping; it takes no other dialplan now")


def told(problems: Sequence[Problem], kept: Version) -> str:
    """Return why a dialplan is not taken: its first errors, and what runs on."""
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    lines = errors[:SHOWN]
    if more := len(errors) - len(lines):
        lines.append(f"… and {_plural(more, 'more error')}: callpbx check lists all")
    counts = f"{_plural(len(problems), 'problem')} ({_plural(len(errors), 'error')})"
    return "\n".join([*lines, f"{counts}. Running configuration {kept} kept."])


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
