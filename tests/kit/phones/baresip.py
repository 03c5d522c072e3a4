"""A baresip phone, driven through its ctrl_tcp module: netstrings of JSON both ways.

It speaks a WAV file and writes what it hears into another (module sndfile), so it needs no sound
card. `ok` in a reply only means that the command was understood; what came of it is an event. Its
SIP port takes UDP and TCP.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Self

from pbx.demo.tones import samples_so_far
from pbx.sip.flow import bracket
from pbx.sip.tls import TlsFiles
from tests.kit.phones.pjsua import Event, EventLog, PhoneError, Srtp
from tests.kit.programs import find
from tests.kit.tones import Sound, tone, write_wav

MODULES = Path("/usr/lib/baresip/modules")
PATIENCE_S = 10.0
TONE_SECONDS = 60.0
"""The spoken file must outlast the call: baresip ends a call whose audio source ends."""


CONFIG = """\
poll_method epoll
sip_listen {listen}:{port}
{tls}call_local_timeout 60
call_max_calls 8
audio_path {folder}
audio_player aubridge,{name}
audio_source aufile,{spoken}
audio_alert aubridge,alert
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_level no
snd_path {folder}
rtp_tos 184
rtp_ports {rtp}-{rtp_end}
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 2-10
net_interface {bind}
module_path {modules}
module g711.so
module g722.so
module opus.so
module l16.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app contact.so
module_app ctrl_tcp.so
{lamp}ctrl_tcp_listen 127.0.0.1:{control}
"""

CODECS = {
    "PCMU": "PCMU/8000/1",
    "PCMA": "PCMA/8000/1",
    "G722": "G722/16000/1",
    "opus": "opus/48000/2",
    "L16": "L16/16000/1",
}
RATES = {"PCMU": 8000, "PCMA": 8000, "G722": 16000, "opus": 48000, "L16": 16000}
"""How baresip names a codec, and the rate in Hz of the audio it is given and gives."""

SECURITY: dict[Srtp, str] = {
    "off": "",
    "optional": ";mediaenc=srtp",
    "required": ";mediaenc=srtp-mand",
}
"""How baresip names what it does about SRTP."""

CHANNELS = {"opus": 2}
"""Interleaved channels of what it writes down, where not 1."""


class Baresip:
    """One baresip process with one codec, speaking one tone in every call.

    `number` sets its ports, so that several live in one network namespace: SIP 15000 + 10 n, RTP
    20000 + 100 n. With `tls` it speaks TLS too, showing and believing these. With `subscribe` it
    wants to know of waiting messages.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        number: int = 1,
        codec: str = "PCMU",
        hz: int = 690,
        bind: str = "127.0.0.1",
        ptime: int = 20,
        tls: TlsFiles | None = None,
        srtp: Srtp = "off",
        subscribe: bool = False,
    ) -> None:
        self.name = name
        self.folder = folder / name
        self.port = 15000 + 10 * number
        self.codec = codec
        self._ptime = ptime
        self._tls = tls
        self._srtp = srtp
        self.events = EventLog(name)
        self._replies = EventLog(name)
        self._tokens = itertools.count(1)
        self._taken = 0
        self._prepare(number, hz, bind, subscribe)
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [find("baresip") or "baresip", "-f", str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._control = self._connect(self.port + 5)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; its calls and registration end with it."""
        self.quit()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE_S)
        self._control.close()
        self._log.close()

    def quit(self) -> None:
        """Ask it to leave; do not wait for that."""
        if self._process.poll() is None:
            self._send("quit", "")

    def register(self, uri: str, password: str, *, transport: str = "udp") -> None:
        """Register sip:NUMBER@HOST:PORT and wait for the answer 200."""
        user, _, host = uri.removeprefix("sip:").partition("@")
        since = len(self.events)
        self._identify(user, f"{host};transport={transport}", f"auth_pass={password};regint=300")
        self.wait("REGISTER_OK", since=since)

    def answer_as(self, user: str) -> None:
        """Take an identity without registering, for calls straight to this phone."""
        self._identify(user, f"127.0.0.1:{self.port}", "regint=0")

    def _identify(self, user: str, host: str, parameters: str) -> None:
        codec = f"audio_codecs={CODECS[self.codec]};ptime={self._ptime}{SECURITY[self._srtp]}"
        self.do(
            "uanew", f"<sip:{user}@{host}>;auth_user={user};{parameters};{codec};answermode=manual"
        )

    def dial(self, uri: str) -> BaresipCall:
        """Call somebody."""
        since = len(self.events)
        self.do("dial", uri)
        return BaresipCall(self, since)

    def incoming(self, *, timeout: float = PATIENCE_S) -> BaresipCall:
        """Wait for the next call that `incoming` has not returned yet; it rings."""
        event = self.wait("CALL_INCOMING", since=self._taken, timeout=timeout)
        self._taken = event["index"] + 1
        return BaresipCall(self, event["index"])

    def keys(self, *, since: int = 0, until: str) -> str:
        """Return the keys that the other side pressed, once the one named last has come."""
        started = "CALL_DTMF_START"
        self.events.wait(
            lambda event: event["type"] == started and event["param"] == until,
            f"key {until}",
            since=since,
        )
        pressed = [event for event in self.events.everything(since) if event["type"] == started]
        return "".join(event["param"] for event in pressed)

    def heard(self) -> list[Path]:
        """Return the files of what was heard, the newest last; it begins one with each stream,
        so with each call and each resume, and none before the first packet."""
        return sorted(self.folder.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_mtime)

    def do(self, command: str, parameters: str = "") -> str:
        """Send a command and return its reply's text; raises PhoneError when it was refused."""
        token = self._send(command, parameters)
        reply = self._replies.wait(lambda event: event.get("token") == token, f"reply to {command}")
        if not reply["ok"]:
            raise PhoneError(f"{self.name}: {command} {parameters}: {reply['data']}")
        text: str = reply["data"]
        return text

    def wait(self, kind: str, *, since: int = 0, timeout: float = PATIENCE_S) -> Event:
        """Wait for an event of baresip's, such as CALL_ESTABLISHED."""
        return self.events.wait(
            lambda event: event["type"] == kind, kind, since=since, timeout=timeout
        )

    def _prepare(self, number: int, hz: int, bind: str, subscribe: bool) -> None:
        self.folder.mkdir()
        rate = RATES[self.codec]
        spoken = write_wav(self.folder / "spoken.wav", tone(hz, TONE_SECONDS, rate=rate))
        config = CONFIG.format(
            bind=bind,
            listen=bracket(bind),
            port=self.port,
            control=self.port + 5,
            folder=self.folder,
            name=self.name,
            spoken=spoken,
            rate=rate,
            rtp=20000 + 100 * number,
            rtp_end=20098 + 100 * number,
            modules=MODULES,
            tls=self._certificates(),
            lamp="module_app mwi.so\n" if subscribe else "",
        )
        (self.folder / "config").write_text(config)
        (self.folder / "accounts").write_text("")
        (self.folder / "contacts").write_text("")

    def _certificates(self) -> str:
        """Return the lines of TLS; its port is the one above that of UDP and TCP."""
        if self._tls is None:
            return ""
        both = self.folder / "both.pem"
        both.write_bytes(self._tls.certificate.read_bytes() + self._tls.key.read_bytes())
        return f"sip_cafile {self._tls.ca}\nsip_certificate {both}\n"

    def _connect(self, port: int) -> socket.socket:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=None)
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log = (self.folder / "log").read_text(errors="replace")[-500:]
                    raise PhoneError(f"{self.name}: baresip did not start: {log}") from error
                time.sleep(0.05)

    def _send(self, command: str, parameters: str) -> str:
        token = str(next(self._tokens))
        message = json.dumps({"command": command, "params": parameters, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(message), message))
        return token

    def _read(self) -> None:
        with self._control.makefile("rb") as stream:
            try:
                while length := _read_length(stream):
                    message: dict[str, Any] = json.loads(stream.read(length))
                    stream.read(1)  # the comma that ends a netstring
                    (self.events if message.get("event") else self._replies).append(message)
            except ConnectionError:
                pass  # it has gone, as the closed logs say
        self.events.close()
        self._replies.close()


