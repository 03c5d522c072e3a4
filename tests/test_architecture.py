"""The house keeps its own rules: imports, [io], weight, cancellation, names, length.

Each rule is run over the project, and over a copy that is broken on purpose: a rule that cannot
fail protects nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.kit import house
from tests.kit.house import Source

PBX = Path(__file__).parent.parent / "pbx"

Rule = Callable[[list[Source]], list[str]]


@cache
def project() -> list[Source]:
    """Return the files of pbx, which are parsed once."""
    return house.read_sources(PBX)


RULES: dict[str, Rule] = {
    "imports": house.table_violations,
    "io": house.io_violations,
    "cancellation": house.cancellation_violations,
    "length": house.length_violations,
    "names": house.name_violations,
}

BROKEN = [
    ("imports", "sip/dialog.py", "from pbx.media.sdp import parse", "sip may not import media.sdp"),
    ("imports", "sip/dialog.py", "from ..media import sdp", "sip may not import media.sdp"),
    ("imports", "sip/dialog.py", "def f():\n    import pbx.call", "sip may not import call"),
    ("imports", "call/leg.py", "from pbx.media.codecs.registry import TABLE", "the worker's side"),
    ("imports", "media/codec.py", "from pbx.media.packets import rtp", "on signalling's side"),
    ("imports", "api/app.py", "from pbx.server import serve", "api may not import server"),
    ("imports", "api/app.py", "from pbx.cdr.store import Recorder", "only read models"),
    ("imports", "cli/serve.py", "from pbx.server import serve", "cli may not import server"),
    (
        "imports",
        "outside/speech/desk.py",
        "from pbx.outside.speech.studio import piper",
        "outside may not import outside.speech.studio, a process of its own",
    ),
    ("imports", "outside/speech/desk.py", "from pbx.media.sdp import x", "may not import media"),
    ("imports", "billing.py", "", "not in the table"),
    ("imports", "events/bus.py", "import pbx.config", "events may not import config"),
    ("io", "sip/message.py", "import socket", "imports socket"),
    ("io", "sip/message.py", "from time import monotonic", "imports time"),
    ("io", "acd/strategy.py", "def f():\n    import random", "imports random"),
    ("io", "cdr/record.py", "import sqlalchemy", "imports sqlalchemy"),
    ("io", "media/packets/rtp.py", "import asyncio", "imports asyncio"),
    ("io", "call/call.py", "import asyncio\nasyncio.open_connection('h', 1)", "open_connection"),
    ("io", "cdr/record.py", "import datetime\ndatetime.datetime.now()", "datetime.now"),
    ("io", "media/packets/rtp.py", "import urllib.request\nurllib.request.urlopen('h')", "urllib"),
    ("io", "sip/auth.py", "import os\nos.urandom(8)", "os.urandom"),
    ("cancellation", "server.py", "import asyncio\nasyncio.wait_for(f(), 1)", "wait_for"),
    ("cancellation", "server.py", "from asyncio import wait_for\nwait_for(f(), 1)", "wait_for"),
    (
        "cancellation",
        "call/leg.py",
        "import asyncio\ntry:\n    pass\nexcept (OSError, asyncio.CancelledError):\n    pass",
        "catches CancelledError",
    ),
    ("length", "sip/message.py", "x = 1\n" * 451, "451 lines"),
    ("names", "call/call_manager.py", "", "'call_manager'"),
    ("names", "call/call.py", "class PeerConnection: pass", "'PeerConnection'"),
    ("names", "call/call.py", "def _handle_invite(): pass", "'_handle_invite'"),
    ("names", "call/call.py", "def process_event(): pass", "'process_event'"),
    ("names", "sip/message.py", "def parse(data): pass", "'data'"),
    ("names", "sip/message.py", "class A:\n    def f(self): self.session = 1", "'session'"),
]

ALLOWED = [
    ("imports", "cli/serve.py", "def f():\n    from pbx.server import serve"),
    ("imports", "config.py", "import pbx.marks"),
    ("imports", "demo/driver.py", "from pbx.server import serve"),
    ("imports", "outside/speech/studio/piper.py", "from pbx.media.packets.rtp import x"),
    ("imports", "cli/prompts.py", "def f():\n    from pbx.outside.speech.store import x"),
    ("io", "acd/strategy.py", "if TYPE_CHECKING:\n    import random"),
    ("io", "call/call.py", "import asyncio\nasyncio.timeout(5)"),
    ("io", "sip/transport.py", "import socket, time"),
    ("names", "sip/session_timer.py", "class SessionDescription: pass"),
    ("names", "media/codec.py", "channels = 2"),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_project_keeps_the_rule(rule: str) -> None:
    assert RULES[rule](project()) == []


def broken_copy(tmp_path: Path, file: str, text: str) -> list[Source]:
    """Return the sources of a small house of which one file holds `text`."""
    worker = ("media/packets/rtp.py", "media/codecs/registry.py")
    for name in ("media/sdp.py", *worker, "call/__init__.py", file):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for name in ("server.py", "config.py", "cdr/store.py", "marks/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / file).write_text(text)
    return house.read_sources(tmp_path)


@pytest.mark.parametrize(("rule", "file", "text", "complaint"), BROKEN)
def test_a_broken_house_is_noticed(
    tmp_path: Path, rule: str, file: str, text: str, complaint: str
) -> None:
    found = RULES[rule](broken_copy(tmp_path, file, text))
    assert len(found) == 1
    assert complaint in found[0]
    assert f"pbx/{file.removesuffix('.py')}" in found[0]


@pytest.mark.parametrize(("rule", "file", "text"), ALLOWED)
def test_what_is_allowed_is_not_complained_about(
    tmp_path: Path, rule: str, file: str, text: str
) -> None:
    assert RULES[rule](broken_copy(tmp_path, file, text)) == []


NUMERIC = ("numpy", "scipy")
WEBBY = ("fastapi", "uvicorn", "httpx", "sqlalchemy", "pydantic", "rich", "segno", "websockets")


def loaded(modules: list[str], heavy: tuple[str, ...], root: Path = PBX.parent) -> list[str]:
    """Import `modules` in a fresh interpreter; return which of the `heavy` packages came along."""
    program = (
        "import importlib, json, sys\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, json.dumps(modules), json.dumps(heavy)],
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    names: list[str] = json.loads(ran.stdout)
    return names


def signalling_modules(sources: list[Source]) -> list[str]:
    """Return every module that the signalling process may import."""
    return [
        ".".join(("pbx", *source.module))
        for source in sources
        if source.package != "demo"
        and not (
            source.package == "media"
            and source.module[1:]
            and not house.on_signalling_side(source.module)
        )
        and not house.in_own_process(source.module)
        and "migrations" not in source.module
        and source.module[-1:] != ("__main__",)
    ]


def test_signalling_is_free_of_numpy_and_alembic() -> None:
    modules = signalling_modules(project())
    assert "pbx.events" in modules
    assert loaded(modules, (*NUMERIC, "alembic")) == []


def test_a_command_starts_without_the_heavy_libraries() -> None:
    commands = [name for name in signalling_modules(project()) if ".cli" in name]
    assert loaded(commands, (*NUMERIC, *WEBBY, "alembic", "asyncio")) == []


def test_the_worker_needs_neither_the_web_nor_the_database() -> None:
    if not (PBX / "media/worker.py").exists():
        pytest.skip("there is no media worker yet")
    assert loaded(["pbx.media.worker"], (*WEBBY, "alembic", "scipy")) == []


def test_weight_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "pbx"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "server.py").write_text("import numpy\n")
    assert loaded(["pbx.server"], NUMERIC, root=tmp_path) == ["numpy"]
