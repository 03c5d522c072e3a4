"""Digest authentication lets in who knows the password, and tells others nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from pbx.sip import auth
from pbx.sip.auth import (
    COUNT_WINDOW,
    Credential,
    DigestAuthenticator,
    Failed,
    Missing,
    Stale,
    Verdict,
    Verified,
    make_ha1,
)
from pbx.sip.digest import Challenge, Credentials, answer, parse_challenges
from pbx.sip.message import Request

REALM = "callpbx"
PHONE = "192.0.2.10"
USERS = {"101": make_ha1("101", REALM, "secret")}


class Gate:
    """An authenticator and a phone that knows how to answer it."""

    def __init__(self, **settings: Any) -> None:
        self.authenticator = DigestAuthenticator(REALM, b"a secret", **settings)
        self.looked_up: list[str] = []

    def challenges(
        self, request: Request, now: float, source: str = PHONE, stale: bool = False
    ) -> list[Challenge]:
        headers = self.authenticator.challenge(request, source=source, now=now, stale=stale)
        assert {name for name, _ in headers} == {"WWW-Authenticate"}
        return parse_challenges(value for _, value in headers)

    def check(self, request: Request, now: float, source: str = PHONE) -> Verdict:
        return self.authenticator.check(request, self._credential, source=source, now=now)

    def _credential(self, username: str) -> Credential | None:
        self.looked_up.append(username)
        return USERS.get(username)


def request(
    *credentials: Credentials | str,
    method: str = "REGISTER",
    uri: str = "sip:192.0.2.1",
    agent: str | None = "Phone/1",
) -> Request:
    made = Request(method, uri)
    if agent is not None:
        made.headers.add("User-Agent", agent)
    for value in credentials:
        made.headers.add("Authorization", str(value))
    return made


def answered(
    challenge: Challenge,
    *,
    username: str = "101",
    password: str = "secret",
    method: str = "REGISTER",
    uri: str = "sip:192.0.2.1",
    count: int = 1,
) -> Credentials:
    return answer(
        challenge,
        method=method,
        uri=uri,
        username=username,
        password=password,
        cnonce="c0",
        nonce_count=count,
    )


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_sha_256_is_offered_before_md5(gate: Gate) -> None:
    challenges = gate.challenges(request(), 0.0)
    assert [c.algorithm for c in challenges] == ["SHA-256", "MD5"]
    assert {c.qop for c in challenges} == {("auth",)}
    assert {c.realm for c in challenges} == {REALM}
    assert not any(c.stale for c in challenges)


@pytest.mark.parametrize(
    ("agent", "offered"),
    [
        ("baresip v1.0.0 (x86_64/linux)", ["MD5"]),
        ("baresip v3.16.0 (x86_64/linux)", ["SHA-256", "MD5"]),
        (None, ["MD5", "SHA-256"]),
    ],
)
def test_phones_that_stumble_over_sha_256_are_spared(
    gate: Gate, agent: str | None, offered: list[str]
) -> None:
    assert [c.algorithm for c in gate.challenges(request(agent=agent), 0.0)] == offered


def test_an_office_may_offer_one_algorithm_alone() -> None:
    gate = Gate(algorithms=("SHA-256",))
    for agent in ("Phone/1", "baresip v1.0.0", None):
        assert [c.algorithm for c in gate.challenges(request(agent=agent), 0.0)] == ["SHA-256"]
    (challenge,) = gate.challenges(request(), 0.0)
    given = answered(replace(challenge, algorithm="MD5"))
    assert gate.check(request(given), 0.0) == Failed("101")


@pytest.mark.parametrize("algorithm", [0, 1])
def test_the_right_password_is_verified_by_either_algorithm(gate: Gate, algorithm: int) -> None:
    challenge = gate.challenges(request(), 0.0)[algorithm]
    assert gate.check(request(answered(challenge)), 1.0) == Verified("101")


def test_a_request_without_credentials_is_no_failure(gate: Gate) -> None:
    assert gate.check(request(), 0.0) == Missing()
    assert gate.looked_up == []


@pytest.mark.parametrize(
    "text",
    [
        'NoOneKnowsThisScheme opaque-data="here"',
        "Digest",
        'Digest username="101", realm="callpbx"',
        'Digest username="101", realm="else", nonce="n", uri="sip:h", response="r"',
        "Basic MTAxOnNlY3JldA==",
    ],
)
def test_broken_or_foreign_credentials_count_as_none(gate: Gate, text: str) -> None:
    assert gate.check(request(text), 0.0) == Missing()


def test_credentials_for_another_realm_may_stand_in_front(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    other = 'Digest username="a", realm="else", nonce="n", uri="sip:h", response="r"'
    assert gate.check(request(other, answered(challenge)), 0.0) == Verified("101")


def test_a_wrong_password_and_an_unknown_user_fail_alike(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    assert gate.check(request(answered(challenge, password="no")), 0.0) == Failed("101")
    unknown = answered(challenge, username="999")
    assert gate.check(request(unknown), 0.0) == Failed("999")
    assert gate.looked_up == ["101", "999"]


def test_known_and_unknown_users_cost_the_same_hashes(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = auth.digest_response

    def counting(given: Credentials, method: str, ha1: str) -> str:
        hashed.append(given.username)
        return real(given, method, ha1)

    monkeypatch.setattr(auth, "digest_response", counting)
    challenge = gate.challenges(request(), 0.0)[0]
    gate.check(request(answered(challenge, password="no")), 0.0)
    gate.check(request(answered(challenge, username="999")), 0.0)
    assert hashed == ["101", "999"]


def test_a_failed_user_is_named_in_printable_text(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    hostile = str(answered(challenge, username="x")).replace('"x"', '"\\\x07x"')
    verdict = gate.check(request(hostile), 0.0)
    assert isinstance(verdict, Failed)
    assert verdict.username.isprintable()


def test_an_old_nonce_is_stale(gate: Gate) -> None:
    challenge = gate.challenges(request(), 100.0)[0]
    assert gate.check(request(answered(challenge)), 399.9) == Verified("101")
    assert gate.check(request(answered(challenge, count=2)), 400.1) == Stale()
    assert gate.looked_up == ["101"]
    assert all(c.stale for c in gate.challenges(request(), 400.1, stale=True))


def test_a_nonce_is_good_for_its_source_alone(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0, source="192.0.2.66")[0]
    assert gate.check(request(answered(challenge)), 0.0, source=PHONE) == Stale()


def test_a_nonce_of_another_run_is_stale(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    restarted = DigestAuthenticator(REALM, b"another secret")
    verdict = restarted.check(request(answered(challenge)), USERS.get, source=PHONE, now=0.0)
    assert verdict == Stale()


@pytest.mark.parametrize("nonce", ["", "abc", "A" * 32, "=" * 32, "é" * 32, "A" * 5000])
def test_a_made_up_nonce_is_stale_and_tells_nothing(gate: Gate, nonce: str) -> None:
    made_up = replace(gate.challenges(request(), 0.0)[0], nonce=nonce)
    assert gate.check(request(answered(made_up)), 0.0) == Stale()
    assert gate.check(request(answered(made_up, password="no")), 0.0) == Stale()


def test_a_nonce_cannot_be_written_in_two_ways(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    assert gate.check(request(answered(challenge)), 0.0) == Verified("101")
    for twisted in (challenge.nonce[:-1] + "=", challenge.nonce.swapcase()):
        other = replace(challenge, nonce=twisted)
        assert gate.check(request(answered(other)), 0.0) == Stale()


def counts_accepted(gate: Gate, counts: Iterable[int]) -> list[int]:
    challenge = gate.challenges(request(), 0.0)[0]
    accepted = []
    for count in counts:
        verdict = gate.check(request(answered(challenge, count=count)), 0.0)
        assert verdict in (Verified("101"), Stale())
        accepted += [count] if verdict == Verified("101") else []
    return accepted


def test_a_nonce_count_works_once(gate: Gate) -> None:
    assert counts_accepted(gate, [1, 1, 2, 2, 1, 3]) == [1, 2, 3]


def test_counts_that_overtook_each_other_are_accepted(gate: Gate) -> None:
    assert counts_accepted(gate, [3, 1, 2, 1, 2, 3]) == [3, 1, 2]


def test_a_count_too_far_behind_is_refused(gate: Gate) -> None:
    high = COUNT_WINDOW + 10
    assert counts_accepted(gate, [high, 10, 11, 11]) == [high, 11]


def test_a_leap_of_the_count_costs_no_memory(gate: Gate) -> None:
    assert counts_accepted(gate, [1, 2**32 - 1, 1, 2**32 - 2]) == [1, 2**32 - 1, 2**32 - 2]


def test_a_wrong_answer_uses_no_count_up(gate: Gate) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    wrong = answered(challenge, password="no", count=2**32 - 1)
    assert gate.check(request(wrong), 0.0) == Failed("101")
    assert gate.check(request(answered(challenge)), 0.0) == Verified("101")


def test_remembered_nonces_are_bounded_and_still_refuse_replays() -> None:
    gate = Gate(max_nonces=10)
    challenges = [gate.challenges(request(), number / 10.0)[0] for number in range(40)]
    for challenge in challenges[:30]:
        assert gate.check(request(answered(challenge)), 5.0) == Verified("101")
    for challenge in challenges[:30]:
        assert gate.check(request(answered(challenge)), 5.0) == Stale()
    assert gate.check(request(answered(challenges[35])), 5.0) == Verified("101")


def test_expired_nonces_are_forgotten_before_good_ones() -> None:
    gate = Gate(max_nonces=3)
    early = [gate.challenges(request(), 0.0)[0] for _ in range(3)]
    for challenge in early:
        assert gate.check(request(answered(challenge)), 0.0) == Verified("101")
    late = [gate.challenges(request(), 300.0)[0] for _ in range(3)]
    for challenge in late:
        assert gate.check(request(answered(challenge)), 301.0) == Verified("101")
    for challenge in late:
        assert gate.check(request(answered(challenge, count=2)), 302.0) == Verified("101")


@pytest.mark.parametrize(
    "change",
    [
        {"qop": ""},
        {"qop": "auth-int"},
        {"nc": ""},
        {"nc": "00000000"},
        {"nc": "zz"},
        {"response": ""},
        {"response": "é"},
        {"algorithm": "MD5-SESS"},
        {"algorithm": "NONE"},
        {"username": "102"},
        {"uri": "sip:192.0.2.2"},
    ],
)
def test_an_answer_that_was_changed_fails(gate: Gate, change: dict[str, str]) -> None:
    given = answered(gate.challenges(request(), 0.0)[1])
    assert gate.check(request(given), 0.0) == Verified("101")
    changed = replace(given, **{"nc": "00000002", **change})
    assert isinstance(gate.check(request(changed), 0.0), Failed)


def test_an_answer_without_qop_fails_even_when_it_is_right(gate: Gate) -> None:
    challenge = replace(gate.challenges(request(), 0.0)[1], qop=())
    assert gate.check(request(answered(challenge)), 0.0) == Failed("101")


@pytest.mark.parametrize("spelling", ["auth", '"auth"', '"AUTH"'])
def test_qop_and_response_may_be_spelt_as_phones_do(gate: Gate, spelling: str) -> None:
    challenge = gate.challenges(request(), 0.0)[1]
    unsigned = replace(answered(challenge), qop=spelling.strip('"'))
    response = auth.digest_response(unsigned, "REGISTER", USERS["101"].ha1_md5)
    text = str(replace(unsigned, response=response.upper()))
    text = text.replace(f"qop={unsigned.qop}", f"qop={spelling}")
    assert gate.check(request(text), 0.0) == Verified("101")


@pytest.mark.parametrize(
    ("signed", "actual", "same"),
    [
        ("sip:102@callpbx", "sip:102@192.0.2.1:5060;user=phone", True),
        ("sip:192.0.2.1", "sip:callpbx", True),
        ("sip:101@callpbx", "sip:callpbx", True),
        ("sip:%31%302@callpbx", "sip:102@192.0.2.1", True),
        ("callpbx", "sip:callpbx", False),
        ("sip:callpbx", "sip:102@callpbx", False),
        ("sip:103@callpbx", "sip:102@callpbx", False),
        ("tel:102", "sip:102@callpbx", False),
        ("", "sip:callpbx", False),
    ],
)
def test_the_digest_must_be_made_for_whom_is_called(
    gate: Gate, signed: str, actual: str, same: bool
) -> None:
    challenge = gate.challenges(request(), 0.0)[0]
    given = answered(challenge, method="INVITE", uri=signed)
    verdict = gate.check(request(given, method="INVITE", uri=actual), 0.0)
    assert verdict == (Verified("101") if same else Failed("101"))


def test_the_method_is_part_of_the_answer(gate: Gate) -> None:
    given = answered(gate.challenges(request(), 0.0)[0])
    verdict = gate.check(request(given, method="INVITE"), 0.0)
    assert verdict == Failed("101")
