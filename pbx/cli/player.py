"""Playing sound on this machine, by whichever program is there first."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from pbx.api.client import ApiClient
from pbx.errors import Refused

PLAYERS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("paplay",), (".wav", ".opus")),
    (("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"), (".wav", ".opus")),
    (("aplay", "-q"), (".wav",)),
    (("play", "-q"), (".wav",)),
)
"""Programs that play a file, the first that is found; and the files that each can play."""


def find_player(suffix: str) -> tuple[str, ...] | None:
    """Return the words that play a file with that ending; None where nothing here can."""
    for words, suffixes in PLAYERS:
        if suffix in suffixes and shutil.which(words[0]) is not None:
            return words
    return None


def play_sound(api: ApiClient, path: str, *, kept: Path, what: str) -> None:
    """Play what the API has at `path`; `kept` is the office's file of it, `what` names it.

    Raises Refused where nothing here plays it.
    """
    player = find_player(kept.suffix)
    if player is None:
        names = ", ".join(words[0] for words, _ in PLAYERS)
        raise Refused(f"no player was found ({names}); the file is {kept}")
    with tempfile.NamedTemporaryFile(suffix=kept.suffix) as file:
        for part in api.download(path):
            file.write(part)
        file.flush()
        if subprocess.run([*player, file.name], check=False).returncode:
            raise Refused(f"{player[0]} could not play {what}")
