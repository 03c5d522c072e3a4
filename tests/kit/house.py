"""The rules of the house as functions: each takes a tree and returns what breaks it.

The table of who may import whom, the [io] files, the weight rules, the forbidden names: what
ARCHITECTURE.md says, in the form that tests/test_architecture.py runs over the project, and over
broken copies of it. To let a new file do I/O, or a package import another, change the table here
and say why in the same commit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 450

ROOTS = (
    *("server", "attendant", "mailroom", "callcentre", "office"),
    *("live", "live_centre", "machine", "demo", "wiring"),
)
"""Where packages meet: these import everything."""

MEDIA_ROOMS = frozenset({"codecs", "keys", "mixing", "packets", "recording", "sounds"})
"""Rooms of pbx/media: the worker's side."""

SIGNALLING_MEDIA = frozenset(
    {"codec", "descriptors", "emodel", "engine", "engine_client", "formats", "moves"}
    | {"negotiation", "offer_answer", "protocol", "sdes", "sdp", "terms", "worker_process"}
    | {"keys.codes", "recording.ogg", "recording.repair", "recording.wav"}
    | MEDIA_ROOMS  # the packages themselves: nothing but a docstring
)
"""Files of pbx/media that the signalling process imports; the others belong to the worker."""

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "errors": frozenset(),
    "marks": frozenset({"errors"}),
    "events": frozenset({"errors"}),
    "config": frozenset({"errors", "marks"}),
    "sip": frozenset({"errors"}),
    "media": frozenset({"errors"}),
    "db": frozenset({"errors"}),
    "plan": frozenset({"errors", "marks"}),
    "speech": frozenset({"errors"}),
    "call": frozenset({"errors", "events", "plan", "sip", "media", "speech"}),
    "ivr": frozenset({"errors", "events", "plan", "marks", "call", "speech"}),
    "acd": frozenset({"errors", "events", "plan", "call", "speech"}),
    "voicemail": frozenset({"errors", "events", "plan", "call", "speech"}),
    "mailboxes": frozenset({"errors", "events", "db", "directory.pins", "media"}),
    "cdr": frozenset({"errors", "events", "db"}),
    "directory": frozenset({"errors", "events", "db"}),
    "recordings": frozenset({"errors", "events", "db", "media"}),
    "outside": frozenset({"errors", "config", "marks", "plan", "ivr.world", "speech", "voicemail"}),
    "alarms": frozenset({"errors"}),
    "dialplan": frozenset(
        {"errors", "config", "marks", "plan", "ivr.check", "ivr.expectations", "ivr.verbs"}
        | {"api.views", "outside.speech"}
    ),
    "sounds": frozenset({"errors", "config"}),
    "switches": frozenset({"errors", "db", "plan"}),
    "sentences": frozenset({"events"}),
    "trace": frozenset({"errors", "events", "sip", "api.views", "sentences"}),
    "roster": frozenset({"errors", "events", "db", "acd.model", "acd.keeping"}),
    "why": frozenset(
        {"errors", "events", "sentences", "acd.keeping", "api.views", "api.why_views"}
    ),
    "api": frozenset(
        {"errors", "events", "cdr", "mailboxes.model", "recordings.model", "acd.model"}
    ),
    "cli": frozenset(
        {"errors", "config", "plan", "api.client", "marks", "dialplan.facts"}
        | {"ivr.check", "ivr.expectations", "ivr.rehearsal", "ivr.sayings", "ivr.simulate"}
        | {"ivr.verbs"}
    ),
}
"""Package → the packages (or `package.file`s) of pbx that it may import besides itself."""

LAZILY: Mapping[str, frozenset[str]] = {
    "cli": frozenset({*ROOTS, "api", "outside.speech", "speech", "acd.model", "acd.simulation"})
}
"""What a package may import besides, but only inside a function or for types: serve, demo, the
in-process mode; what renders prompts."""

OWN_PROCESSES = ("outside.speech.studio",)
"""Packages that run as processes of their own: they work on samples with what the media worker has,
and nobody else imports them."""

API_READS = frozenset({"cdr.record", "cdr.report", "cdr.export", "recordings.model"})
"""The read models that the API may use; the store comes to it through a Protocol."""

IO_FILES = (
    "server.py",
    "attendant.py",
    "mailroom.py",
    "office.py",
    "demo/",
    "dialplan/__main__.py",
    "dialplan/checker.py",
    "dialplan/checking.py",
    "dialplan/facts.py",
    "dialplan/reloading.py",
    "dialplan/versions.py",
    "dialplan/watching.py",
    "api/",
    "cli/",
    "db/",
    "outside/",
    "mailboxes/",
    "machine.py",
    "sounds.py",
    "cdr/figure_store.py",
    "cdr/late.py",
    "cdr/decisions.py",
    "cdr/recorder.py",
    "cdr/recovery.py",
    "cdr/retention.py",
    "cdr/store.py",
    "directory/bindings.py",
    "directory/store.py",
    "media/descriptors.py",
    "media/engine_client.py",
    "media/packets/ports.py",
    "media/recording/writer.py",
    "media/mixing/tick.py",
    "media/worker.py",
    "media/worker_process.py",
    "callcentre.py",
    "roster/",
    "recordings/index.py",
    "recordings/keeper.py",
    "recordings/recovery.py",
    "recordings/retention.py",
    "recordings/store.py",
    "sip/connection.py",
    "sip/datagram_transport.py",
    "sip/resolve.py",
    "sip/stream_transport.py",
    "sip/tls.py",
    "sip/tls_listener.py",
    "sip/transport.py",
    "switches.py",
)
"""The [io] files: only these touch sockets, processes, clocks, random sources or a database."""

