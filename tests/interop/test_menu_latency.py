"""Keys in menus, from phones: each ends the prompt that is heard and brings the next one.

What it takes in milliseconds measures benchmarks/menus.py; here no prompt is heard to its end that
a key was to end, whatever the codec and however the key comes, and nobody among many gets the
wrong one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.conftest import Phones
from tests.kit.callers import Caller
from tests.kit.office import OfficeMaker, TestedOffice, eventually
from tests.kit.phones.sipp import Sipp
from tests.kit.tones import tone, write_wav

FIRST_HZ, SECOND_HZ, THIRD_HZ = 460, 820, 1_270
LONG_S = 60.0
"""Longer than any of these tests: who hears the next prompt did not hear this one to its end."""

DIALPLAN = """
version: 1
defaults: {language: en, operator: ext:101}
prompts:
  first: {en: First.}
  second: {en: Second.}
  third: {en: Third.}
  short: {en: Press 1.}
numbers: {"900": menu:first, "901": menu:short}
menus:
  first: {prompt: first, keys: {1: menu:second}, give_up: operator}
  second: {prompt: second, keys: {1: menu:third, 2: menu:first}, give_up: operator}
  third: {prompt: third, interrupt: no, keys: {1: menu:first}, give_up: operator}
  short: {prompt: short, keys: {1: flow:chosen}, give_up: operator}
flows:
  chosen: [{say: short}, {tag: chosen}, hangup]
"""


@pytest.fixture
def menus(serve: OfficeMaker) -> TestedOffice:
    """Return an office that serves these menus."""
    office = serve(dialplan=DIALPLAN, codecs=("pcmu", "pcma", "g722", "opus"))
    sounds = office.folder / "sounds" / "en"
    sounds.mkdir(parents=True)
    for name, hz in (("first", FIRST_HZ), ("second", SECOND_HZ), ("third", THIRD_HZ)):
        write_wav(sounds / f"{name}.wav", tone(hz, LONG_S))
    write_wav(sounds / "short.wav", tone(SECOND_HZ, 0.3))
    return office


@pytest.mark.interop("pjsua2")
@pytest.mark.parametrize(
    ("codec", "method"),
    [
        ("PCMU", "rfc4733"),
        ("G722", "rfc4733"),
        ("PCMA", "info"),
        ("PCMA", "tones"),
    ],
)
def test_a_key_ends_a_prompt_before_its_end(
    menus: TestedOffice, phones: Phones, codec: str, method: str
) -> None:
    phone = phones.pjsua(menus, "101", codecs=codec, events=method != "tones")
    call = phone.dial(menus.uri("900"))
    call.wait("confirmed")
    caller = Caller(call, {})
    caller.hears_tone(FIRST_HZ)
    caller.presses("1", method=method)
    caller.hears_tone(SECOND_HZ)
    caller.presses("2", method=method)
    caller.hears_tone(FIRST_HZ)
    call.hang_up()
    assert menus.record()["path"] == ["numbers:900", "menu:first:1", "menu:second:2", "menu:first"]


@pytest.mark.interop("pjsua2")
def test_keys_that_are_pressed_ahead_skip_prompts_and_one_that_may_not_be_ended_goes_on(
    menus: TestedOffice, phones: Phones
) -> None:
    phone = phones.pjsua(menus, "101")
    call = phone.dial(menus.uri("900"))
    call.wait("confirmed")
    caller = Caller(call, {})
    caller.hears_tone(FIRST_HZ)
    caller.presses("11")
    caller.hears_tone(THIRD_HZ)
    caller.presses("1")
    caller.hears_tone(THIRD_HZ)
    call.hang_up()
    assert menus.record()["path"] == ["numbers:900", "menu:first:1", "menu:second:1", "menu:third"]


@pytest.mark.interop("sipp")
@pytest.mark.load
def test_a_hundred_callers_in_a_menu_all_get_where_their_key_leads(
    menus: TestedOffice, tmp_path: Path
) -> None:
    menus.add_load_trunk(port=5081)
    with Sipp(
        "chooser",
        tmp_path,
        port=5081,
        target=menus.server,
        calls=100,
        rate=50,
        pause_ms=1000,
        number="901",
    ) as sipp:
        report = sipp.finish(timeout=60)
    assert (report.succeeded, report.failed) == (100, 0), report
    records = eventually(
        lambda: menus.ask("cdr", "list", "--limit", "200"), lambda rows: len(rows) >= 100
    )
    assert {tuple(record["path"]) for record in records} == {("numbers:901", "menu:short:1")}
    assert {tuple(record["tags"]) for record in records} == {("chosen",)}
    assert menus.ask("calls") == []
