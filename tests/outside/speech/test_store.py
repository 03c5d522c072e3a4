"""What a saying sounds like: recordings, files, voices, and what is heard where all that fails."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pbx.errors import Refused
from pbx.outside.speech import engines, store
from pbx.speech.saying import Saying
from tests.outside.speech.kit import Booth, Wanted, write_wav

WELCOME = Saying("zh", words="欢迎", name="welcome")
OPENED = Saying("en", words="Welcome.", name="welcome")
PHRASE = Saying("en", words="Goodbye.", name="goodbye", phrase=True)


@pytest.fixture(autouse=True)
def _engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be espeak-ng and no other engine, whatever is installed here."""
    monkeypatch.setattr(engines, "has_espeak", lambda: True)
    monkeypatch.setattr(engines, "_has", lambda *_: False)


def booth(folder: Path, scenario: Callable[[Booth], Awaitable[None]], **wishes: Any) -> Booth:
    """Run a scenario with a store, and close it."""
    made = Booth(folder, **wishes)

    async def ran() -> None:
        try:
            await scenario(made)
        finally:
            await made.store.close()

    asyncio.run(ran())
    return made


def install_neural(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all engines be installed."""
    monkeypatch.setattr(engines, "_has", lambda *_: True)


def test_words_are_rendered_once_and_then_at_hand(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        first = await made.store.sources(WELCOME)
        assert await made.store.sources(WELCOME) == first
        (source,) = first
        assert Path(source.removeprefix("file:")).parent == made.rendered

    made = booth(tmp_path, scenario)
    (order,) = made.orders
    assert (order["make"], order["voice"], order["words"]) == (
        "espeak-ng",
        "cmn-latn-pinyin",
        "欢迎",
    )
    assert made.alarms == []


def test_two_who_ask_for_one_text_wait_for_one_rendering(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        first, second = await asyncio.gather(
            made.store.sources(WELCOME), made.store.sources(WELCOME, WELCOME)
        )
        assert second == first * 2

    assert booth(tmp_path, scenario).said == ["欢迎"]


def test_the_file_depends_on_words_language_voice_speed_and_engine(tmp_path: Path) -> None:
    sayings = (WELCOME, OPENED, Saying("zh", words="欢迎。"), Saying("yue", words="欢迎"))
    wishes: list[dict[str, Any]] = [
        {},
        {"speed": 1.2},
        {"voices": {"zh": "hak", "en": "en-gb", "yue": "hak"}},
        {"engine": "http", "url": "http://a/"},
        {"engine": "http", "url": "http://b/"},
    ]
    names: list[str] = []

    async def scenario(made: Booth) -> None:
        names.extend(map(os.path.basename, await made.store.sources(*sayings)))

    for number, wish in enumerate(wishes):
        booth(tmp_path / str(number), scenario, **wish)
    assert len(set(names)) == len(sayings) * len(wishes)


def test_a_recording_of_that_name_is_played_in_place_of_words_and_files(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        recorded = write_wav(made.sounds / "en" / "welcome.wav")
        elsewhere = Saying("en", path="sounds/other.wav", name="welcome")
        assert await made.store.sources(OPENED, elsewhere) == (f"file:{recorded}",) * 2
        assert await made.store.sources(WELCOME) != (f"file:{recorded}",)

    assert booth(tmp_path, scenario).said == ["欢迎"]


def test_a_phrase_is_replaced_in_all_languages_by_one_file(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        for_all = write_wav(made.sounds / "goodbye.wav")
        assert await made.store.sources(PHRASE) == (f"file:{for_all}",)
        prompt = Saying("en", words="Goodbye.", name="goodbye")
        assert await made.store.sources(prompt) != (f"file:{for_all}",)
        own = write_wav(made.sounds / "en" / "goodbye.wav")
        assert await made.store.sources(PHRASE) == (f"file:{own}",)

    booth(tmp_path, scenario)


def test_a_file_of_the_office_is_played_as_it_is(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        path = write_wav(made.sounds / "en" / "main.wav")
        saying = Saying("en", path="sounds/en/main.wav", name="main_menu")
        assert await made.store.sources(saying) == (f"file:{path}",)

    assert booth(tmp_path, scenario).alarms == []


def test_a_raw_file_is_played_as_wav(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        (made.sounds / "main.ulaw").write_bytes(b"\x7f" * 800)
        made.rendered.mkdir(parents=True)
        saying = Saying("en", path="sounds/main.ulaw")
        (source,) = await made.store.sources(saying)
        assert Path(source.removeprefix("file:")).read_bytes()[:4] == b"RIFF"
        assert await made.store.sources(saying) == (source,)

    booth(tmp_path, scenario)


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/passwd", "sounds/../../x.wav", "link.wav"])
def test_a_path_out_of_the_office_is_a_beep_and_an_alarm(tmp_path: Path, path: str) -> None:
    async def scenario(made: Booth) -> None:
        write_wav(tmp_path / "secret.wav")
        (made.office / "link.wav").symlink_to(tmp_path / "secret.wav")
        assert await made.store.sources(Saying("en", path=path)) == ("tone:beep",)

    (alarm,) = booth(tmp_path, scenario).alarms
    assert path in alarm


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        write_wav(made.office / "secret.wav")
        assert made.store.recording_of(Saying("en", name="../../secret")) is None
        (made.sounds / "en").mkdir()
        (made.sounds / "en" / "linked.wav").symlink_to(made.office / "secret.wav")
        assert made.store.recording_of(Saying("en", name="linked")) is None
        with pytest.raises(Refused):
            await made.store.keep_prompt("file:/x.wav", "en", "../../../x")

    booth(tmp_path, scenario)


def test_nothing_is_played_for_no_words(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        assert await made.store.sources(Saying("en", words=" "), Saying("en")) == ()
        assert await made.store.sources() == ()

    booth(tmp_path, scenario)


def test_where_nothing_speaks_there_is_a_beep_and_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_espeak", lambda: False)

    async def scenario(made: Booth) -> None:
        assert await made.store.sources(WELCOME) == ("tone:beep",)
        assert not await made.store.render(WELCOME)
        monkeypatch.setattr(engines, "has_espeak", lambda: True)
        assert await made.store.sources(WELCOME) != ("tone:beep",)

    alarms = booth(tmp_path, scenario).alarms
    assert "nothing here speaks zh" in alarms[0]
    assert "apt-get install espeak-ng" in alarms[0]


def test_where_nothing_speaks_recorded_words_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_espeak", lambda: False)

    async def scenario(made: Booth) -> None:
        goodbye = write_wav(tmp_path / "allison" / "goodbye.wav")
        assert await made.store.sources(PHRASE) == (f"file:{goodbye}",)

    assert booth(tmp_path, scenario, recorded={"en": str(tmp_path / "allison")}).alarms == []


def test_a_failure_costs_that_saying_and_is_told_once(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        failing = [Saying("zh", words=f"FAIL {number}") for number in range(3)]
        beep, welcome, *beeps = await made.store.sources(failing[0], WELCOME, *failing[1:])
        assert (beep, *beeps) == ("tone:beep",) * 3
        assert (welcome,) == await made.store.sources(WELCOME)
        assert len(made.alarms) == 1
        await made.store.sources(failing[0])
        assert len(made.orders) == 4, "what failed is not tried again at once"
        made.clock += store.RETRY
        await made.store.sources(failing[0])
        assert len(made.orders) == 5

    assert "espeak-ng could not speak zh: the voice is hoarse" in booth(tmp_path, scenario).alarms


def test_another_voice_speaks_where_the_best_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_neural(monkeypatch)
    spoken: list[str] = []

    async def scenario(made: Booth) -> None:
        monkeypatch.setattr(made.store._neural, "_command", ("/nowhere/python",))
        spoken.extend(await made.store.sources(WELCOME))

    made = booth(tmp_path, scenario)
    assert [order["make"] for order in made.orders] == ["espeak-ng"]
    assert spoken[0].startswith(f"file:{made.rendered}")
    assert len(made.alarms) == 1
    assert "kokoro could not speak zh" in made.alarms[0]


def test_another_voice_steps_in_where_the_best_one_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_neural(monkeypatch)
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    gate = tmp_path / "gate"

    async def scenario(made: Booth) -> None:
        saying = Saying("zh", words=f"gate:{gate}")
        monkeypatch.setattr(store, "name_of", lambda engine, *_: f"{engine}.wav")
        quick = asyncio.create_task(made.store.sources(saying))
        while [order["make"] for order in made.orders].count("espeak-ng") == 0:
            await asyncio.sleep(0)  # until the caller has waited long enough for the slow voice
        gate.touch()
        assert await quick == (f"file:{made.rendered}/espeak-ng.wav",)
        while await made.store.sources(saying) != (f"file:{made.rendered}/kokoro.wav",):
            await asyncio.sleep(0)

    booth(tmp_path, scenario)


def test_a_slow_voice_that_many_wait_for_is_asked_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_neural(monkeypatch)
    gate = tmp_path / "gate"

    async def scenario(made: Booth) -> None:
        slow = [
            asyncio.create_task(made.store.sources(Saying("zh", words=f"gate:{gate}{end}")))
            for end in ("", "", "2")
        ]
        await asyncio.sleep(0)
        await made.store.sources(Saying("zh", words="now"))
        assert [order["make"] for order in made.orders if order["words"] == "now"] == ["espeak-ng"]
        (tmp_path / "gate").touch()
        (tmp_path / "gate2").touch()
        await asyncio.gather(*slow)
        assert {order["make"] for order in made.orders[2:]} == {"kokoro"}

    booth(tmp_path, scenario)


def test_a_plan_is_prepared_and_what_a_caller_needs_comes_first(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    plan = [Saying("en", words=words) for words in (f"gate:{gate}", "one", "two", "one")]

    async def scenario(made: Booth) -> None:
        assert len(made.store.missing(plan)) == 3
        preparing = asyncio.create_task(made.store.prepare(plan))
        while not made.orders:
            await asyncio.sleep(0)
        caller = asyncio.create_task(made.store.sources(Saying("en", words="now"), plan[2]))
        await asyncio.sleep(0)
        gate.touch()
        await caller
        await preparing
        assert made.store.missing(plan) == []
        await made.store.prepare(plan)

    assert booth(tmp_path, scenario).said == [f"gate:{gate}", "two", "now", "one"]


def test_what_is_prepared_ends_with_the_store(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        preparing = asyncio.create_task(made.store.prepare([Saying("en", words="HANG")]))
        while not made.orders:
            await asyncio.sleep(0)
        preparing.cancel()
        await asyncio.wait((preparing,))

    booth(tmp_path, scenario)


def test_a_new_plan_lets_the_texts_of_the_old_one_go(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        old, new = Saying("en", words="old"), Saying("en", words="new")
        await made.store.prepare([old])
        await made.store.prepare([new])
        made.store.forget(made.clock + 30 * 86400)
        assert made.store.missing([old, new]) == [old]

    booth(tmp_path, scenario)


def test_a_prompt_recorded_by_phone_is_heard_from_then_on(tmp_path: Path) -> None:
    async def scenario(made: Booth) -> None:
        await made.store.keep_prompt("file:/notes/1.wav", "en", "welcome")
        path = made.sounds / "en" / "welcome.wav"
        assert await made.store.sources(OPENED) == (f"file:{path}",)

    (order,) = booth(tmp_path, scenario).orders
    assert (order["make"], order["from"]) == ("recording", "/notes/1.wav")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt-get install espeak-ng")
def test_a_real_voice_is_heard_at_the_level_of_all_prompts(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = store.SpeechStore(tmp_path, tmp_path / "var", Wanted(), now=time.time)
        try:
            assert await made.render(WELCOME)
            (source,) = await made.sources(WELCOME)
        finally:
            await made.close()
        with wave.open(source.removeprefix("file:")) as file:
            assert file.getframerate() == 16000
            assert 0.2 < file.getnframes() / 16000 < 4.0

    asyncio.run(scenario())
