"""Prompts with a real phone: one is recorded by `*77`, and every caller hears it from then on."""

from __future__ import annotations

import time

import pytest

from pbx.demo.driver import wait_for_wav
from pbx.demo.tones import heard, read_wav
from tests.interop.conftest import Phones
from tests.kit.office import OfficeMaker, eventually

HZ = 560
SPOKEN_S = 3.0

DIALPLAN = """\
version: 1
defaults: {language: en}
prompts:
  welcome: {en: Welcome.}
numbers: {"2000": flow:door}
flows:
  door:
    - answer
    - pause: 1s
    - say: welcome
    - pause: 1s
    - hangup
"""


@pytest.mark.interop("pjsua2")
def test_a_prompt_recorded_by_phone_is_heard_by_callers(serve: OfficeMaker, phones: Phones) -> None:
    office = serve(dialplan=DIALPLAN)
    phone = phones.pjsua(office, "101")
    call = phone.dial(office.uri("*77"))
    call.wait("confirmed")
    call.wait_media()
    time.sleep(0.5)
    call.press("1#")
    time.sleep(0.5)
    call.press("3")
    eventually(
        lambda: list((office.folder / "var" / "notes").glob("*-prompt-1.wav")), bool, timeout=20.0
    )
    call.play(HZ)
    time.sleep(SPOKEN_S)
    call.press("#")
    time.sleep(1.0)
    call.press("9")
    kept = office.folder / "sounds" / "en" / "welcome.wav"
    eventually(kept.exists, bool, timeout=20.0)
    sound = read_wav(kept)
    assert sound.seconds == pytest.approx(SPOKEN_S, abs=1.0)
    assert heard(sound.part(0.5, 1.5)) == {HZ}
    assert office.ask("prompts")[0]["state"] == "recorded"
    call.hang_up()

    caller = phones.pjsua(office, "102").dial(office.uri("2000"))
    caller.wait("confirmed")
    caller.wait_media()
    file = caller.listen()
    caller.wait("disconnected", timeout=20.0)
    played = read_wav(wait_for_wav(file))
    seconds = [played.part(start / 4, start / 4 + 0.5) for start in range(int(played.seconds * 4))]
    assert [heard(second) for second in seconds].count({HZ}) >= 4 * (SPOKEN_S - 1.5)
