"""Prints docs/states.md from the tables of `pbx/sip/transaction.py` and `pbx/acd/agent.py`.

    python docs/make_states.py > docs/states.md

The test tests/sip/test_states_document.py fails when the file is not what this prints.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pbx.acd.agent import AIMS, LEGAL, Happening
from pbx.acd.model import AgentState
from pbx.sip.transaction import MACHINES, TIMER_LENGTHS, Do, Input, Row, Tell

INTRODUCTION = """\
# State machines

Printed from the tables in `pbx/sip/transaction.py` and `pbx/acd/agent.py` by
`docs/make_states.py`; do not edit by hand.

The four transactions of RFC 3261 §17 with the corrections of RFC 6026. An input that a state has
no row for is ignored. A state runs the timers that its rows name: entering it starts them, leaving
it stops them, and one that both states name runs on. What is told goes to the user of the
transaction: the INVITE, the request, or the dialog behind it.
"""

AGENTS = """\
## Agent of a call centre

What is so about an agent is a set of facts; the foremost, in the order of the columns, says where
it goes from the state it is in. A dash is what cannot be, from that state: it is reported, and
healed. Whoever is logged out stays so whatever its phones do; who logs out amid a call is so
afterwards.
"""

SECTIONS = {
    "INVITE client": "RFC 3261 §17.1.1, RFC 6026 §7.2",
    "non-INVITE client": "RFC 3261 §17.1.2",
    "INVITE server": "RFC 3261 §17.2.1, RFC 6026 §7.1",
    "non-INVITE server": "RFC 3261 §17.2.2",
}

INPUTS = {
    Input.REQUEST: "the request again",
    Input.ACK: "ACK",
    Input.PROVISIONAL: "1xx",
    Input.SUCCESS: "2xx",
    Input.FAILURE: "300–699",
    Input.FINAL: "200–699",
    Input.TRANSPORT_ERROR: "transport error",
}


def states_document() -> str:
    """Return the text of docs/states.md."""
    parts = [INTRODUCTION]
    parts += [_machine(name, rows) for name, rows in MACHINES.items()]
    parts.append(_timers())
    parts.append(_agents())
    return "\n".join(parts)


def _machine(name: str, rows: tuple[Row, ...]) -> str:
    lines = [f"## {name[0].upper()}{name[1:]} transaction", "", f"{SECTIONS[name]}.", ""]
    lines += ["```mermaid", "stateDiagram-v2", f"    [*] --> {rows[0].state.name}"]
    lines += [
        f"    {row.state.name} --> {row.next.name}: {_on(row.on)}"
        for row in rows
        if row.next is not row.state
    ]
    lines += ["```", "", "| state | on | does | then | tells |", "|---|---|---|---|---|"]
    lines += [_row(row) for row in rows]
    return "\n".join([*lines, ""])


def _row(row: Row) -> str:
    does = ", ".join(map(_does, row.do))
    stays = row.next is row.state
    next_state = "–" if stays else row.next.name
    return f"| {row.state.name} | {_on(row.on)} | {does} | {next_state} | {_tells(row.tell)} |"


def _on(given: Input) -> str:
    return INPUTS.get(given) or f"timer {given.name.removeprefix('TIMER_')}"


def _does(do: Do) -> str:
    return do.value


def _tells(tell: Tell | None) -> str:
    return "" if tell is None else tell.value


def _timers() -> str:
    lines = ["## Timers", "", "T1 = 0.5 s, T2 = 4 s, T4 = 5 s (RFC 3261 Table 4).", ""]
    lines += ["| timer | runs |", "|---|---|"]
    lines += [
        f"| {timer.name.removeprefix('TIMER_')} | {length.text} |"
        for timer, length in TIMER_LENGTHS.items()
    ]
    return "\n".join([*lines, ""])


def _agents() -> str:
    facts = [happening.value for happening in Happening]
    lines = [AGENTS, f"| state | {' | '.join(facts)} |", "|---" * (len(facts) + 1) + "|"]
    for state in AgentState:
        cells = [
            AIMS[happening].value if happening in LEGAL[state] else "–" for happening in Happening
        ]
        lines.append(f"| **{state.value}** | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(states_document())
