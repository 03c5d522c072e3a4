"""`callpbx demo`: an office of its own on loopback, two real phones, and the proof that they heard
each other, and the menu that they called.

`show.py` is what happens, in order, `menu.py` the part with the dialplan, `stage.py` what all
scenes do; `office.py` the office and its commands; `driver.py` and `phone.py` the two ends of the
pipe to a soft phone; `tones.py` and `prompts.py` the ear. The tests with real phones stand on the
same parts.
"""

from __future__ import annotations


def main() -> int:
    """Run the demo on the terminal; return 0 only if everything that it showed was right."""
    from pbx.demo.show import run

    return run()
