"""Many calls and many phones: none may fail, each leaves one record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipp import Sipp, write_users

pytestmark = [pytest.mark.interop("sipp"), pytest.mark.load, pytest.mark.timeout(300)]


def test_five_thousand_calls_at_two_hundred_a_second(
    make_office: OfficeMaker, tmp_path: Path
) -> None:
    office = make_office(numbers=["900"], media_ports="10000-19999")
    office.start()
    office.add_fixed_phone("900", port=5080)
    office.add_load_trunk(port=5081)
    with (
        Sipp("answerer", tmp_path, port=5080),
        Sipp(
            "caller",
            tmp_path,
            port=5081,
            target=office.server,
            calls=5000,
            rate=200,
            pause_ms=1000,
            number="900",
        ) as caller,
    ):
        report = caller.finish(timeout=120)
    assert (report.succeeded, report.failed) == (5000, 0), report
    count = eventually(
        lambda: len(office.cli("cdr", "list", "--csv", "--limit", "6000").splitlines()) - 1,
        lambda count: count >= 5000,
    )
    assert count == 5000
    assert office.ask("calls") == []
    assert office.stop() == 0
    assert "Traceback" not in office.errors()


def test_two_hundred_phones_register_again_within_ten_seconds(
    office: TestedOffice, tmp_path: Path
) -> None:
    users = [(str(number), f"phone-{number}-secret") for number in range(200, 400)]
    office.add_extensions(users)
    for round_ in (1, 2):
        with Sipp(
            "register",
            tmp_path,
            port=5090 + round_,
            target=office.server,
            calls=200,
            rate=50,
            users=write_users(tmp_path / "users.csv", users),
        ) as sipp:
            report = sipp.finish(timeout=10)
        assert (report.succeeded, report.failed) == (200, 0), report
        numbers = {binding["number"] for binding in office.ask("registrations")}
        assert numbers == {number for number, _ in users}
