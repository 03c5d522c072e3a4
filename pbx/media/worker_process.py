"""How a media worker is started and how its end is awaited. [io]

The command line of `python -m pbx.media.worker` is made here and read in `worker.py`. A worker gets
its end of the socket pair as an inherited descriptor, one BLAS thread, no input, and stderr for
its log; it ends by itself within 1 s when the other end of the pair is closed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pbx.errors import UsageError

log = logging.getLogger(__name__)

_ONE_THREAD: Final = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

_POLL: Final = 0.02  # seconds between two looks at a process that is to end


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the workers are started with.

    `ports` is the first and the last port of the range; `workers` None means auto, which never
    starts more than `most_workers`: one less than there are cores. `bind4` and `bind6` are the
    local addresses of RTP sockets, None for a family that is not wanted. `stock` is how many pairs
    per family each worker keeps bound ahead of need, `tones` the country whose tones are heard.
    """

    ports: tuple[int, int] = (10_000, 19_999)
    workers: int | None = None
    most_workers: int = max(1, len(os.sched_getaffinity(0)) - 1)
    bind4: str | None = "0.0.0.0"
    bind6: str | None = "::"
    stock: int = 256
    tones: str = "cn"
    log_level: str = "info"
    command: tuple[str, ...] = (sys.executable, "-m", "pbx.media.worker")


def share_ports(ports: tuple[int, int], slot: int, count: int) -> tuple[int, int]:
    """Return the first and last port of worker `slot` of `count`: whole pairs, none shared.

    Raises UsageError when the range has fewer pairs than there are workers.
    """
    low = ports[0] + ports[0] % 2
    pairs = (ports[1] + 1 - low) // 2
    if pairs < count:
        raise UsageError(f"ports {ports[0]}-{ports[1]} are too few for {count} workers")
    first = pairs * slot // count
    end = pairs * (slot + 1) // count
    return low + 2 * first, low + 2 * end - 1


def spawn(
    settings: EngineSettings, theirs: socket.socket, *, number: int, ports: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """Start worker `number` on its end of a socket pair; raises OSError."""
    arguments = {
        "--fd": theirs.fileno(),
        "--worker": number,
        "--ports": f"{ports[0]}-{ports[1]}",
        "--bind4": settings.bind4 or "none",
        "--bind6": settings.bind6 or "none",
        "--stock": settings.stock,
        "--tones": settings.tones,
        "--log-level": settings.log_level,
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    return subprocess.Popen(
        [*settings.command, *words],
        stdin=subprocess.DEVNULL,
        stdout=2,  # serve's own stdout is for its user
        pass_fds=(theirs.fileno(),),
        env=_environment(),
    )


async def wait_for_end(process: subprocess.Popen[bytes], *, grace: float) -> int:
    """Wait until the process has ended, killing it after `grace` seconds; return its exit code."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    while (code := process.poll()) is None:
        if loop.time() >= deadline:
            process.kill()
        await asyncio.sleep(_POLL)
    return code


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment.update(dict.fromkeys(_ONE_THREAD, "1"))
    root = Path(__file__).parents[2]
    if root.name not in ("site-packages", "dist-packages"):  # a checkout that is not installed
        paths = [str(root), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment
