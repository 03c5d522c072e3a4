"""Hold music: the office's files where there are some, callpbx's own where not."""

from __future__ import annotations

import asyncio
import os
import wave
from pathlib import Path

from pbx.config import Home
from pbx.sounds import Sounds


def office(folder: Path) -> tuple[Home, Sounds]:
    home = Home(folder)
    home.make_folders()
    return home, Sounds(home)


def test_hold_music_is_the_offices_folder_or_our_own(tmp_path: Path) -> None:
    home, sounds = office(tmp_path)
    assert sounds.hold_music() == f"music:{home.rendered_sounds}/music.wav"
    (home.sounds / "music").mkdir()
    assert sounds.hold_music() == f"music:{home.rendered_sounds}/music.wav", "it is empty"
    (home.sounds / "music" / "a.wav").touch()
    assert sounds.hold_music() == f"music:{home.sounds}/music"


def test_our_own_music_is_made_once(tmp_path: Path) -> None:
    home, sounds = office(tmp_path)
    asyncio.run(sounds.make_music())
    path = home.rendered_sounds / "music.wav"
    with wave.open(str(path)) as music:
        assert music.getnframes() / music.getframerate() > 30
    os.utime(path, (1, 1))
    asyncio.run(sounds.make_music())
    assert path.stat().st_mtime == 1


def test_names_said_at_the_door_are_forgotten_after_an_hour(tmp_path: Path) -> None:
    home, sounds = office(tmp_path)
    for name, age in (("old", 3700), ("new", 3500)):
        (home.notes / f"{name}.wav").touch()
        os.utime(home.notes / f"{name}.wav", (10_000 - age, 10_000 - age))
    sounds.forget_notes(10_000)
    assert [note.name for note in home.notes.iterdir()] == ["new.wav"]
