"""Run every benchmark; write one JSON file and print one table.

    python -m benchmarks.run [--quick] [--json FILE] [--markdown] [NAME …]

The benchmarks run one after another, never at once: they would measure each other.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks.figures import Figure, as_json, markdown, table, terminal

NAMES = ("signalling", "relay", "conference", "dialplan", "menus", "menu_calls", "queue", "reports")
"""Modules of this package with a `measure(quick)`, in the order in which they run."""


def main() -> None:
    """Be the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=(__doc__ or "")[:70])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that all works")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/figures.json"))
    parser.add_argument("--markdown", action="store_true", help="print the README's table")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no benchmark named {', '.join(sorted(unknown))}")

    console = terminal()
    found: list[Figure] = []
    for name in chosen.names or NAMES:
        console.print(f"[dim]{name} …[/]")
        found += importlib.import_module(f"benchmarks.{name}").measure(chosen.quick)
    chosen.json.write_text(as_json(found) + "\n")
    if chosen.markdown:
        print(markdown(found))
    else:
        console.print(table(found))
    console.print(f"[dim]written to {chosen.json}[/]")


if __name__ == "__main__":
    main()
