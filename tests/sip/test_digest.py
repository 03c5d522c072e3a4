"""Digest header values and hashes, against the examples of the RFCs and of real clients."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.digest import (
    ALGORITHMS,
    MAX_PARAMETERS,
    Challenge,
    Credentials,
    answer,
    digest_response,
    make_ha1,
    parse_challenges,
)

RFC7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
    'algorithm={}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{}", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    given = Credentials.parse(RFC7616.format(algorithm, response))
    ha1 = make_ha1("Mufasa", "http-auth@example.org", "Circle of Life").ha1(algorithm)
    assert digest_response(given, "GET", ha1) == response
    assert given.nonce_count == 1


def test_the_example_of_rfc_2617_without_qop_is_hashed_the_old_way() -> None:
    given = Credentials.parse(
        'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", response="670fd8c2df070c60b045671b8b24ff02"'
    )
    ha1 = make_ha1("Mufasa", "testrealm@host.com", "Circle Of Life").ha1_md5
    assert digest_response(given, "GET", ha1) == given.response


def test_credentials_are_read_as_phones_write_them() -> None:
    given = Credentials.parse(
        'DIGEST username="101",realm="callpbx",nonce="abc",uri="sip:127.0.0.1",'
        'cnonce="d9ab26cc",nc=0000000A,algorithm="md5",qop="auth",response="e4e5",x=y,'
    )
    assert given == Credentials(
        "101", "callpbx", "abc", "sip:127.0.0.1", "e4e5", "MD5", "auth", "0000000A", "d9ab26cc"
    )
    assert given.nonce_count == 10


def test_quoted_values_are_unescaped() -> None:
    given = Credentials.parse(
        r'Digest username="a\"b\\c, d=e", realm="r", nonce="n", uri="sip:h", response=""'
    )
    assert given.username == r'a"b\c, d=e'


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Digest",
        "Basic QWxhZGRpbg==",
        'NoOneKnowsThisScheme opaque-data="here"',
        "Digest username",
        'Digest username="101',
        'Digest username="101" realm="r", nonce="n", uri="u", response="x"',
        'Digest username="101", username="102", realm="r", nonce="n", uri="u", response="x"',
        "Digest " + ", ".join(f"p{number}=1" for number in range(MAX_PARAMETERS + 1)),
    ],
)
def test_what_is_no_digest_is_a_message_error(text: str) -> None:
    with pytest.raises(MessageError):
        Credentials.parse(text)
    with pytest.raises(MessageError):
        Challenge.parse(text)


def test_an_answer_needs_its_response() -> None:
    with pytest.raises(MessageError):
        Credentials.parse('Digest username="101", realm="r", nonce="n", uri="u"')


@pytest.mark.parametrize(
    ("nc", "count"),
    [("00000001", 1), ("ffffffff", 2**32 - 1), ("1", 1), ("", 0), ("0x1", 0), ("1" * 9, 0)],
)
def test_a_nonce_count_is_hexadecimal(nc: str, count: int) -> None:
    assert Credentials("u", "r", "n", "sip:h", "", nc=nc).nonce_count == count


def test_challenges_are_written_and_read_back() -> None:
    challenge = Challenge("my realm", "n0", "SHA-256", ("auth",), opaque='"q"', stale=True)
    assert str(challenge) == (
        'Digest realm="my realm", nonce="n0", qop="auth", opaque="\\"q\\"", stale=true, '
        "algorithm=SHA-256"
    )
    assert Challenge.parse(str(challenge)) == challenge


def test_a_challenge_without_qop_or_algorithm_is_old_style_md5() -> None:
    challenge = Challenge.parse('Digest realm="r", nonce="n"')
    assert challenge == Challenge("r", "n", "MD5", ())


def test_challenges_that_cannot_be_answered_are_passed_over() -> None:
    values = [
        "Negotiate",
        'Digest realm="r", nonce="1", algorithm=AKAv1-MD5',
        'Digest realm="r", nonce="2", qop="auth-int"',
        'Digest realm="r", nonce="3", qop="auth-int, auth", algorithm=sha-256',
        'Digest realm="r", nonce="4"',
    ]
    assert [challenge.nonce for challenge in parse_challenges(values)] == ["3", "4"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int", "auth")])
def test_an_answer_is_what_the_server_expects(algorithm: str, qop: tuple[str, ...]) -> None:
    challenge = Challenge("carrier", "n1", algorithm, qop, opaque="o")
    given = answer(
        challenge,
        method="REGISTER",
        uri="sip:carrier.example",
        username="4008001234",
        password='p"w',
        cnonce="c0ffee",
        nonce_count=17,
    )
    received = Credentials.parse(str(given))
    assert received == given
    assert received.opaque == "o"
    assert received.nc == ("00000011" if qop else "")
    ha1 = make_ha1("4008001234", "carrier", 'p"w').ha1(algorithm)
    assert digest_response(received, "REGISTER", ha1) == received.response
