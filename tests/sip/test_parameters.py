"""`;name=value` lists of headers and of URIs."""

from __future__ import annotations

import pytest

from pbx.errors import MessageError
from pbx.sip.parameters import NO_PARAMETERS, Parameters


def test_names_are_case_blind_and_values_are_not() -> None:
    parameters = Parameters.parse(";Branch=z9hG4bKaB;RPORT")
    assert parameters.get("branch") == "z9hG4bKaB"
    assert "rport" in parameters
    assert parameters.get("rport") is None
    assert "received" not in parameters


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        (";a", ";a"),
        (";a=1;b;c=x@y/z", ";a=1;b;c=x@y/z"),
        (" ; tag = 98asjd8 ", ";tag=98asjd8"),
        (';+sip.instance="<urn:uuid:1;2>" ; q= 0.33', ';+sip.instance="<urn:uuid:1;2>";q=0.33'),
        (";received=2001:db8::1", ";received=2001:db8::1"),
        (";a==", ";a=="),
    ],
)
def test_header_parameters_are_read_and_written(text: str, written: str) -> None:
    parameters = Parameters.parse(text)
    assert str(parameters) == written
    assert Parameters.parse(written) == parameters


def test_quoted_values_are_returned_without_quotes() -> None:
    assert Parameters.parse(';text="a \\"b\\"; c"').get("text") == 'a "b"; c'


@pytest.mark.parametrize(
    "text", [";", ";;", ";;;;", "a", ";a=", ";=1", ';a="b', ";a b", ";a=1;", ";a=<b>", ';a=b"c']
)
def test_gaps_and_loose_ends_are_a_400(text: str) -> None:
    with pytest.raises(MessageError, match="bad_parameters"):
        Parameters.parse(text)


@pytest.mark.parametrize("text", [";a;a", ";tag=1;TAG=2", '; a; b; a = "c"'])
def test_a_name_comes_once(text: str) -> None:
    with pytest.raises(MessageError, match="duplicate_parameter"):
        Parameters.parse(text)


def test_uri_parameters_may_be_escaped() -> None:
    parameters = Parameters.parse_uri(";%6C%72;n%61me=v%61lue%25%34%31")
    assert "lr" in parameters
    assert parameters.get("name") == "v%61lue%25%34%31"
    assert str(parameters) == ";%6C%72;n%61me=v%61lue%25%34%31"


@pytest.mark.parametrize("text", [";", ";a=%zz", ';a="b"', "; a", ";a=b;", ";a=ü", ";a=@"])
def test_uri_parameters_have_a_narrower_grammar(text: str) -> None:
    with pytest.raises(MessageError, match="bad_uri_parameters"):
        Parameters.parse_uri(text)


def test_an_escaped_name_is_the_same_name() -> None:
    with pytest.raises(MessageError, match="duplicate_parameter"):
        Parameters.parse_uri(";lr;%6cr")


def test_copies_change_and_the_original_stays() -> None:
    original = Parameters.parse(";rport;branch=1")
    assert str(original.replace("rport", "5060")) == ";rport=5060;branch=1"
    assert str(original.replace("received", "192.0.2.1")) == ";rport;branch=1;received=192.0.2.1"
    assert str(original.without("rport", "ttl")) == ";branch=1"
    assert str(original) == ";rport;branch=1"


def test_values_that_need_quotes_get_them() -> None:
    parameters = Parameters([("text", 'busy; "really"\r\n'), ("cause", "17"), ("flag", None)])
    assert str(parameters) == ';text="busy; \\"really\\"  ";cause=17;flag'


def test_equal_lists_hold_the_same_whatever_the_order() -> None:
    left, right = Parameters.parse(";a=1;b"), Parameters.parse("; B ;A=1")
    assert left == right
    assert hash(left) == hash(right)
    assert left != Parameters.parse(";a=2;b")
    assert left != ";a=1;b"


def test_iteration_keeps_the_order_and_the_quotes() -> None:
    assert list(Parameters.parse(';B="x";a')) == [("b", '"x"'), ("a", None)]
    assert len(NO_PARAMETERS) == 0
    assert repr(Parameters.parse(";a")) == "Parameters(';a')"
