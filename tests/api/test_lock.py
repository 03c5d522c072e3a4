"""One server per office; commands without one share the lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbx.api import lock
from pbx.api.lock import hold_lock, server_is_running, share_lock
from pbx.errors import Refused


def test_a_server_holds_the_lock_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not server_is_running(path)
    with hold_lock(path):
        assert server_is_running(path)
        assert path.read_text() == f"{os.getpid()}\n"
        refused = pytest.raises(Refused, match=f"already running here as process {os.getpid()}")
        with refused, hold_lock(path):
            pass
        with share_lock(path) as free:
            assert not free
    assert not server_is_running(path)
    assert path.read_text() == ""


def test_commands_share_it_and_keep_servers_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    path = tmp_path / "lock"
    with share_lock(path) as first, share_lock(path) as second:
        assert first
        assert second
        with pytest.raises(Refused, match="another command is using the office"), hold_lock(path):
            pass
    with hold_lock(path):
        pass


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    child = os.fork()
    if child == 0:
        holding = hold_lock(path)
        holding.__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    assert path.read_text() == f"{child}\n"  # it had no time to tidy up
    assert not server_is_running(path)
    with hold_lock(path):
        assert path.read_text() == f"{os.getpid()}\n"
