"""Challenges that are answered, and those that are not: whose, where, how often."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.sip.account import MAX_ANSWERS, Account, Proofs
from pbx.sip.digest import Challenge, Credentials, digest_response, make_ha1
from pbx.sip.message import Response

CARRIER = ("198.51.100.7", 5060)
URI = "sip:110@198.51.100.7"


def challenged(*challenges: str, status: int = 407) -> Response:
    response = Response(status)
    name = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
    for challenge in challenges:
        response.headers.add(name, challenge)
    return response


def challenge(realm: str = "carrier", nonce: str = "n1", **told: Any) -> str:
    return str(Challenge(realm, nonce, **told))


def proofs(account: Account | None = None) -> Proofs:
    return Proofs(account or Account("u", "geheim", addresses={CARRIER}))


def answered(proofs: Proofs, response: Response, remote: tuple[str, int] = CARRIER) -> bool:
    return proofs.answer(
        response, remote=remote, method="INVITE", uri=URI, cnonce=lambda: "0a4f113b"
    )


def given(proofs: Proofs) -> Credentials:
    (line,) = proofs.lines.splitlines()
    return Credentials.parse(line.partition(": ")[2])


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", [("auth",), ()])
def test_the_answer_is_the_one_that_the_carrier_reckons(
    algorithm: str, qop: tuple[str, ...]
) -> None:
    own = proofs()
    assert answered(own, challenged(challenge(algorithm=algorithm, qop=qop)))
    credentials = given(own)
    assert (credentials.username, credentials.realm, credentials.uri) == ("u", "carrier", URI)
    ha1 = make_ha1("u", "carrier", "geheim").ha1(algorithm)
    assert credentials.response == digest_response(credentials, "INVITE", ha1)


def test_the_header_is_the_one_that_belongs_to_the_status() -> None:
    for status, name in ((401, "Authorization: "), (407, "Proxy-Authorization: ")):
        own = proofs()
        assert answered(own, challenged(challenge(), status=status))
        assert own.lines.startswith(name)


def test_a_stranger_is_answered_nothing() -> None:
    own = proofs()
    assert not answered(own, challenged(challenge()), ("203.0.113.1", 5060))
    assert not answered(own, challenged(challenge()), ("198.51.100.7", 5070))
    assert own.lines == ""


def test_the_first_realm_is_pinned_and_another_is_told_once() -> None:
    told: list[str] = []
    account = Account("u", "geheim", addresses={CARRIER}, refused=told.append)
    assert answered(proofs(account), challenged(challenge("carrier")))
    for _ in range(3):
        assert not answered(proofs(account), challenged(challenge("evil")))
    assert told == ["evil"]
    assert answered(proofs(account), challenged(challenge("evil"), challenge("carrier")))
    assert account.realm == "carrier"


def test_a_known_realm_is_pinned_from_the_start() -> None:
    account = Account("u", "geheim", addresses={CARRIER}, realm="carrier")
    assert not answered(proofs(account), challenged(challenge("evil")))


def test_a_second_challenge_is_answered_only_where_the_nonce_was_stale() -> None:
    own = proofs()
    assert answered(own, challenged(challenge(nonce="a")))
    assert not answered(own, challenged(challenge(nonce="b"))), "the password is wrong"
    assert not answered(own, challenged(challenge(nonce="a", stale=True))), "it was answered"
    assert answered(own, challenged(challenge(nonce="c", stale=True)))


def test_a_proxy_and_the_server_behind_it_may_both_ask() -> None:
    own = proofs()
    assert answered(own, challenged(challenge(nonce="a"), status=407))
    assert answered(own, challenged(challenge(nonce="b"), status=401))
    assert len(own.lines.splitlines()) == 2


def test_it_is_not_answered_for_ever() -> None:
    own = proofs()
    for number in range(MAX_ANSWERS):
        assert answered(own, challenged(challenge(nonce=f"n{number}", stale=True)))
    assert not answered(own, challenged(challenge(nonce="last", stale=True)))


def test_a_nonce_that_is_used_again_is_counted() -> None:
    account = Account("u", "geheim", addresses={CARRIER})
    counts = []
    for _ in range(3):
        own = proofs(account)
        answered(own, challenged(challenge(nonce="same")))
        counts.append(given(own).nonce_count)
    assert counts == [1, 2, 3]


@pytest.mark.parametrize(
    "response",
    [
        challenged(),
        challenged("Basic realm=carrier"),
        challenged("Digest realm"),
        challenged(challenge(algorithm="SHA-512-256")),
        Response(403),
    ],
)
def test_what_cannot_be_answered_is_final(response: Response) -> None:
    assert not answered(proofs(), response)
