"""The demo's dialplan, called twice: Alice presses 1 and talks to Bob; she presses 2 at once and
leaves a message.

Each prompt is a tone of its own, by which it is known what she hears. Every call is rehearsed too:
the steps that `callpbx simulate` foretells stand beside those that the call took, each with its
line in the file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape

from pbx.cli.text import pad, width
from pbx.demo.driver import SoftCall
from pbx.demo.office import Office
from pbx.demo.prompts import Marks, PromptEar, marked_prompts
from pbx.demo.stage import ALICE, BOB, NAME, TONE, Record, Stage, mark, tones
from pbx.demo.tones import Sound, heard
from pbx.media.codecs.g711 import PCMU
from pbx.sentences import story

FRONT_DOOR = "8000"

DIALPLAN = f"""\
version: 1

defaults: {{language: en, timezone: UTC, operator: ext:{BOB}}}

prompts:                            # a tone each, in this demo
  welcome: {{en: Welcome.}}
  choices: {{en: "For Bob press 1, to leave a message press 2."}}
  closed: {{en: Nobody is here. Please leave a message.}}

hours:
  office: {{weekly: {{mon-sun: 00:00-24:00}}}}

numbers:
  "{FRONT_DOOR}": flow:front_door

flows:
  front_door:
    - say: welcome
    - hours: office
      open: menu:main
      closed: voicemail:office

menus:
  main:
    prompt: choices
    keys: {{1: ext:{BOB}, 2: voicemail:office}}
    give_up: operator

voicemail:
  office: {{greeting: closed}}
"""

PROMPTS = ("welcome", "choices", "closed", "message-saved", "goodbye")
PROMPT_S = 0.4
"""How long each of them is."""

MESSAGE_S = 3.7
"""How long Alice speaks: a message is three seconds or more, and some are the beep's."""

SETTLED = (1.0, 2.5)
"""The seconds of the message by which it is judged who speaks."""

Line = tuple[str, str]
"""Where the dialplan says so, and what it did."""


def furnish(office: Office) -> Marks:
    """Give the office the sounds that its dialplan needs; return which tone is which prompt."""
    return marked_prompts(office.folder, [f"en/{name}" for name in PROMPTS], seconds=PROMPT_S)


def show_dialplan(stage: Stage) -> None:
    """Show what callers live through, with the numbers of the lines."""
    stage.console.print("$ cat -n dialplan.yaml", style="bold", markup=False)
    for number, line in enumerate(DIALPLAN.splitlines(), 1):
        stage.write(f"{number:4}  {line}".rstrip())


def call_bob(stage: Stage, marks: Marks) -> None:
    """Let Alice press 1: Bob's phone rings, and they talk."""
    call = stage.dial(ALICE, FRONT_DOOR)
    call.wait("confirmed")
    ear = PromptEar(call, marks)
    _hears(stage, ear, "welcome", "choices")
    _press(stage, call, "1")
    answered = stage.phones[BOB].incoming()
    answered.answer()
    answered.wait("confirmed")
    call.play(TONE[ALICE])
    answered.play(TONE[BOB])
    ear.close()
    stage.listen({ALICE: (call, {TONE[BOB]}), BOB: (answered, {TONE[ALICE]})})
    answered.hang_up()
    call.wait("disconnected")
    record = stage.next_record()
    _compare(stage, record, press="1")
    path = [f"numbers:{FRONT_DOOR}", "menu:main:1", f"ext:{BOB}"]
    stage.tell(record, called=FRONT_DOOR, path=path, ended_by="called")


