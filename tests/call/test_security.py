"""Whether a leg's speech is encrypted: by whose entry, and over which signalling."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from pbx.call.security import security_of
from pbx.media.sdes import Security
from pbx.sip.flow import Flow

TLS = Flow("tls", ("192.0.2.1", 5061), ("192.0.2.9", 5061))
UDP = TLS._replace(transport="udp")


@dataclass(frozen=True)
class Entry:
    """What the directory says of a phone or a line."""

    srtp: str


def call(*, over_plain: bool = False, **policies: str) -> Any:
    """Return a call in an office whose phones and line have these policies."""
    entries = {name: Entry(policy) for name, policy in policies.items()}
    directory = SimpleNamespace(extension=lambda number: entries.get(f"ext{number}"))
    lines = {"main": SimpleNamespace(entry=entries["line"])} if "line" in entries else {}
    exchange = SimpleNamespace(
        directory=directory, lines=lines, settings=SimpleNamespace(srtp_over_plain=over_plain)
    )
    return SimpleNamespace(exchange=exchange)


@pytest.mark.parametrize(
    ("policy", "by_tls", "by_udp"),
    [
        ("required", Security.REQUIRED, Security.IMPOSSIBLE),
        ("optional", Security.OPTIONAL, Security.OFF),
        ("off", Security.OFF, Security.OFF),
    ],
)
def test_the_phones_entry_decides_and_its_signalling(
    policy: str, by_tls: Security, by_udp: Security
) -> None:
    office = call(ext101=policy)
    assert security_of(office, number="101", flow=TLS, trunk=None) is by_tls
    assert security_of(office, number="101", flow=UDP, trunk=None) is by_udp
    willing = call(ext101=policy, over_plain=True)
    assert security_of(willing, number="101", flow=UDP, trunk=None) is by_tls


def test_whoever_is_behind_a_line_has_the_lines_policy() -> None:
    office = call(line="required", ext101="off")
    assert security_of(office, number="101", flow=TLS, trunk="main") is Security.REQUIRED
    assert security_of(office, number="101", flow=TLS, trunk="gone") is Security.OPTIONAL


def test_whoever_is_in_no_directory_may_encrypt() -> None:
    assert security_of(call(), number="5", flow=TLS, trunk=None) is Security.OPTIONAL
