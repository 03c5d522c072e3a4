"""The demo tells the truth: it succeeds when all is well, and fails when audio or the dialplan is
broken on purpose."""

from __future__ import annotations

import importlib.util
import subprocess
from importlib.machinery import ModuleSpec

import pytest

from pbx.demo import menu, show
from tests.kit.programs import find

DEAF = """
table inet deaf {
    chain input {
        type filter hook input priority 0;
        udp dport 10000-19999 drop
    }
}
"""
"""The demo's office takes its media ports from the default range: nothing reaches them any more."""


@pytest.mark.interop("pjsua2")
def test_the_demo_shows_calls_ladders_and_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.run() == 0
    shown = capsys.readouterr().out
    assert "callpbx ready " in shown
    assert "INVITE" in shown
    assert "BYE" in shown
    assert "690 Hz" in shown
    assert "dialplan.yaml:24  menu main: choices, key 1 " in shown
    assert "✔ the call took the 6 steps that were rehearsed" in shown
    assert "Path       numbers:8000 → menu:main:2 → voicemail:office" in shown
    assert "were right" in shown
    assert "✘" not in shown


@pytest.mark.interop("pjsua2", "nft")
def test_the_demo_fails_when_audio_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run([find("nft") or "nft", "-f", "-"], input=DEAF, text=True, check=True)
    assert show.run() == 1
    shown = capsys.readouterr().out
    assert "Alice hears 690 Hz: heard silence" in shown
    assert "were wrong" in shown


@pytest.mark.interop("pjsua2")
def test_the_demo_fails_when_a_key_leads_to_other_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = menu.DIALPLAN.replace("greeting: closed", "greeting: choices")
    monkeypatch.setattr(menu, "DIALPLAN", broken)
    assert show.run() == 1
    shown = capsys.readouterr().out
    assert "Alice hears closed: heard" in shown
    assert "were wrong" in shown


def test_without_a_soft_phone_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find_spec(name: str) -> ModuleSpec | None:
        return None if name == "pjsua2" else real(name)

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert show.run() == 1
    assert "pip install" in capsys.readouterr().err
