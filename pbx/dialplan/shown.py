"""The dialplan as the API shows it."""

from __future__ import annotations

from pbx.api.views import (
    ChangedNumber,
    DialplanProblem,
    DialplanReload,
    DialplanVersion,
    DialplanView,
    utc_text,
)
from pbx.dialplan.changes import NumberChange
from pbx.dialplan.reloading import Dialplan, Reloaded
from pbx.dialplan.versions import Version
from pbx.marks import Problem


class ShownDialplan:
    """A dialplan whose answers are views; satisfies `pbx.api.office.LiveDialplan`."""

    def __init__(self, dialplan: Dialplan) -> None:
        self._dialplan = dialplan

    async def show(self) -> DialplanView:
        """Return which version is in force, and which are kept."""
        version = self._dialplan.version
        return DialplanView(
            version=str(version),
            version_id=version.version_id,
            since=utc_text(version.at),
            rolled_back=self._dialplan.rolled_back,
            versions=tuple(map(_version, await self._dialplan.versions())),
        )

    async def reload(self) -> DialplanReload:
        """Put the file as it is now in force. Raises Refused, with what is wrong in it."""
        return self._shown(await self._dialplan.reload())

    async def rollback(self) -> DialplanReload:
        """Put the version before back in force. Raises NotFound where none is kept."""
        return self._shown(await self._dialplan.rollback())

    async def try_out(self) -> DialplanReload:
        """Return what a reload would change, and all that is wrong; change nothing."""
        return self._shown(await self._dialplan.try_out())

    def _shown(self, found: Reloaded) -> DialplanReload:
        return DialplanReload(
            version=str(found.version),
            version_id=found.version.version_id,
            before=str(found.before),
            rolled_back=self._dialplan.rolled_back,
            problems=tuple(map(_problem, found.problems)),
            numbers=tuple(map(_number, found.changes.numbers)),
            sections=found.changes.sections,
        )


def _version(version: Version) -> DialplanVersion:
    return DialplanVersion(
        version=str(version), version_id=version.version_id, since=utc_text(version.at)
    )


def _problem(problem: Problem) -> DialplanProblem:
    return DialplanProblem(
        code=problem.code,
        severity=problem.severity,
        file=problem.file,
        line=problem.line,
        column=problem.column,
        sentence=problem.sentence,
        suggestion=problem.suggestion,
    )


def _number(change: NumberChange) -> ChangedNumber:
    return ChangedNumber(
        number=change.number, was=change.was, now=change.now, because=change.because
    )
