"""Addresses with values: the file says where, values only say what."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.plan.text import parse_text
from pbx.plan.url import MAX_TARGET, EmptyValue, Url, UrlText, parse_url


def url(text: str) -> UrlText:
    return parse_url(parse_text(text))


def target(text: str, **values: str) -> str:
    return url(text).fill(values).target


def test_an_address_is_read() -> None:
    found = url("HTTPS://CRM.local:8443/api/by-phone/${number}?full=yes").fill({"number": "123"})
    assert found == Url("https", "crm.local", 8443, "/api/by-phone/123?full=yes")
    assert found.authority == "crm.local:8443"


def test_path_port_and_brackets_may_be_as_they_like() -> None:
    assert url("http://crm.local").fill({}) == Url("http", "crm.local", 80, "/")
    assert url("http://crm.local?a=1").fill({}).target == "/?a=1"
    six = url("https://[2001:DB8::1]:443/").fill({})
    assert (six.host, six.authority) == ("2001:db8::1", "[2001:db8::1]")


def test_fixed_texts_are_encoded_where_they_have_to_be() -> None:
    assert target("http://a.example/客户/a b%20c?q=ä") == ("/%E5%AE%A2%E6%88%B7/a%20b%20c?q=%C3%A4")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
        ("@evil.example", "%40evil.example"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("..\\", "..%5C"),
        ("{{7*7}}${number}", "%7B%7B7%2A7%7D%7D%24%7Bnumber%7D"),
        ("客户", "%E5%AE%A2%E6%88%B7"),
        ("\ud800", "%3F"),
    ],
)
def test_a_value_is_one_segment_or_one_value_of_the_query(value: str, encoded: str) -> None:
    assert target("http://a.example/x/${number}/y", number=value) == f"/x/{encoded}/y"
    assert target("http://a.example/?n=${number}&m=1", number=value) == f"/?n={encoded}&m=1"


@given(st.text(min_size=1, max_size=80))
def test_no_value_leaves_its_segment(value: str) -> None:
    try:
        found = target("http://a.example/in/${number}/out", number=value)
    except ValueError:
        assert value in (".", "..")
        return
    first, second, third, last = found.split("/")
    assert (first, second, last) == ("", "in", "out")
    assert found.isascii()
    assert not set(third) & set("?#@:\r\n ")
    assert unquote(third, errors="replace") == value.encode(errors="replace").decode()


@pytest.mark.parametrize("value", [".", ".."])
def test_a_value_cannot_leave_its_folder(value: str) -> None:
    with pytest.raises(ValueError, match="way out"):
        target("http://a.example/x/${number}", number=value)
    with pytest.raises(ValueError, match="way out"):
        target("http://a.example/x/%2E${number}", number=".")
    assert target("http://a.example/?n=${number}", number=value) == f"/?n={value}"


def test_an_empty_value_in_the_path_asks_nothing() -> None:
    with pytest.raises(EmptyValue):
        target("http://a.example/customers/${number}", number="")
    with pytest.raises(EmptyValue):
        target("http://a.example/${missing}/orders")
    assert target("http://a.example/customers/n${number}", number="") == "/customers/n"
    assert target("http://a.example/?n=${number}", number="") == "/?n="


def test_an_endless_value_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        target("http://a.example/${number}", number="1" * (MAX_TARGET + 1))


@pytest.mark.parametrize(
    "text",
    [
        "${number}",
        "${host}://crm.local/",
        "http://${host}/",
        "https://crm.local${number}",
        "https://crm.local.${number}/",
        "https://crm.local:${port}/",
        "ftp://crm.local/",
        "file:///etc/passwd",
        "crm.local/api",
        "",
        "http:///x",
        "http://user:password@crm.local/",
        "http://crm.local@evil.example/",
        "http://crm.local\\@evil.example/",
        "http://crm.local:99999/",
        "http://crm.local:0/",
        "http://crm.local:/",
        "http://crm.local/#${number}",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://crm.local./",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        " http://crm.local/",
        "http://crm.local\r\nX: y/",
    ],
)
def test_no_value_and_no_odd_spelling_chooses_the_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"must begin|needs a|has "):
        url(text)