IO_MODULES = frozenset(
    {"fcntl", "multiprocessing", "select", "selectors", "signal", "socket", "socketserver"}
    | {"ssl", "subprocess", "termios", "threading"}
    | {"random", "secrets", "time", "uuid"}
    | {"aiosmtplib", "aiosqlite", "asyncpg", "smtplib", "sqlalchemy", "sqlite3"}
    | {"http", "httpcore", "httptools", "httpx", "uvicorn", "uvloop", "websockets"}
)
"""Modules that only [io] files import."""

COROUTINE_ROOMS = ("call", "ivr", "acd", "voicemail")
"""Rooms that may use asyncio, for tasks, events and timeouts, never for I/O."""

IO_CALLS = frozenset(
    {"add_reader", "add_writer", "connect_accepted_socket", "sock_recv", "sock_sendall"}
    | {"create_connection", "create_datagram_endpoint", "create_server", "create_unix_connection"}
    | {"create_unix_server", "open_connection", "open_unix_connection"}
    | {"create_subprocess_exec", "create_subprocess_shell"}
    | {"run_in_executor", "to_thread", "utcnow", "urandom"}
)
"""Attributes that nobody calls outside [io] files, whatever they are called on."""

IO_NAMES = (
    *("datetime.now", "datetime.today", "date.today"),
    *("asyncio.start_server", "asyncio.start_unix_server", "urllib.request"),
)
"""The same, where the last word alone would also be somebody else's."""

_LAST_WORDS = frozenset(name.rpartition(".")[2] for name in IO_NAMES)

FORBIDDEN_WORDS = frozenset(
    {"channel", "peer", "peers", "manager", "helper", "helpers", "util", "utils"}
)
FORBIDDEN_NAMES = frozenset({"session", "data"})
FORBIDDEN_PREFIXES = ("process_", "handle_")
"""Names of architecture §8 that a definition may not have: words, whole names, function
prefixes."""


@dataclass(frozen=True)
class Source:
    """One Python file of the tree; `path` is relative to the folder of pbx."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> tuple[str, ...]:
        """Return the dotted name inside pbx as parts: `sip/flow.py` → ("sip", "flow")."""
        parts = self.path.removesuffix(".py").split("/")
        return tuple(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """Return the package or top-level file it belongs to; "" for pbx/__init__.py."""
        return self.module[0] if self.module else ""

    @property
    def does_io(self) -> bool:
        """Tell whether the file is one of the [io] files."""
        return self.path.startswith(IO_FILES)

    def at(self, node: ast.AST, complaint: str) -> str:
        """Return `pbx/file:line complaint`."""
        return f"pbx/{self.path}:{getattr(node, 'lineno', 1)} {complaint}"


def read_sources(pbx: Path) -> list[Source]:
    """Parse every Python file below the folder `pbx`."""
    sources = []
    for file in sorted(pbx.rglob("*.py")):
        text = file.read_text()
        sources.append(Source(file.relative_to(pbx).as_posix(), text, ast.parse(text)))
    return sources


@dataclass(frozen=True)
class Import:
    """One imported module: `target` as dotted parts; `lazily` inside a function; `typing` for
    types."""

    node: ast.AST
    target: tuple[str, ...]
    lazily: bool
    typing: bool


def imports(source: Source) -> Iterator[Import]:
    """Yield each import of a file; `from pbx.sip import flow` names pbx.sip.flow."""
    yield from _imports(
        source.tree, lazily=False, typing=False, package=("pbx", *source.module[:-1])
    )


def _imports(
    node: ast.AST, *, lazily: bool, typing: bool, package: tuple[str, ...]
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(child, tuple(alias.name.split(".")), lazily, typing)
        elif isinstance(child, ast.ImportFrom):
            base = tuple(child.module.split(".")) if child.module else ()
            if child.level:
                base = package[: len(package) - child.level + 1] + base
            for alias in child.names:
                yield Import(child, (*base, alias.name), lazily, typing)
        else:
            inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            checking = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from _imports(
                child, lazily=lazily or inner, typing=typing or checking, package=package
            )


def table_violations(sources: list[Source]) -> list[str]:
    """Return each import that the table of who may import whom forbids."""
    packages = {source.package for source in sources}
    found = [
        f"pbx/{package}: not in the table of who may import whom"
        for package in sorted(packages - {"", *ROOTS, *MAY_IMPORT})
    ]
    for source in sources:
        if source.package in ROOTS or source.package not in MAY_IMPORT:
            continue
        for used in imports(source):
            complaint = _complain(source, used, packages)
            if complaint:
                found.append(source.at(used.node, complaint))
    return found


def _complain(source: Source, used: Import, packages: set[str]) -> str | None:
    if used.target[0] != "pbx" or len(used.target) < 2 or used.target[1] not in packages:
        return None  # not ours, or a name of pbx/__init__.py such as __version__
    package, name = used.target[1], ".".join(used.target[1:3])
    if in_own_process(source.module):
        if package == "media":
            return None
    elif in_own_process(used.target[1:]):
        return f"{source.package} may not import {'.'.join(used.target[1:4])}, a process of its own"
    if package == source.package:
        return _complain_inside(source, used)
    lazy = LAZILY.get(source.package, frozenset()) if used.lazily or used.typing else frozenset()
    if not {package, name} & (MAY_IMPORT[source.package] | lazy):
        return f"{source.package} may not import {name}"
    if package == "media" and used.target[2:3] and not on_signalling_side(used.target[1:]):
        return f"{source.package} may not import {name}, which is the worker's side"
    if source.package == "api" and package == "cdr" and name not in API_READS:
        return f"api may not import {name}, only read models"
    return None


def on_signalling_side(module: tuple[str, ...]) -> bool:
    """Tell whether a module of media (`("media", "keys", "codes")`) is one of signalling's."""
    file = module[1:3] if module[1] in MEDIA_ROOMS else module[1:2]
    return ".".join(file) in SIGNALLING_MEDIA


