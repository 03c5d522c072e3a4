"""callpbx.yaml → `Settings`, and `Home`, the folder that an office is.

Every key has a default and the file may be absent. Each mistake is a ConfigError with
file:line:column; unknown keys are mistakes too, with the nearest known one. Values that later
versions will use — mail, connections, secrets — are checked now, so that a file written
today stays valid. `settings.py` holds the values, `sections.py` the keys, `values.py` how a single
text is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pbx.config.home import Home
from pbx.config.sections import Context, Surroundings, read_settings
from pbx.config.settings import (
    ApiSettings,
    HttpSettings,
    MailSettings,
    MediaSettings,
    RecordingSettings,
    RetentionSettings,
    Settings,
    SipSettings,
    SpeechSettings,
)
from pbx.config.values import AllowedHost, HttpListen, Network, SipListen
from pbx.errors import ConfigError
from pbx.marks import Problem, Reader, read_tree
from pbx.marks.encoding import decoded
from pbx.marks.problem import did_you_mean
from pbx.marks.reader import duration

__all__ = [
    "AllowedHost",
    "ApiSettings",
    "Home",
    "HttpListen",
    "HttpSettings",
    "MailSettings",
    "MediaSettings",
    "Network",
    "Problem",
    "RecordingSettings",
    "RetentionSettings",
    "Settings",
    "SipListen",
    "SipSettings",
    "SpeechSettings",
    "check_settings",
    "did_you_mean",
    "duration",
    "load_settings",
    "parse_settings",
]


def load_settings(home: Home, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read callpbx.yaml of an office; raises ConfigError for its first mistake."""
    settings, problems = check_settings(home, environ)
    if settings is None:
        raise problems[0].error()
    return settings


def check_settings(
    home: Home, environ: Mapping[str, str] = os.environ
) -> tuple[Settings | None, list[Problem]]:
    """Read callpbx.yaml and return it with all problems; None if it cannot be used.

    `environ` is where `env:NAME` is looked up. An absent file gives the defaults.
    """
    path = home.settings
    try:
        text = decoded(path.read_bytes(), path.name)
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Settings(), []
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    if isinstance(text, Problem):
        return None, [text]
    return parse_settings(text, path.name, environ=environ, mode=mode, folder=home.path)


def parse_settings(
    text: str,
    file: str,
    *,
    environ: Mapping[str, str],
    mode: int = 0o600,
    folder: Path | None = None,
) -> tuple[Settings | None, list[Problem]]:
    """Do the same with a text.

    `mode` are the file's permission bits: secrets in it want 0600. In `folder` its paths are looked
    for.
    """
    tree = read_tree(text, file)
    context = Context(Reader(file, tree.problems), Surroundings(environ, mode, folder))
    settings = read_settings(context, tree.root)
    problems = sorted(context.reader.problems, key=lambda problem: (problem.line, problem.column))
    return (None if problems else settings), problems
