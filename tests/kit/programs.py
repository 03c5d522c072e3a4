"""The real programs that interop tests drive, and the Debian packages that hold them.

Speech and music that some tests listen to come as Debian packages too; such a test asks `why_not`
for their folder and skips with its answer.

A test names what it needs (`@pytest.mark.interop("sipp", "baresip")`); tests/conftest.py skips it,
or fails it in CI, with the reason from here. `python -m tests.kit.programs` says in one line what
to install; with `--install`, root installs it. The same table serves `make test`, so there is no
second list to forget.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "baresip": "baresip-core",
    "espeak-ng": "espeak-ng",
    "faketime": "faketime",
    "ip": "iproute2",
    "kamailio": "kamailio",
    "nft": "nftables",
    "postgres": "postgresql",
    "sipp": "sip-tester",
    "svcrack": "sipvicious",
    "svwar": "sipvicious",
}
"""Executable → Debian package."""

FOLDERS = {
    "/usr/share/asterisk/moh": "asterisk-moh-opsound-wav",
    "/usr/share/asterisk/sounds": "asterisk-core-sounds-en-wav",
}
"""Folder of sound → Debian package."""

MODULES = {
    "asyncpg": "callpbx[postgresql]",
    "pesq": "callpbx[quality]",
    "pjsua2": "callpbx[phone]",
}
"""Python module → what pip installs it with."""

_HELD_BY = PACKAGES | FOLDERS

APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq")


def find(program: str) -> str | None:
    """Return the path of an executable, or of a folder in the table above, where it is here.

    sbin counts too, which a plain user's PATH may lack, and where Debian keeps its PostgreSQL.
    """
    if program in FOLDERS:
        return program if Path(program).is_dir() else None
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    folders += sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(program, path=":".join(folders))


def why_not(programs: Iterable[str]) -> str | None:
    """Return a sentence that says what is missing and how to get it, or None when all is here.

    Raises KeyError for a program or folder that is in no table above.
    """
    wanted = list(programs)
    packages = {_HELD_BY[name] for name in wanted if name not in MODULES and find(name) is None}
    modules = {MODULES[name] for name in wanted if name in MODULES and not _importable(name)}
    steps = []
    if packages:
        steps.append(f"apt-get install {' '.join(sorted(packages))}")
    if modules:
        steps.append(f"pip install {' '.join(sorted(modules))}")
    return f"missing here; {' and '.join(steps)}" if steps else None


def missing_packages() -> list[str]:
    """Return the Debian packages that are still to be installed, sorted."""
    return sorted({package for name, package in _HELD_BY.items() if find(name) is None})


def install(packages: list[str]) -> None:
    """Install Debian packages; raises subprocess.CalledProcessError when apt refuses."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*APT, "update"], check=True, env=environment)
    command = [*APT, "install", "-y", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Install what is missing where we may; else say the one line that does it. Returns an exit
    code."""
    packages = missing_packages()
    if not packages:
        return 0
    if "--install" in arguments and os.geteuid() == 0:
        print(f"installing {' '.join(packages)}", flush=True)
        install(packages)
        return 0
    print(
        "The tests with real phones and real sound need packages that are not here:\n"
        f"    sudo apt-get install --no-install-recommends {' '.join(packages)}\n"
        "or leave those tests out: make test PHONES=no",
        file=sys.stderr,
    )
    return 1


def _importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
