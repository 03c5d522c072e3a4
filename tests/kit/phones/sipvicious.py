"""sipvicious, the attacker: svwar guesses which numbers exist, svcrack guesses a password.

Both must find nothing. Their findings are read from their own output, which names what they think
they found.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.kit.programs import find


def enumerate_numbers(
    folder: Path, *, port: int, numbers: str, method: str, host: str = "127.0.0.1"
) -> list[str]:
    """Run svwar over `numbers` (such as 100-199) with a SIP method; return what it claims to
    find."""
    output = _run(folder, "svwar", "-p", str(port), "-e", numbers, "-m", method, host)
    return [number for number, _ in _table(output)]


def crack_password(
    folder: Path, *, port: int, user: str, words: Path, host: str = "127.0.0.1"
) -> list[str]:
    """Run svcrack with a list of words against one user; return the passwords it claims to know."""
    output = _run(folder, "svcrack", "-p", str(port), "-u", user, "-d", str(words), host)
    return [password for _, password in _table(output)]


def _run(folder: Path, program: str, *arguments: str, timeout: float = 60.0) -> str:
    """Run a tool, which keeps its own notes below HOME, and return all it printed."""
    ran = subprocess.run(
        [find(program) or program, *arguments],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        text=True,
        check=False,
    )
    return ran.stdout


def _table(output: str) -> list[tuple[str, str]]:
    """Return the two columns of the table of findings; no table is printed without findings."""
    rows = re.findall(r"^\| (\S+) +\| (\S+) +\|$", output, flags=re.MULTILINE)
    return [row for row in rows if row[0] != "Extension"]