def leave_message(stage: Stage, marks: Marks) -> None:
    """Let Alice press 2 before she is asked: she leaves a message, and it holds what she said."""
    call = stage.dial(ALICE, FRONT_DOOR)
    call.wait("confirmed")
    ear = PromptEar(call, marks)
    _press(stage, call, "2")
    _hears(stage, ear, "closed")
    call.play(TONE[ALICE])
    time.sleep(MESSAGE_S)
    call.hush()
    _press(stage, call, "#")
    _hears(stage, ear, "message-saved", "goodbye")
    call.wait("disconnected")
    record = stage.next_record()
    _check_message(stage)
    _compare(stage, record, press="2")
    path = [f"numbers:{FRONT_DOOR}", "menu:main:2", "voicemail:office"]
    stage.tell(record, called=FRONT_DOOR, path=path, ended_by="system", result="voicemail")


def _hears(stage: Stage, ear: PromptEar, *names: str) -> None:
    found = [each.removeprefix("en/") for each in ear.hears(*(f"en/{name}" for name in names))]
    what = ", ".join(found) or "nothing"
    right = found == list(names)
    stage.console.print(f"{NAME[ALICE]} hears: {what} {mark(right)}")
    stage.expect(f"{NAME[ALICE]} hears {', '.join(names)}", right, f"heard {what}")


def _press(stage: Stage, call: SoftCall, keys: str) -> None:
    call.press(keys)
    stage.write(f"{NAME[ALICE]} presses: {keys}")


def _check_message(stage: Stage) -> None:
    """Listen to the only message that there is."""
    stage.show_command("voicemail", "list", "office")
    expected = {TONE[ALICE]}
    messages = stage.office.ask("voicemail", "list", "office")
    found: set[int] = set()
    for message in messages:
        file = stage.office.folder / f"{message['id']}.wav"
        stage.office.cli("voicemail", "export", message["id"], str(file))
        found |= heard(_read_message(file).part(*SETTLED))
    stage.expect(
        f"one message is kept, of {tones(expected)}",
        len(messages) == 1 and found == expected,
        f"{len(messages)} are, of {tones(found)}",
    )


def _read_message(file: Path) -> Sound:
    """Read the sound of a message: a WAV file in G.711 µ-law."""
    octets = file.read_bytes()
    start = octets.index(b"data") + len("data") + 4
    return Sound(PCMU.expand[np.frombuffer(octets[start:], np.uint8)], PCMU.rate)


def _compare(stage: Stage, record: Record, *, press: str) -> None:
    """Show the rehearsal beside the call, line by line; which should be the same."""
    command = ("simulate", "--to", FRONT_DOOR, "--from", ALICE, "--press", press)
    stage.type(*command)
    told = stage.office.ask(*command)
    took = [row for row in stage.office.ask("trace", record["id"]) if row["kind"] == "step"]
    rehearsed = [
        *(
            (_place(step), story(step["kind"], step["name"], step["text"]))
            for step in told["steps"]
        ),
        ("", _end(told["outcome"])),
    ]
    happened = [*((_place(row), row["summary"]) for row in took), ("", _end(record))]
    _show_beside(stage, rehearsed, happened)
    stage.expect(
        f"the call took the {len(told['steps'])} steps that were rehearsed",
        rehearsed == happened,
        f"it took {'; '.join(text for _, text in happened)}",
    )


def _show_beside(stage: Stage, rehearsed: list[Line], happened: list[Line]) -> None:
    pairs = list(zip_longest(rehearsed, happened, fillvalue=("", "")))
    cells = max(width(text) for pair in pairs for _, text in pair)
    places = max(width(place) for pair in pairs for place, _ in pair)
    stage.write(f"{'':{places}}  {pad('rehearsed', cells)}  happened")
    for (there, foretold), (here, seen) in pairs:
        line = f"{pad(here or there, places)}  {pad(foretold, cells)}  {pad(seen, cells)}"
        sign = mark((there, foretold) == (here, seen))
        stage.console.print(f"{escape(line)} {sign}", soft_wrap=True)


def _place(step: Mapping[str, Any]) -> str:
    return f"{step['file']}:{step['line']}" if step["line"] else ""


def _end(outcome: Mapping[str, Any]) -> str:
    return f"ended: {outcome['result']} ({outcome['reason']})"
