"""An office for each interop test: made by `callpbx init`, served by `callpbx serve`, stopped by
SIGTERM.

After the test the server must have exited with 0 and its stderr must hold no traceback: a test
passes only if the server came through it unharmed. When a test fails, what the server wrote to
stderr is part of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.kit.office import OfficeMaker, TestedOffice
from tests.kit.phones.baresip import Baresip
from tests.kit.phones.pjsua import SoftPhone, Srtp
from tests.kit.phones.talker import AnyPhone

OFFICES = pytest.StashKey[list[TestedOffice]]()


@pytest.fixture
def make_office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OfficeMaker]:
    """Return what makes an office that is not started yet; its server is killed after the test."""
    with ExitStack() as stack:
        made: list[TestedOffice] = []
        request.node.stash[OFFICES] = made

        def make(
            *,
            hosts: Sequence[str] = ("127.0.0.1",),
            numbers: Iterable[str] = (),
            media_ports: str = "10000-10399",
            rooms: Mapping[str, str] | None = None,
            workers: int | None = None,
            codecs: Sequence[str] = (),
            dialplan: str | None = None,
            settings: Mapping[str, object] | None = None,
            clock: str | None = None,
        ) -> TestedOffice:
            folder = tmp_path / f"office{len(made) or ''}"
            office = TestedOffice(
                folder,
                hosts=hosts,
                numbers=numbers,
                media_ports=media_ports,
                rooms=rooms,
                workers=workers,
                codecs=codecs,
                dialplan=dialplan,
                settings=settings,
                clock=clock,
            )
            made.append(stack.enter_context(office))
            return office

        yield make


@pytest.fixture
def office(make_office: OfficeMaker) -> Iterator[TestedOffice]:
    """Return an office that serves; afterwards it must stop properly."""
    office = make_office()
    office.start()
    yield office
    assert_stopped_properly(office)


@pytest.fixture
def serve(make_office: OfficeMaker) -> Iterator[OfficeMaker]:
    """Return what makes an office that serves; afterwards each must stop properly."""
    serving: list[TestedOffice] = []

    def make(**settings: Any) -> TestedOffice:
        office = make_office(**settings)
        office.start()
        serving.append(office)
        return office

    yield make
    for office in serving:
        assert_stopped_properly(office)


def assert_stopped_properly(office: TestedOffice) -> None:
    """Stop the server by SIGTERM: exit code 0, no traceback on stderr, every call recorded."""
    assert office.stop() == 0, office.errors()
    assert "Traceback" not in office.errors()


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    """Return what starts phones; they are hung up and ended after the test, before the server."""
    with ExitStack() as stack:
        yield Phones(tmp_path, stack)


class Phones:
    """Starts registered phones, several at once where a test needs many; ends them all at once."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._numbers = count(1)

    @staticmethod
    def at_once(*starts: Callable[[], AnyPhone]) -> list[AnyPhone]:
        """Start several phones side by side; return them in order."""
        with ThreadPoolExecutor(len(starts)) as threads:
            return [start.result() for start in [threads.submit(each) for each in starts]]

    def pjsua(
        self,
        office: TestedOffice,
        number: str,
        *,
        transport: str = "udp",
        codecs: str = "PCMU,PCMA,G722",
        ptime: int = 0,
        events: bool = True,
        srtp: Srtp = "off",
    ) -> SoftPhone:
        """Start a PJSIP phone and register it as an extension."""
        name = f"phone{next(self._numbers)}-{number}"
        phone = self._stack.enter_context(
            SoftPhone(name, self._folder, codecs=codecs, ptime=ptime, events=events, srtp=srtp)
        )
        self._stack.callback(phone.quit)
        phone.register(office.uri(number), office.passwords[number], transport=transport)
        return phone

    def baresip(
        self,
        office: TestedOffice,
        number: str,
        *,
        codec: str,
        hz: int,
        transport: str = "udp",
        server: int = 0,
        ptime: int = 20,
    ) -> Baresip:
        """Start a baresip phone and register it at the office's address number `server`."""
        phone = self._stack.enter_context(
            Baresip(
                f"baresip-{number}",
                self._folder,
                number=next(self._numbers),
                codec=codec,
                hz=hz,
                ptime=ptime,
                bind="::1" if "[" in office.servers[server] else "127.0.0.1",
            )
        )
        self._stack.callback(phone.quit)
        uri = office.uri(number, server=server)
        phone.register(uri, office.passwords[number], transport=transport)
        return phone


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the server's stderr to the report of a failed test."""
    report = yield
    if report.failed:
        for office in item.stash.get(OFFICES, []):
            report.sections.append(("callpbx serve, stderr", office.errors()[-6000:]))
    return report
