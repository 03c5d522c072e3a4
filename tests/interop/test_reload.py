"""A thousand reloads under a hundred calls with media: no call is lost, nobody hears a pause."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from tests.kit.gaps import Heard, Listening
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipp import Sipp

pytestmark = [pytest.mark.interop("sipp"), pytest.mark.load, pytest.mark.timeout(240)]

CALLS = 100
ROUNDS, RELOADS = 10, 100
CALLS_LAST_MS = 75_000
LATE_MS = 20.0
"""How late packets may be sent before it means nothing when they come."""

JUDGED = 3
"""Rounds that must have been sent in time, so that the pauses in them are the server's."""


def dialplan(version: int) -> str:
    """Return a dialplan that leads 4000 to the phone, and 4001 elsewhere each time."""
    menus = "".join(
        f"  m{n}:\n    prompt: hello\n    keys: {{1: ext:900, 9: repeat, 0: ext:101}}\n"
        "    give_up: ext:900\n"
        for n in range(10)
    )
    return (
        "version: 1\nprompts:\n  hello: {en: Hello.}\n"
        f'numbers:\n  "4000": ext:900\n  "4001": menu:m{version % 10}\n'
        f"menus:\n{menus}"
        "outbound:\n  emergency: {match: [110, 119, 120], trunks: [load], emergency: yes}\n"
        f"# version {version}\n"
    )


def write(office: TestedOffice, version: int) -> None:
    """Save the dialplan as an editor does: another file in its place."""
    file = office.folder / "dialplan.yaml.new"
    file.write_text(dialplan(version))
    file.rename(office.folder / "dialplan.yaml")


def reload_again_and_again(office: TestedOffice, first: int) -> list[float]:
    """Reload one round of versions; return the seconds that each took."""
    took: list[float] = []
    with office.api() as api:
        for version in range(first, first + RELOADS):
            write(office, version)
            begun = time.monotonic()
            answer = api.post("/dialplan/reload")
            took.append(time.monotonic() - begun)
            assert answer.status_code == 200, answer.text
            assert answer.json()["version"] == f"v{version + 1}"
    return took


def test_a_thousand_reloads_under_a_hundred_calls_are_not_heard(
    make_office: OfficeMaker, tmp_path: Path
) -> None:
    office = make_office(dialplan=dialplan(0), media_ports="10000-10999")
    office.start()
    office.add_fixed_phone("900", port=5080)
    office.add_load_trunk(port=5081)
    with (
        Listening() as listening,
        Sipp("answerer", tmp_path, port=5080, media_port=listening.ear),
        Sipp(
            "caller",
            tmp_path,
            port=5081,
            target=office.server,
            calls=CALLS,
            rate=50,
            pause_ms=CALLS_LAST_MS,
            number="4000",
            media_port=listening.mouth,
        ) as caller,
    ):
        ports = eventually(caller.remote_ports, lambda ports: len(ports) == CALLS)
        listening.speak_to(ports)
        time.sleep(1.0)
        listening.heard()  # sources are locked now
        took: list[float] = []
        rounds: list[Heard] = []
        for number in range(ROUNDS):
            took += reload_again_and_again(office, 1 + number * RELOADS)
            rounds.append(listening.heard())
        assert len(office.ask("calls")) == CALLS
        report = caller.finish(timeout=90)
    print_figures(took, rounds)
    assert (report.succeeded, report.failed) == (CALLS, 0), report
    assert all((each.voices, each.missing) == (CALLS, 0) for each in rounds), rounds
    records = office.records(CALLS)
    assert {record["result"] for record in records} == {"answered"}
    assert len({record["dialplan_version"] for record in records}) == 1
    assert office.stop() == 0
    assert "Traceback" not in office.errors()
    judged = [each for each in rounds if each.behind_ms <= LATE_MS]
    assert len(judged) >= JUDGED, f"this machine is too busy to hear pauses: {rounds}"
    assert [each for each in judged if each.long] == []


def print_figures(took: list[float], rounds: list[Heard]) -> None:
    """Show what was measured, to whoever runs it with -s."""
    median, longest = statistics.median(took) * 1000, max(took) * 1000
    print(f"\n{len(took)} reloads in {sum(took):.1f} s: median {median:.1f}, most {longest:.0f} ms")
    for each in rounds:
        print(each)
