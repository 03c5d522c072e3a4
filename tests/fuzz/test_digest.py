"""Whatever stands in Authorization or WWW-Authenticate: a value, or a `MessageError`; never more.

The authenticator never raises, and lets nobody in by luck.
"""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from pbx.errors import MessageError
from pbx.sip.auth import DigestAuthenticator, Failed, Missing, Stale, make_ha1
from pbx.sip.digest import Challenge, Credentials, parse_challenges
from pbx.sip.message import Request

NAMES = ("username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce")
VALUES = ("101", "callpbx", "MD5", "SHA-256", "auth", "00000001", "sip:h", "ffffffff", "true")

values = st.one_of(st.sampled_from(VALUES), st.text(max_size=40))
written = st.one_of(
    values.map('"{}"'.format), values, st.sampled_from(["", '"', '"\\', '\\"', ",", "=", '""'])
)
parameters = st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=10)), written)
digests = st.lists(parameters, max_size=14).map(
    lambda pairs: "Digest " + ", ".join(f"{name}={value}" for name, value in pairs)
)
texts = st.one_of(
    digests,
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda octets: octets.decode("utf-8", "surrogateescape")),
).map(lambda text: text.replace("\r", " ").replace("\n", " ").replace("\0", " "))

GUARDED = DigestAuthenticator("callpbx", b"secret")
SECRET = make_ha1("101", "callpbx", "a password that nobody draws")


@given(texts)
@example("Digest " + 'a="' + "\\" * 8000)
@example("Digest " + "," * 8000)
@example("Digest " + "a=b" * 2500)
def test_a_value_is_read_or_refused_and_written_so_that_it_reads_the_same(text: str) -> None:
    for kind in (Challenge, Credentials):
        try:
            value = kind.parse(text)
        except MessageError:
            continue
        assert isinstance(str(value), str)
    parse_challenges([text])


@given(st.lists(texts, max_size=3), st.text(max_size=20))
def test_the_authenticator_never_raises_and_never_lets_garbage_in(
    headers: list[str], source: str
) -> None:
    request = Request("REGISTER", "sip:callpbx", [("Authorization", text) for text in headers])
    verdict = GUARDED.check(request, lambda user: SECRET, source=source, now=0.0)
    assert isinstance(verdict, Missing | Stale)


@given(
    uri=st.text(max_size=40),
    nc=st.text(max_size=10),
    cnonce=st.text(max_size=20),
    response=st.text(max_size=70),
    algorithm=st.sampled_from(["MD5", "SHA-256", "MD5-sess", "x"]),
    username=st.text(max_size=20),
)
def test_a_good_nonce_with_garbage_around_it_is_a_failure(
    uri: str, nc: str, cnonce: str, response: str, algorithm: str, username: str
) -> None:
    ((_, first), _) = GUARDED.challenge(Request("INVITE", "sip:1@h"), source="s", now=0.0)
    nonce = Challenge.parse(first).nonce
    text = str(
        Credentials(username, "callpbx", nonce, uri, response, algorithm, "auth", "1", cnonce)
    ).replace("nc=1", f'nc="{nc}"')
    request = Request("INVITE", "sip:1@h")
    request.headers.add("Authorization", "".join(c for c in text if c not in "\r\n\0"))
    verdict = GUARDED.check(request, lambda user: SECRET, source="s", now=0.0)
    assert isinstance(verdict, Failed | Missing)