def in_own_process(module: tuple[str, ...]) -> bool:
    """Tell whether a module (`("outside", "speech", "studio")`) is run as a process of its own."""
    return ".".join(module[:3]) in OWN_PROCESSES


def _complain_inside(source: Source, used: Import) -> str | None:
    """Media has two sides: what signalling imports may not import what the worker imports."""
    if source.package != "media" or not source.module[1:] or not on_signalling_side(source.module):
        return None
    if used.target[2:3] and not on_signalling_side(used.target[1:]):
        ours, theirs = ".".join(source.module), ".".join(used.target[1:4])
        return f"{ours} is on signalling's side, {theirs} on the worker's"
    return None


def io_violations(sources: list[Source]) -> list[str]:
    """Return each touch of the outside world in a file that is not [io]."""
    found = []
    for source in sources:
        if source.does_io:
            continue
        for used in imports(source):
            if used.target[0] in IO_MODULES and not used.typing:
                found.append(source.at(used.node, f"imports {used.target[0]}, but is not [io]"))
            if used.target[0] == "asyncio" and source.package not in COROUTINE_ROOMS:
                found.append(source.at(used.node, "imports asyncio, but is not [io]"))
        found += [
            source.at(node, f"uses {ast.unparse(node)}, but is not [io]")
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Attribute)
            and (node.attr in IO_CALLS or (node.attr in _LAST_WORDS and _is_io_name(node)))
        ]
    return found


def _is_io_name(node: ast.Attribute) -> bool:
    return ast.unparse(node).endswith(IO_NAMES)


def cancellation_violations(sources: list[Source]) -> list[str]:
    """Return each `asyncio.wait_for`, and each `except CancelledError` outside call/call.py."""
    found = []
    for source in sources:
        for node in ast.walk(source.tree):
            if _is_name(node, "wait_for"):
                found.append(source.at(node, "uses wait_for; asyncio.timeout is safe on 3.11"))
            if (
                isinstance(node, ast.ExceptHandler)
                and node.type is not None
                and "CancelledError" in ast.unparse(node.type)
                and source.path != "call/call.py"
            ):
                found.append(source.at(node, "catches CancelledError"))
    return found


def _is_name(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == name) or (
        isinstance(node, ast.Name) and node.id == name
    )


def length_violations(sources: list[Source]) -> list[str]:
    """Return each file that is longer than one idea should be."""
    return [
        f"pbx/{source.path}: {lines} lines, {MAX_LINES} is the limit"
        for source in sources
        if (lines := source.text.count("\n")) > MAX_LINES
    ]


def name_violations(sources: list[Source]) -> list[str]:
    """Return each definition with a name that architecture §8 rules out."""
    found = []
    for source in sources:
        names: list[tuple[ast.AST, str]] = [(source.tree, part) for part in source.module]
        names += [pair for node in ast.walk(source.tree) for pair in _defined(node)]
        found += [
            source.at(node, f"{name!r} is a name this house does not use")
            for node, name in names
            if _forbidden(node, name)
        ]
    return found


def _defined(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield node, name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            yield node, name
        case ast.Attribute(attr=name, ctx=ast.Store()):
            yield node, name


def _forbidden(node: ast.AST, name: str) -> bool:
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return (
        bool(words & FORBIDDEN_WORDS)
        or name.lstrip("_").lower() in FORBIDDEN_NAMES
        or (is_function and name.lstrip("_").startswith(FORBIDDEN_PREFIXES))
    )
