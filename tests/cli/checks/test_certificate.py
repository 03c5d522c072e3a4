"""Certificates that are good, end soon, have ended, or do not fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pbx.cli.checks.certificate import check_certificate
from pbx.cli.checks.finding import Examined, Finding
from pbx.config import Home, Settings, SipSettings
from tests.kit.certificates import Authority


def found(folder: Path, certificate: str = "server.pem", key: str = "server.key") -> list[Finding]:
    """Return what the check says of these files."""
    settings = Settings(sip=SipSettings(certificate=certificate, key=key))
    return list(check_certificate(Examined(Home(folder), settings, running=False)))


def issue(folder: Path, days: float) -> None:
    """Issue a certificate that ends in so many days."""
    now = datetime.now(UTC)
    end = now + timedelta(days=days, minutes=5)
    Authority(folder).issue("pbx.example", not_before=now - timedelta(days=60), not_after=end)


def test_without_tls_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(check_certificate(Examined(Home(tmp_path), Settings(), running=False))) == []


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (80, "ok", "is good for 80 days"),
        (10, "warn", "is good for 10 days"),
        (-1, "fail", "has expired"),
    ],
)
def test_the_end_of_a_certificate_is_told(tmp_path: Path, days: int, level: str, said: str) -> None:
    issue(tmp_path, days)
    (finding,) = found(tmp_path)
    assert (finding.level, finding.subject) == (level, "certificate")
    assert said in finding.sentence
    assert (finding.fix is None) == (level == "ok")


def test_files_that_do_not_fit_or_are_not_there_are_told(tmp_path: Path) -> None:
    issue(tmp_path, 80)
    Authority(tmp_path).issue("pbx.example", file="other")
    for finding in (
        *found(tmp_path, key="other.key"),
        *found(tmp_path, certificate="missing.pem"),
        *found(tmp_path, certificate="server.key"),
    ):
        assert finding.level == "fail"
        assert finding.fix is not None


def test_a_key_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    issue(tmp_path, 80)
    (tmp_path / "server.key").chmod(0o644)
    exposed, end = found(tmp_path)
    assert (exposed.level, exposed.fix) == ("fail", f"chmod o= {tmp_path / 'server.key'}")
    assert end.level == "ok"
