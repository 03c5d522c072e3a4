"""The versions of the dialplan that were in force, each a folder with the texts of its files. [io]

    var/dialplan/v41/dialplan.yaml, dialplan.d/…       as they were read
    var/dialplan/v41/version.json                      its id, and when it came into force

The newest `KEPT` stay. A version is complete or not there: its folder is renamed into place.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pbx.errors import NotFound

KEPT: Final = 20

_NAME: Final = re.compile(r"v([1-9][0-9]{0,8})")
_ABOUT: Final = "version.json"


@dataclass(frozen=True, slots=True)
class Version:
    """One version: `number` counts up, `version_id` is the plan's; `at` is when it first came into
    force, seconds since the epoch."""

    number: int
    version_id: str
    at: float

    def __str__(self) -> str:
        return f"v{self.number}"


class Versions:
    """The versions in a folder. Everything here waits for the disk: call it in a thread."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept

    def all(self) -> tuple[Version, ...]:
        """Return all versions, the newest first."""
        found = (_read(path) for path in self._folder.glob("v*"))
        known = (version for version in found if version is not None)
        return tuple(sorted(known, key=lambda version: version.number, reverse=True))

    def keep(self, version_id: str, texts: Mapping[str, str], at: float) -> Version:
        """Keep the texts of a version that is in force from now on; return it.

        Where the newest version has the same texts, it is that one.
        """
        known = self.all()
        if known and known[0].version_id == version_id:
            return known[0]
        version = Version(known[0].number + 1 if known else 1, version_id, at)
        making = self._folder / "new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700, parents=True)
        for name, text in texts.items():
            file = making / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        (making / _ABOUT).write_text(json.dumps({"version_id": version_id, "at": at}), "utf-8")
        making.rename(self._folder / str(version))
        for old in known[self._kept - 1 :]:
            shutil.rmtree(self._folder / str(old), ignore_errors=True)
        return version

    def before(self, version: Version) -> Version:
        """Return the version before another; raises NotFound where none is kept."""
        older = next((each for each in self.all() if each.number < version.number), None)
        if older is None:
            raise NotFound(f"no version before {version} is kept")
        return older

    def path(self, version: Version) -> Path:
        """Return the dialplan of a version."""
        return self._folder / str(version) / "dialplan.yaml"


def _read(folder: Path) -> Version | None:
    """Return the version in a folder; None where it is none."""
    number = _NAME.fullmatch(folder.name)
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        return (
            Version(int(number[1]), str(about["version_id"]), float(about["at"]))
            if number
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
