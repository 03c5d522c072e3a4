import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.keys.codes import WITHHELD, CodeMatcher, Completed, PassedOn, Verdict

CODES = ("*1", "*12", "*2", "##")


def key_in(matcher: CodeMatcher, digits: str, now: float = 0.0) -> str:
    """Key digits 0.1 s apart; return what is decided, codes in brackets."""
    return "".join(said(matcher.key(digit, now + n * 0.1)) for n, digit in enumerate(digits))


def said(verdicts: list[Verdict]) -> str:
    return "".join(
        f"[{verdict.code}]" if isinstance(verdict, Completed) else verdict.digit
        for verdict in verdicts
    )


def test_keys_that_begin_no_code_pass_at_once():
    matcher = CodeMatcher(CODES)
    assert key_in(matcher, "159") == "159"
    assert matcher.due is None


def test_a_code_is_told_and_none_of_its_keys_is_passed_on():
    assert key_in(CodeMatcher(CODES), "5*26") == "5[*2]6"


def test_a_key_that_may_begin_a_code_is_withheld_for_a_second():
    matcher = CodeMatcher(CODES)
    assert matcher.key("*", 10.0) == []
    assert matcher.withheld == "*"
    assert matcher.due == 10.0 + WITHHELD
    assert matcher.expire(10.0 + WITHHELD - 0.01) == []
    assert matcher.expire(10.0 + WITHHELD) == [PassedOn("*")]
    assert matcher.due is None


def test_keys_that_make_no_code_are_passed_on_in_order():
    assert key_in(CodeMatcher(CODES), "*9#7") == "*9#7"


def test_a_code_may_begin_with_the_key_that_spoils_another():
    assert key_in(CodeMatcher(CODES), "*##") == "*[##]"
    assert key_in(CodeMatcher(CODES), "**2") == "*[*2]"


def test_a_code_that_begins_a_longer_one_waits_for_it():
    matcher = CodeMatcher(CODES)
    assert key_in(matcher, "*1") == ""
    assert said(matcher.key("2", 0.5)) == "[*12]"


def test_a_code_that_begins_a_longer_one_is_told_after_a_second():
    matcher = CodeMatcher(CODES)
    assert key_in(matcher, "*1") == ""
    assert said(matcher.expire(WITHHELD)) == "[*1]"


def test_a_code_that_begins_a_longer_one_is_told_when_another_key_comes():
    assert key_in(CodeMatcher(CODES), "*13") == "[*1]3"
    assert key_in(CodeMatcher(CODES), "*1##") == "[*1][##]"


def test_the_shorter_code_is_told_when_the_longer_one_breaks_off():
    assert key_in(CodeMatcher(["*1", "*123"]), "*125") == "[*1]25"


def test_a_late_key_does_not_complete_a_code():
    matcher = CodeMatcher(CODES)
    matcher.key("*", 0.0)
    assert said(matcher.key("2", WITHHELD + 0.2)) == "*2"


def test_what_waits_is_decided_at_the_end():
    matcher = CodeMatcher(CODES)
    key_in(matcher, "*1")
    assert said(matcher.finish()) == "[*1]"
    assert matcher.finish() == []


def test_without_codes_everything_passes():
    assert key_in(CodeMatcher([]), "*#12") == "*#12"


KEYS = st.lists(st.tuples(st.sampled_from("12*#"), st.floats(0, 1.5)), max_size=12)


@given(st.lists(st.text("12*#", min_size=1, max_size=4), max_size=5), KEYS)
def test_nothing_is_lost_invented_or_overtaken_and_nothing_waits_too_long(codes, keys):
    matcher = CodeMatcher(codes)
    told: list[tuple[float, Verdict]] = []
    pressed_at = []
    now = 0.0
    for digit, pause in keys:
        while matcher.due is not None and matcher.due <= now + pause:
            due = matcher.due
            told += [(due, verdict) for verdict in matcher.expire(due)]
        now += pause
        pressed_at.append(now)
        told += [(now, verdict) for verdict in matcher.key(digit, now)]
    told += [(now, verdict) for verdict in matcher.finish()]
    parts = [(at, v.code if isinstance(v, Completed) else v.digit) for at, v in told]
    assert "".join(part for _, part in parts) == "".join(digit for digit, _ in keys)
    assert {v.code for _, v in told if isinstance(v, Completed)} <= set(codes)
    decided_at = [at for at, part in parts for _ in part]
    assert all(
        at - pressed <= WITHHELD + 1e-6 for at, pressed in zip(decided_at, pressed_at, strict=True)
    )


@given(st.text("12*#", min_size=1, max_size=4), st.text("3456789", max_size=3))
def test_a_code_that_is_keyed_in_time_is_always_told(code, before):
    assert key_in(CodeMatcher([code]), before + code) == f"{before}[{code}]"


@pytest.mark.parametrize("digits", ["3456", "0AB"])
def test_keys_of_no_code_are_never_withheld(digits: str):
    matcher = CodeMatcher(CODES)
    assert [said(matcher.key(digit, 0.0)) for digit in digits] == list(digits)
