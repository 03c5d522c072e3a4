"""Puts the table of verbs into docs/dialplan.md, from the registry of verbs.

    python docs/make_dialplan.py

The test tests/ivr/test_reference.py fails when the document has another one.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pbx.ivr.reference import with_verbs

DOCUMENT = Path(__file__).with_name("dialplan.md")

if __name__ == "__main__":
    DOCUMENT.write_text(with_verbs(DOCUMENT.read_text()))
