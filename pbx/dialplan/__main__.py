"""The process that checks dialplans: `python -m pbx.dialplan`, started by the server. [io]

It reads questions from stdin and writes answers to stdout, each with its length before it, until
stdin ends. What else is printed goes to stderr, the server's log. It gives way to calls (nice).
"""

from __future__ import annotations

import os
import pickle
import signal
import sys

from pbx.dialplan.checker import HEAD, NICENESS
from pbx.dialplan.checking import answer
from pbx.dialplan.question import Question


def main() -> None:
    """Answer questions until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    os.nice(NICENESS)
    questions = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        while head := questions.read(HEAD.size):
            question = pickle.loads(questions.read(*HEAD.unpack(head)))
            assert isinstance(question, Question)
            payload = pickle.dumps(answer(question), pickle.HIGHEST_PROTOCOL)
            answers.write(HEAD.pack(len(payload)) + payload)
            answers.flush()


if __name__ == "__main__":
    main()
