"""Drives soft phones: starts the process of `phone.py`, sends it commands, waits for what happens.

Everything blocks, with a deadline: a test or a demo reads like what a person does with a phone in
each hand. Events are kept from the first to the last, so that waiting for something that has
already happened returns at once.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

Event = Mapping[str, Any]

PATIENCE_S = 10.0
"""Seconds that a wait lasts at most when nothing else is said."""

RECORDED_HZ = 16_000
"""Samples a second of what a phone records (`CLOCK_RATE` of phone.py, which imports PJSIP)."""

START_S = 20.0
"""Seconds that a phone's process may take until it is ready."""


class PhoneError(RuntimeError):
    """A phone did not do what it was asked for, or something did not happen in time."""


class EventLog:
    """What a phone reported, in order. One thread appends, others wait."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Add an event, give it its `index`, and wake who waits."""
        with self._changed:
            self._events.append({**event, "index": len(self._events)})
            self._changed.notify_all()

    def close(self) -> None:
        """Say that nothing will follow; waits that cannot succeed any more end at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def everything(self, since: int = 0) -> list[Event]:
        """Return every event so far, from index `since` on."""
        with self._changed:
            return self._events[since:]

    def all(self, event: str, *, since: int = 0) -> list[Event]:
        """Return every event of a kind so far, from index `since` on."""
        return [kept for kept in self.everything(since) if kept.get("event") == event]

    def wait(
        self,
        match: Callable[[Event], bool],
        what: str,
        *,
        since: int = 0,
        timeout: float = PATIENCE_S,
    ) -> Event:
        """Return the first event at index `since` or later that matches.

        Raises PhoneError, which says `what` was waited for and what came instead, after `timeout`
        seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for event in self._events[since:]:
                    if match(event):
                        return event
                    since += 1
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    raise PhoneError(self._disappointment(what, timeout))
                self._changed.wait(left)

    def _disappointment(self, what: str, timeout: float) -> str:
        why = "the phone has gone" if self._closed else f"not within {timeout:g} s"
        shown = [
            " ".join(f"{key}={value}" for key, value in event.items() if key != "message")
            for event in self._events[-6:]
        ]
        return "\n    ".join([f"{self._name}: no {what}, {why}; the last events:", *shown])


Srtp = Literal["off", "optional", "required"]
"""Whether a phone encrypts its speech."""

SRTP: tuple[Srtp, ...] = ("off", "optional", "required")


