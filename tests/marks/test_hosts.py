"""Hosts have one spelling, and odd spellings of addresses are no hosts."""

from __future__ import annotations

import pytest

from pbx.marks.hosts import host_spelling


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("CRM.Local", "crm.local"),
        ("10.0.0.5", "10.0.0.5"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("2001:DB8::00A", "2001:db8::a"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("3com.example", "3com.example"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    assert host_spelling(text) == host
    assert host_spelling(host) == host


@pytest.mark.parametrize(
    "text",
    [
        *("0x7f000001", "2130706433", "127.1", "0177.0.0.1", "127.0.0.0x1", "１２７.０.０.１"),
        *("crm.local.", "", "a b", "a@b", "crm..local", "a/b", "a\r\nb", "[::1]", "a" * 254),
    ],
)
def test_other_spellings_are_no_hosts(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no host name|unusual spelling"):
        host_spelling(text)
