"""The torture messages of RFC 4475, byte for byte, and what the parser decides about each.

They are no part of the project: they are looked for in the folder that CALLPBX_TORTURE names, else
in `shared/torture` beside the checkout, one file `NAME.dat` for each. Where they are absent, tests
that need them are skipped and say so.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ.get("CALLPBX_TORTURE") or Path(__file__).parents[3] / "shared" / "torture")

ABSENT = (
    f"the messages of RFC 4475 are not in {FOLDER}; "
    "put them there, or name their folder in CALLPBX_TORTURE"
)

ACCEPTED = 0
"""Parsed and valid: what happens next is for the user agent to decide."""

DROPPED = -1
"""A malformed response: nobody is answered."""

VERDICTS = {
    "badaspec": 400,
    "badbranch": ACCEPTED,  # its branch names no transaction
    "baddate": ACCEPTED,  # Date is not read
    "baddn": 400,
    "baddn-terminated": 400,
    "badinv01": 400,
    "badvers": 505,
    "bcast": ACCEPTED,  # dropped by the user agent: a response with more than one Via
    "bext01": ACCEPTED,  # 420 from the user agent
    "bigcode": DROPPED,
    "clerr": 400,
    "cparam01": ACCEPTED,
    "cparam02": ACCEPTED,
    "dblreq": ACCEPTED,
    "esc01": ACCEPTED,
    "esc02": ACCEPTED,  # 501 from the user agent
    "escnull": ACCEPTED,
    "escruri": 400,
    "insuf": 400,
    "intmeth": ACCEPTED,  # 501 from the user agent
    "inv2543": ACCEPTED,
    "invut": ACCEPTED,  # 415 from the user agent
    "longreq": ACCEPTED,
    "ltgtruri": 400,
    "lwsdisp": ACCEPTED,
    "lwsruri": 400,
    "lwsstart": 400,
    "mcl01": 400,
    "mismatch01": 400,
    "mismatch02": 400,
    "mpart01": ACCEPTED,
    "multi01": 400,
    "ncl": 400,
    "noreason": ACCEPTED,
    "novelsc": 416,
    "quotbal": 400,
    "regaut01": ACCEPTED,
    "regbadct": 400,
    "regescrt": ACCEPTED,
    "scalar02": 400,
    "scalarlg": DROPPED,
    "sdp01": ACCEPTED,  # 406 from the user agent
    "semiuri": ACCEPTED,
    "test": 400,
    "transports": ACCEPTED,
    "trws": 400,
    "unkscm": 416,
    "unksm2": 400,
    "unreason": ACCEPTED,
    "wsinv": ACCEPTED,
    "zeromf": ACCEPTED,  # answered or refused by the user agent
}
"""Each message's status, by its name in RFC 4475 §3."""


def torture_messages() -> dict[str, bytes]:
    """Return the messages by name, none where they are absent."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.dat"))}
