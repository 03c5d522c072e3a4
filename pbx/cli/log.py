"""The log on stderr: one line for each record, whatever a caller, a server or a file made it say.

Names and numbers come from outside. Their control characters are shown as `·`, so that none begins
a line of its own or moves the cursor of whoever reads; the lines of a traceback are indented.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Final

from pbx.cli.text import visible

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
INDENT: Final = "    "

Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OneLine(logging.Formatter):
    """Formats records as lines that cannot be mistaken for others."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Caught) -> str:
        """Return a traceback, its lines indented."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(INDENT + visible(line) for line in lines)


def log_to_stderr(level: str) -> None:
    """Let whatever is logged from now on appear on stderr; `level` is info, say."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler])