class SoftPhone:
    """A pjsua2 phone in a process of its own.

    with SoftPhone("alice", folder) as alice:
        alice.register("sip:101@127.0.0.1", "secret")
        call = alice.dial("sip:102@127.0.0.1")
        call.wait("confirmed")
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        bind: str = "127.0.0.1",
        port: int = 0,
        codecs: str = "PCMU,PCMA,G722",
        ptime: int = 0,
        events: bool = True,
        tls_ca: Path | None = None,
        srtp: Srtp = "off",
        subscribe: bool = False,
    ) -> None:
        self.name = name
        self.folder = folder
        self.events = EventLog(name)
        self._ids = itertools.count(1)
        self._taken = 0
        self._errors = (folder / f"{name}.err").open("wb")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pbx.demo.phone", "--bind", bind, "--port", str(port)),
                *("--codecs", codecs, "--ptime", str(ptime)),
                *(() if events else ("--no-events",)),
                *(("--subscribe",) if subscribe else ()),
                *("--tls-ca", str(tls_ca or ""), "--srtp", str(SRTP.index(srtp))),
                *("--log", str(folder / f"{name}.log")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.address: str = self.wait("ready", timeout=START_S)["address"]
        except PhoneError as error:
            self.close()
            error.add_note((folder / f"{name}.err").read_text(errors="replace")[-1000:])
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def quit(self) -> None:
        """Ask the phone to hang up everything, un-register and leave; do not wait for it."""
        if self._process.poll() is None:
            self._write({"do": "quit"})

    def close(self) -> None:
        """Quit and wait until the process has ended."""
        if self._process.poll() is None:
            try:
                self.quit()
                self._process.wait(PATIENCE_S)
            except (PhoneError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.events.append(json.loads(line))
        self.events.close()

    def _write(self, command: Mapping[str, object]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PhoneError(f"{self.name}: the phone has gone") from error

    def do(self, command: str, **arguments: object) -> Mapping[str, Any]:
        """Send a command and return its result; raises PhoneError when the phone refuses."""
        number = next(self._ids)
        self._write({"id": number, "do": command, **arguments})
        reply = self.events.wait(lambda event: event.get("id") == number, f"reply to {command}")
        if "error" in reply:
            raise PhoneError(f"{self.name}: {reply['error']}")
        result: Mapping[str, Any] = reply["ok"]
        return result

    def wait(
        self, event: str, *, timeout: float = PATIENCE_S, since: int = 0, **wanted: Any
    ) -> Event:
        """Return the first event of a kind whose details equal `wanted`."""
        what = " ".join([event, *(f"{key}={value}" for key, value in wanted.items())])
        return self.events.wait(
            lambda seen: (
                seen.get("event") == event
                and all(seen.get(key) == value for key, value in wanted.items())
            ),
            what,
            since=since,
            timeout=timeout,
        )

    def register(
        self,
        uri: str,
        password: str,
        *,
        transport: str = "udp",
        expires_s: int = 300,
        expect: int = 200,
    ) -> Event:
        """Register sip:NUMBER@HOST[:PORT] there and return the answer, whose status is `expect`."""
        user, _, host = uri.removeprefix("sip:").partition("@")
        suffix = "" if transport == "udp" else f";transport={transport}"
        since = len(self.events)
        self.do(
            "register",
            uri=f"{uri}{suffix}",
            registrar=f"sip:{host}{suffix}",
            user=user,
            password=password,
            transport=transport,
            expires_s=expires_s,
        )
        return self.wait("registration", since=since, status=expect)

    def answer_as(self, uri: str) -> None:
        """Take an identity without registering, for calls straight to this phone."""
        self.do(
            "register", uri=uri, registrar="", user="", password="", transport="udp", expires_s=0
        )

    def renew(self, *, on: bool = True) -> Event:
        """Register again now, or take the registration back; return the answer."""
        since = len(self.events)
        self.do("renew", on=on)
        return self.wait("registration", since=since)

    def dial(self, uri: str) -> SoftCall:
        """Call somebody."""
        since = len(self.events)
        return SoftCall(self, self.do("dial", uri=uri)["call"], since)

    def incoming(self, *, timeout: float = PATIENCE_S) -> SoftCall:
        """Wait for the next call that `incoming` has not returned yet; it rings."""
        event = self.wait("incoming", since=self._taken, timeout=timeout)
        self._taken = event["index"] + 1
        return SoftCall(self, event["call"], event["index"], event)


class SoftCall:
    """One call as one phone sees it; `invitation` is the event that announced it, if it came in.

    PJSIP uses a call's `number` again when it is over; `since` is the index of its first event.
    """

    def __init__(
        self, phone: SoftPhone, number: int, since: int, invitation: Event | None = None
    ) -> None:
        self.phone = phone
        self.number = number
        self.since = since
        self.invitation = invitation
        self._recordings = itertools.count(1)

    def do(self, command: str, **arguments: object) -> Mapping[str, Any]:
        """Send a command about this call."""
        return self.phone.do(command, call=self.number, **arguments)

    def wait(self, state: str, *, timeout: float = PATIENCE_S) -> Event:
        """Wait for a state: calling, early, confirmed, disconnected."""
        return self.phone.wait(
            "call", since=self.since, call=self.number, state=state, timeout=timeout
        )

    def wait_media(self, *, since: int | None = None, hold: str = "none") -> Event:
        """Wait for negotiated media with the given hold (none, local, remote)."""
        start = self.since if since is None else since
        return self.phone.wait("media", since=start, call=self.number, hold=hold)

    def answer(self, status: int = 200) -> None:
        """Answer an incoming call; anything but 200 refuses it (or, below 200, is provisional)."""
        self.do("answer", status=status)

    def hang_up(self) -> None:
        """End the call."""
        self.do("hang_up")

    def hold(self) -> None:
        """Put the other side on hold and wait until it is."""
        since = len(self.phone.events)
        self.do("hold")
        self.wait_media(since=since, hold="local")

    def resume(self) -> None:
        """Come back from hold and wait until audio flows both ways again."""
        since = len(self.phone.events)
        self.do("resume")
        self.wait_media(since=since)

    def press(self, digits: str, *, method: str = "rfc4733") -> None:
        """Press keys: `method` is rfc4733, info, or tones, which are then all that is said."""
        self.do("press", digits=digits, method=method)

    def play(self, hz: int) -> None:
        """Speak a tone from now on."""
        self.do("play", hz=hz)

    def hush(self) -> None:
        """Say nothing from now on."""
        self.do("hush")

    def listen(self) -> Path:
        """Listen until the call ends; return the WAV file, at RECORDED_HZ, that grows meanwhile.

        Its header is wrong as long as it grows. `stop_listening` ends it.
        """
        name = f"{self.phone.name}-{self.since}-{next(self._recordings)}.wav"
        file = self.phone.folder / name
        self.do("record", file=str(file))
        return file

    def stop_listening(self, file: Path) -> Path:
        """End what `listen` began; return the WAV file, which is whole now."""
        self.do("stop_recording")
        return wait_for_wav(file)

    def record(self, seconds: float) -> Path:
        """Listen for a while; return the WAV file of what was heard."""
        file = self.listen()
        time.sleep(seconds)
        return self.stop_listening(file)

    def refer(self, uri: str) -> None:
        """Hand the other party on to a number."""
        self.do("refer", uri=uri)

    def refer_to(self, other: SoftCall) -> None:
        """Join the other party with that of another call of this phone."""
        self.do("refer_to", other=other.number)

    def told(self, status: int) -> Event:
        """Wait until the phone is told that the transfer's target answered with `status`."""
        return self.phone.wait("transfer", since=self.since, call=self.number, status=status)

    def figures(self) -> Mapping[str, Any]:
        """Return packets `sent`, `received` and `lost`."""
        return self.do("figures")


def wait_for_wav(file: Path, *, timeout: float = 3.0) -> Path:
    """Wait until PJSIP has written the header of a WAV file, which it does after closing it."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            with wave.open(str(file)) as opened:
                if opened.getnframes():
                    return file
        except (wave.Error, EOFError, FileNotFoundError):
            pass
        if time.monotonic() > deadline:
            raise PhoneError(f"{file.name}: nothing was recorded")
        time.sleep(0.02)
