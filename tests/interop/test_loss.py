"""One packet in ten is lost each way: every call still sets up, and each leaves one record."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import assert_stopped_properly
from tests.kit.office import OfficeMaker
from tests.kit.phones.sipp import Sipp
from tests.kit.programs import find

CALLS = 200

RULES = """
table inet lossy {
    chain input {
        type filter hook input priority 0;
        udp dport { 5060, 5080, 5081 } numgen random mod 100 < 10 counter drop
    }
}
"""


@pytest.mark.interop("sipp", "nft")
@pytest.mark.load
@pytest.mark.timeout(240)
def test_every_call_survives_ten_percent_loss(make_office: OfficeMaker, tmp_path: Path) -> None:
    office = make_office(numbers=["900"], media_ports="10000-11999")
    office.start()
    office.add_fixed_phone("900", port=5080)
    office.add_load_trunk(port=5081)
    nft = find("nft") or "nft"
    subprocess.run([nft, "-f", "-"], input=RULES, text=True, check=True)
    with (
        Sipp("patient_answerer", tmp_path, port=5080, retransmits=False),
        Sipp(
            "caller",
            tmp_path,
            port=5081,
            target=office.server,
            calls=CALLS,
            rate=20,
            pause_ms=5000,
            number="900",
        ) as caller,
    ):
        report = caller.finish(timeout=150)
        assert report.retransmissions > 0
        assert (report.succeeded, report.failed) == (CALLS, 0), report
        records = office.records(CALLS, timeout=70)
    assert {record["result"] for record in records} == {"answered"}
    assert len({record["caller"]["number"] for record in records}) == CALLS
    assert office.ask("calls") == []
    assert_stopped_properly(office)
