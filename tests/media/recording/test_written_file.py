"""A recording's file from its making to its hash, on disks that do and do not take it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pbx.media.protocol import RecordingDone, RecordingFormat
from pbx.media.recording import file as recording_file
from pbx.media.recording.record import Planes
from pbx.media.recording.repair import repair
from pbx.media.recording.wav import HEADER_SIZE
from pbx.media.recording.written_file import WrittenFile

NO_SPACE = OSError(28, "No space left on device")


def block(level: int = 1000) -> Planes:
    """Return half a second of two sides."""
    return np.full((2, 4000), level, np.int16)


def started(path: Path, format: RecordingFormat = "ulaw") -> WrittenFile:
    file = WrittenFile(7, path, format=format, sides=2)
    assert file.open() is None
    return file


def finished(file: WrittenFile, missing: int = 0) -> RecordingDone:
    """Complete a file and hash it to its end."""
    assert file.complete(missing)
    while (done := file.hash_on()) is None:
        pass
    return done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "2026" / "11" / "22" / "call-1.wav"


def test_the_file_is_for_its_owner_only_and_its_folder_is_made(path: Path) -> None:
    file = started(path)
    assert path.stat().st_mode & 0o777 == 0o600
    finished(file)


def test_what_is_told_is_true_of_the_file(path: Path) -> None:
    file = started(path)
    file.append(block(), 0)
    file.mark(100, "paused")
    done = finished(file)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert done == RecordingDone(7, 0.5, len(content), digest, None)
    assert repair(path) is not None
    assert path.read_bytes() == content, "a whole file is not touched"


def test_an_existing_file_is_never_written_to(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("somebody's")
    file = WrittenFile(7, path, format="ulaw", sides=2)
    done = file.open()
    assert done is not None
    assert done.error == "the file cannot be made: File exists"
    file.append(block(), 0)
    assert not file.complete(0)
    assert path.read_text() == "somebody's"


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")
    assert WrittenFile(7, path, format="ulaw", sides=2).open() is not None
    assert not (tmp_path / "elsewhere").exists()


def test_what_never_came_is_silence_of_the_same_length(path: Path) -> None:
    file = started(path)
    file.append(block(), 0)
    file.append(block(), 12_000)
    done = finished(file, missing=4000)
    assert done.seconds == 3.0
    assert done.error == "2.0 s are silent: the disk or the machine was too slow"
    sound = path.read_bytes()[HEADER_SIZE:]
    silence = sound[8000:32_000]
    assert len(sound) == 48_000
    assert silence == silence[:1] * 24_000
    assert sound[:8000] == sound[32_000:40_000]


def test_a_full_disk_costs_the_time_that_it_was_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = started(path)
    file.append(block(), 0)

    def full(*_: object) -> int:
        raise NO_SPACE

    with monkeypatch.context() as disk:
        disk.setattr(recording_file, "pwrite", full)
        file.append(block(), 0)
        file.append(block(), 0)
    file.append(block(), 0)
    done = finished(file)
    assert done.seconds == 2.0
    assert done.error == "1.0 s are silent: No space left on device"
    assert done.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_disk_that_stays_full_leaves_what_there_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = started(path)
    file.append(block(), 0)

    def full(*_: object) -> int:
        raise NO_SPACE

    with monkeypatch.context() as disk:
        disk.setattr(recording_file, "pwrite", full)
        file.append(block(), 0)
        done = finished(file)
    assert done.seconds == 0.5
    assert done.error is not None
    assert done.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_recording_cut_off_is_mended(path: Path) -> None:
    file = started(path)
    file.append(block(), 0)
    with path.open("ab") as more:  # sound whose sizes were not written any more
        more.write(bytes(8001))
    mended = repair(path)
    assert mended is not None
    assert (mended.seconds, mended.octets) == (1.0, HEADER_SIZE + 16_000)
    assert mended.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    finished(file)


def test_mending_follows_no_link_and_changes_no_strange_file(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("somebody's")
    assert repair(path) is None
    assert path.read_text() == "somebody's"
    link = tmp_path / "link.wav"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        repair(link)
