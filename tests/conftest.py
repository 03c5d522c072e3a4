"""What all tests share: the choice of tests, and a summary that never hides what did not run.

`--phones=no` leaves out the tests marked `interop` and says so, `--phones=only` all others. A test
that needs a program which is not here is skipped with the line that installs it; in CI (the
variable CI is set) a skipped interop test is a failure. Interop tests run last.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.kit.namespace import NoNamespace, network_namespace
from tests.kit.programs import why_not

LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--phones`."""
    parser.addoption(
        "--phones",
        choices=["yes", "no", "only"],
        default="yes",
        help="no: leave out the tests that need real phones and servers; only: all others",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the files without interop tests where only those are wanted."""
    if config.getoption("phones") != "only" or collection_path.suffix != ".py":
        return None
    return None if b"mark.interop" in collection_path.read_bytes() else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put interop tests last, or leave them or all others out."""
    with_phones = [item for item in items if item.get_closest_marker("interop")]
    others = [item for item in items if not item.get_closest_marker("interop")]
    if config.getoption("phones") == "no":
        config.stash[LEFT_OUT] = len(with_phones)
        config.hook.pytest_deselected(items=with_phones)
        items[:] = others
    elif config.getoption("phones") == "only":
        items[:] = with_phones
    else:
        items[:] = others + with_phones


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip an interop test whose programs are missing."""
    marker = item.get_closest_marker("interop")
    reason = why_not(marker.args) if marker else None
    if reason:
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_network(request: pytest.FixtureRequest) -> Generator[None]:
    """Give each interop test a network namespace of its own."""
    if request.node.get_closest_marker("interop") is None:
        yield
        return
    try:
        with network_namespace():
            yield
    except NoNamespace as error:
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped interop test into a failure where CI is set."""
    report = yield
    expected = hasattr(report, "wasxfail")
    if (
        report.skipped
        and not expected
        and os.environ.get("CI")
        and item.get_closest_marker("interop")
    ):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped in CI: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run, and why."""
    left_out = terminalreporter.config.stash.get(LEFT_OUT, 0)
    skipped = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    if not left_out and not skipped:
        return
    terminalreporter.section("not run")
    if left_out:
        terminalreporter.line(f"{left_out} tests with real phones: left out by PHONES=no")
    for reason, count in sorted(skipped.items()):
        terminalreporter.line(f"{count} skipped: {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a report is skipped, without pytest's prefix."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
