"""Look-ups: whose calls these are, whose token this is."""

from __future__ import annotations

import pytest

from pbx.directory.snapshot import Directory
from tests.directory.entries import extension, token, trunk


def owner(directory: Directory, host: str, port: int = 5060) -> str | None:
    found = directory.trunk_for((host, port))
    return None if found is None else found.name


def test_extensions_are_found_by_number_and_listed_by_number() -> None:
    directory = Directory.of([extension("103"), extension("20"), extension("101")])
    assert [entry.number for entry in directory.extensions()] == ["101", "103", "20"]
    assert directory.extension("103") == extension("103")
    assert directory.extension("999") is None


def test_an_empty_directory_knows_nobody() -> None:
    directory = Directory()
    assert (directory.extensions(), directory.trunks(), directory.tokens()) == ((), (), ())
    assert directory.trunk_for(("192.0.2.1", 5060)) is None
    assert directory.token("x") is None
    assert directory.realm_in_use() is None


def test_the_realm_in_use_is_that_of_the_passwords() -> None:
    assert Directory.of([extension(realm="office")]).realm_in_use() == "office"


LINES = Directory.of(
    trunks=[
        trunk("any-port", match=("192.0.2.10",)),
        trunk("that-port", match=("192.0.2.10:5080",)),
        trunk("wide", match=("192.0.0.0/16",)),
        trunk("narrow", match=("192.0.2.0/24",)),
        trunk("six", match=("2001:db8::/32",)),
        trunk("six-host", match=("[2001:db8::1]:5060",)),
        trunk("by-server", server="sip:203.0.113.5:5070"),
        trunk("by-name", server="sip:sip.carrier.example"),
    ]
)


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("192.0.2.10", 5080, "that-port"),
        ("192.0.2.10", 5060, "any-port"),
        ("192.0.2.11", 5060, "narrow"),
        ("192.0.77.1", 5060, "wide"),
        ("2001:db8::1", 5060, "six-host"),
        ("2001:db8::1", 5061, "six"),
        ("2001:0db8:0:0::9", 1, "six"),
        ("203.0.113.5", 40_000, "by-server"),
        ("::ffff:192.0.2.11", 5060, "narrow"),
        ("198.51.100.1", 5060, None),
        ("fe80::1%eth0", 5060, None),
    ],
)
def test_the_most_exact_match_owns_a_call(host: str, port: int, name: str | None) -> None:
    assert owner(LINES, host, port) == name


def test_of_equals_the_first_by_name_owns_a_call() -> None:
    lines = [trunk(name, match=("192.0.2.10",)) for name in ("zeta", "alpha", "mid")]
    assert owner(Directory.of(trunks=lines), "192.0.2.10") == "alpha"


def test_a_host_by_name_is_matched_once_somebody_resolved_it() -> None:
    assert LINES.hosts() == {"sip.carrier.example"}
    resolved = LINES.with_hosts({"SIP.carrier.example": ["198.51.100.1", "2001:db9::7"]})
    assert owner(resolved, "198.51.100.1") == "by-name"
    assert owner(resolved, "2001:db9::7") == "by-name"
    assert owner(resolved, "192.0.2.10", 5080) == "that-port"
    assert owner(LINES, "198.51.100.1") is None


def test_a_token_is_known_by_its_secret_alone() -> None:
    directory = Directory.of(tokens=[token("a", secret="one"), token("b", "admin", secret="two")])
    found = directory.token("two")
    assert found is not None
    assert (found.name, found.scope) == ("b", "admin")
    for wrong in ("", "tw", "two ", found.sha256, "\udcff"):
        assert directory.token(wrong) is None


def test_every_token_is_compared_whether_or_not_one_has_matched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = Directory.of(tokens=[token(f"t{n}", secret=f"secret {n}") for n in range(5)])
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda a, b: compared.append(a) or a == b)
    assert directory.token("secret 0") is not None
    assert len(compared) == 5