def _read_length(stream: Any) -> int:
    """Return the length of the next netstring, 0 at the end of the stream."""
    digits = b""
    while (byte := stream.read(1)) not in (b":", b""):
        digits += byte
    return int(digits) if digits else 0


class BaresipCall:
    """One call as baresip sees it; the phone has one call at a time."""

    STATES = {
        "early": "CALL_RINGING",
        "confirmed": "CALL_ESTABLISHED",
        "disconnected": "CALL_CLOSED",
    }

    def __init__(self, phone: Baresip, since: int) -> None:
        self.phone = phone
        self._since = since
        self._before = frozenset(phone.heard())

    def heard(self) -> list[Path]:
        """Return the files of what was heard in this call, in order."""
        return [file for file in self.phone.heard() if file not in self._before]

    def wait(self, state: str, *, timeout: float = PATIENCE_S) -> Event:
        """Wait for early, confirmed or disconnected."""
        return self.phone.wait(self.STATES[state], since=self._since, timeout=timeout)

    def answer(self) -> None:
        """Pick up."""
        self.phone.do("accept")

    def hang_up(self) -> None:
        """End the call."""
        self.phone.do("hangup")

    def hold(self) -> None:
        """Put the other side on hold."""
        self.phone.do("hold")

    def resume(self) -> None:
        """Come back from hold."""
        self.phone.do("resume")

    def press(self, digits: str) -> None:
        """Press keys (RFC 4733), a third of a second apart, since baresip takes them singly."""
        for digit in digits:
            self.phone.do("sndcode", digit)
            time.sleep(0.3)

    def record(self, seconds: float) -> Sound:
        """Listen for a while and return what was heard, read from the file that baresip is
        writing."""
        rate = RATES[self.phone.codec]
        time.sleep(seconds)
        files = self.phone.heard()
        if not files:
            raise PhoneError(f"{self.phone.name}: nothing was recorded")
        channels = CHANNELS.get(self.phone.codec, 1)
        samples = samples_so_far(files[-1])[::channels]
        return Sound(samples[-round(seconds * rate) :], rate)
