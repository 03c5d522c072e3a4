"""The run of the tests itself: nothing is left out silently, and nothing is skipped in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import programs

ROOT = Path(__file__).parent.parent

SAMPLE = """
import pytest

@pytest.mark.interop("sipp")
def test_with_a_phone(): pass

def test_without(): pass
"""


def run_sample(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run two tests, one of which needs SIPp, where no program can be found."""
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = interop(*programs)\n")
    hidden = "import sys, pytest, tests.kit.programs as p; p.find = lambda program: None;"
    start = "sys.exit(pytest.main(sys.argv[1:]))"
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-c", hidden + start, "-p", "tests.conftest", *options, str(folder)],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_phones_left_out_are_counted(tmp_path: Path) -> None:
    ran = run_sample(tmp_path, "--phones=no")
    assert ran.returncode == 0
    assert "1 tests with real phones: left out by PHONES=no" in ran.stdout


def test_phones_may_be_chosen_alone(tmp_path: Path) -> None:
    (tmp_path / "test_unread.py").write_text("raise SystemExit('a file without phones was read')")
    ran = run_sample(tmp_path, "--phones=only", CI="true")
    assert "test_with_a_phone may not be skipped in CI" in ran.stdout
    assert "passed" not in ran.stdout
    assert "a file without phones was read" not in ran.stdout + ran.stderr


def test_a_missing_program_skips_with_the_line_that_installs_it(tmp_path: Path) -> None:
    ran = run_sample(tmp_path)
    assert ran.returncode == 0
    assert "1 skipped: missing here; apt-get install sip-tester" in ran.stdout


def test_a_skipped_interop_test_fails_in_ci(tmp_path: Path) -> None:
    ran = run_sample(tmp_path, CI="true")
    assert ran.returncode == 1
    assert "test_with_a_phone may not be skipped in CI: missing here" in ran.stdout


def test_everything_missing_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "find", lambda program: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert programs.main(["--install"]) == 1
    said = capsys.readouterr().err
    sounds = "asterisk-core-sounds-en-wav asterisk-moh-opsound-wav"
    phones = "baresip-core espeak-ng faketime iproute2 kamailio nftables postgresql sip-tester"
    packages = f"{sounds} {phones} sipvicious"
    assert f"sudo apt-get install --no-install-recommends {packages}" in said
    assert "make test PHONES=no" in said


def test_an_unknown_program_is_a_mistake_in_the_test() -> None:
    with pytest.raises(KeyError, match="sip-phone"):
        programs.why_not(["sip-phone"])
