"""A real soft phone (PJSIP) as a process: commands in on stdin, what happens out on stdout.

One JSON object a line. A command `{"id": 7, "do": "dial", …}` is answered by `{"id": 7, "ok": {…}}`
or `{"id": 7, "error": "…"}`; everything else is an event, `{"event": "call", …}`. `driver.py` is
the other end of the pipes.

PJSIP allows one Endpoint a process and aborts when an unknown thread, or the garbage collector at
exit, touches its objects. So: one phone is one process, PJSIP has no threads of its own, callbacks
run inside `libHandleEvents` on the main thread, the thread that reads stdin never touches PJSIP,
and the process leaves by `os._exit`.

    python -m pbx.demo.phone --bind 127.0.0.1 --port 0 --codecs PCMU,PCMA --log phone.log
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from pbx.demo.phone_options import read_options, without_events
from pbx.demo.phone_transfers import refer, refer_to

POLL_MS = 20
KEEP_ENDED_S = 1.0
"""Seconds that an ended call's object is kept: PJSIP still uses it after its last callback."""

GOODBYE_POLLS = 25
"""Rounds of POLL_MS at the end, at most, in which BYE and un-REGISTER get their answers."""

CLOCK_RATE = 16_000
"""Hz of the phone's inner audio, and so of its recordings: wide enough for G.722."""

TONE_AMPLITUDE = 8000

Reply = dict[str, Any]


class Wire:
    """Our side of the pipes. PJSIP itself prints to file descriptor 1, which therefore becomes
    stderr."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self.commands: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def write(self, **message: object) -> None:
        """Write one JSON line."""
        self._out.write(json.dumps(message) + "\n")

    def _read(self) -> None:
        for line in sys.stdin:
            self.commands.put(line)
        self.commands.put(None)


class PhoneCall(pj.Call):
    """One call of the phone, with what it plays and records."""

    def __init__(self, phone: Phone, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.tone: pj.ToneGenerator | None = None
        self.recorder: pj.AudioMediaRecorder | None = None

    def onCallState(self, _: object) -> None:
        """Report the state; park the object when the call is over."""
        info = self.getInfo()
        self.phone.emit(
            "call",
            call=info.id,
            state=info.stateText.lower(),
            status=int(info.lastStatusCode),
            reason=info.lastReason,
            sip_call_id=info.callIdString,
        )
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.tone = self.recorder = None
            self.phone.park(info.id)

    def onCallSdpCreated(self, created: Any) -> None:
        """Say in our descriptions what PJSIP has no setting for."""
        options = self.phone.options
        if not options.events:
            created.sdp.wholeSdp = without_events(created.sdp.wholeSdp)
        if options.ptime:
            created.sdp.wholeSdp += f"a=ptime:{options.ptime}\r\n"

    def onCallMediaState(self, _: object) -> None:
        """Report what was negotiated, and connect tone and recorder to it."""
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                self.phone.emit("media", call=info.id, **self._describe(media))
        self.connect()

    def _describe(self, media: Any) -> Reply:
        described = {"direction": DIRECTIONS[int(media.dir)], "hold": HOLDS[int(media.status)]}
        try:
            stream = self.getStreamInfo(media.index)
        except pj.Error:
            return described  # rejected or not yet started: there is no stream
        return described | {
            "codec": stream.codecName,
            "payload_sent": stream.txPt,
            "payload_received": stream.rxPt,
            "remote": stream.remoteRtpAddress,
        }

    def connect(self) -> None:
        """Join tone and recorder with the call's audio; without audio, do nothing.

        Who puts the other side on hold says nothing to it.
        """
        try:
            audio = self.getAudioMedia(-1)
        except pj.Error:
            return
        on_hold = any(
            media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD for media in self.getInfo().media
        )
        if self.tone and not on_hold:
            self.tone.startTransmit(audio)
        elif self.tone:
            self.tone.stopTransmit(audio)
        if self.recorder:
            audio.startTransmit(self.recorder)

    def onCallTransferStatus(self, told: Any) -> None:
        """Report what became of a REFER, as NOTIFYs tell it."""
        self.phone.emit("transfer", call=self.getId(), status=int(told.statusCode))

    def onDtmfDigit(self, digit: Any) -> None:
        """Report a key that the other side pressed."""
        self.phone.emit("digit", call=self.getId(), digit=digit.digit)


DIRECTIONS = {0: "inactive", 1: "sendonly", 2: "recvonly", 3: "sendrecv"}
HOLDS = {0: "none", 1: "none", 2: "local", 3: "remote", 4: "error"}
"""PJSIP's media directions and pjsua_call_media_status, in words."""


class PhoneAccount(pj.Account):
    """The phone's identity at its server."""

    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, state: Any) -> None:
        """Report what the registrar answered."""
        self.phone.emit(
            "registration",
            status=int(state.code),
            reason=state.reason,
            expires_s=int(state.expiration),
            active=bool(self.getInfo().regIsActive),
        )

    def onMwiInfo(self, told: Any) -> None:
        """Report what a NOTIFY says of waiting messages, subscribed to or not."""
        self.phone.emit("messages", message=told.rdata.wholeMsg)

    def onIncomingCall(self, incoming: Any) -> None:
        """Ring: 180 at once, the rest is for a command to say."""
        call = PhoneCall(self.phone, incoming.callId)
        self.phone.calls[incoming.callId] = call
        info = call.getInfo()
        self.phone.emit(
            "incoming",
            call=incoming.callId,
            remote=info.remoteUri,
            sip_call_id=info.callIdString,
            message=incoming.rdata.wholeMsg,
        )
        call.answer(parameters(status=pj.PJSIP_SC_RINGING))


class Phone:
    """The phone: its library, its account, its calls, and the commands it understands."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._wire = Wire()
        self.options = options
        self._ended: list[tuple[float, int, PhoneCall]] = []
        self.calls: dict[int, PhoneCall] = {}
        self.account = PhoneAccount(self)
        self._endpoint = pj.Endpoint()
        self._start()

    def _start(self) -> None:
        self._endpoint.libCreate()
        self._endpoint.libInit(self._configuration())
        transports = [("udp", pj.PJSIP_TRANSPORT_UDP), ("tcp", pj.PJSIP_TRANSPORT_TCP)]
        if self.options.tls_ca:
            transports.append(("tls", pj.PJSIP_TRANSPORT_TLS))
        self._transports = {name: self._open(kind) for name, kind in transports}
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNullDev()
        self._choose_codecs(self.options.codecs)
        address = self._endpoint.transportGetInfo(self._transports["udp"]).localName
        self.emit("ready", address=address, version=self._endpoint.libVersion().full)

    def _configuration(self) -> pj.EpConfig:
        configuration = pj.EpConfig()
        configuration.uaConfig.userAgent = "callpbx demo phone"
        configuration.uaConfig.threadCnt = 0
        configuration.uaConfig.mainThreadOnly = True
        configuration.uaConfig.maxCalls = 16
        configuration.medConfig.clockRate = CLOCK_RATE
        configuration.medConfig.ecTailLen = 0
        configuration.medConfig.noVad = True
        configuration.logConfig.level = 5 if self.options.log else 0
        configuration.logConfig.consoleLevel = 0
        configuration.logConfig.filename = self.options.log
        return configuration

    def _open(self, kind: int) -> int:
        transport = pj.TransportConfig()
        transport.port = self.options.port
        transport.boundAddress = transport.publicAddress = self.options.bind
        if kind == pj.PJSIP_TRANSPORT_TLS:
            transport.tlsConfig.CaListFile = self.options.tls_ca
            transport.tlsConfig.verifyServer = True
            transport.tlsConfig.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2
        number: int = self._endpoint.transportCreate(kind, transport)
        return number

    def _choose_codecs(self, names: str) -> None:
        """Offer only the named codecs, in that order; telephone-event is always there."""
        wanted = names.split(",")
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/")[0]
            priority = 200 - wanted.index(name) if name in wanted else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)

    def emit(self, event: str, **details: object) -> None:
        """Tell the driver that something happened, with the monotonic time of it."""
        self._wire.write(event=event, at=time.monotonic(), **details)

    def park(self, call: int) -> None:
        """Keep an ended call's object a while, and while another call has its number: dropping it
        would hang that one up."""
        ended = self.calls.pop(call, None)
        if ended:
            self._ended.append((time.monotonic() + KEEP_ENDED_S, call, ended))

    def run(self) -> None:
        """Serve commands and PJSIP's events until stdin ends or says quit."""
        while True:
            self._endpoint.libHandleEvents(POLL_MS)
            now = time.monotonic()
            self._ended = [kept for kept in self._ended if kept[0] > now or kept[1] in self.calls]
            while not self._wire.commands.empty():
                line = self._wire.commands.get()
                command = json.loads(line) if line else {"do": "quit"}
                if command["do"] == "quit":
                    return
                self._obey(**command)

    def _obey(self, *, id: int, do: str, **arguments: Any) -> None:
        try:
            result = COMMANDS[do](self, **arguments)
        except pj.Error as error:
            self._wire.write(id=id, error=f"{do}: {error.reason}")
        except (KeyError, TypeError, ValueError) as error:
            self._wire.write(id=id, error=f"{do}: {error!r}")
        else:
            self._wire.write(id=id, ok=result or {})

    def leave(self) -> None:
        """Hang up, un-register, and end the process without PJSIP's destructors, which abort."""
        for call in self.calls.values():
            call.tone = call.recorder = None
        self._endpoint.hangupAllCalls()
        if self._registered():
            self.account.setRegistration(False)
        for _ in range(GOODBYE_POLLS):
            self._endpoint.libHandleEvents(POLL_MS)
            if not self.calls and not self._registered():
                break
        os._exit(0)

    def _registered(self) -> bool:
        return bool(self.account.isValid() and self.account.getInfo().regIsActive)

    def register(
        self, uri: str, registrar: str, user: str, password: str, transport: str, expires_s: int
    ) -> None:
        """Take an identity. With an empty `registrar` nothing is registered."""
        account = pj.AccountConfig()
        account.idUri = uri
        account.regConfig.registrarUri = registrar
        account.regConfig.timeoutSec = expires_s
        account.regConfig.retryIntervalSec = 0
        account.regConfig.unregWaitMsec = 500
        account.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        if transport == "udp":  # PJSIP binds only datagram transports to an account
            account.sipConfig.transportId = self._transports["udp"]
        account.mediaConfig.transportConfig.boundAddress = self.options.bind
        account.mediaConfig.transportConfig.publicAddress = self.options.bind
        account.mediaConfig.srtpUse = self.options.srtp
        account.mediaConfig.srtpSecureSignaling = 0
        account.natConfig.contactRewriteUse = 0
        account.mwiConfig.enabled = self.options.subscribe
        self.account.create(account)

    def renew(self, on: bool) -> None:
        """Register again, or (`on` false) take the registration back."""
        self.account.setRegistration(on)

    def dial(self, uri: str) -> Reply:
        """Call somebody; the number of the call comes back."""
        if not self.account.isValid():  # PJSIP aborts on it
            raise ValueError("the phone has no identity yet")
        call = PhoneCall(self)
        call.makeCall(uri, parameters())
        self.calls[call.getId()] = call
        return {"call": call.getId()}

    def answer(self, call: int, status: int) -> None:
        """Answer an incoming call with a SIP status."""
        self.calls[call].answer(parameters(status=status))

    def hang_up(self, call: int) -> None:
        """End a call, whatever state it is in; one that is over already is no error."""
        if call in self.calls:
            self.calls[call].hangup(parameters())

    def hold(self, call: int) -> None:
        """Put the other side on hold by a re-INVITE."""
        self.calls[call].setHold(parameters())

    def resume(self, call: int) -> None:
        """Come back from hold."""
        resumed = parameters()
        resumed.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.calls[call].reinvite(resumed)

    def press(self, call: int, digits: str, method: str) -> None:
        """Press keys: `method` is rfc4733, info, or tones, which are then all that is said."""
        if method == "tones":
            self._press_as_tones(call, digits)
            return
        keys = pj.CallSendDtmfParam()
        keys.digits = digits
        keys.method = (
            pj.PJSUA_DTMF_METHOD_SIP_INFO if method == "info" else pj.PJSUA_DTMF_METHOD_RFC2833
        )
        self.calls[call].sendDtmf(keys)

    def _press_as_tones(self, call: int, digits: str) -> None:
        keys = pj.ToneDigitVector()
        for digit in digits:
            key = pj.ToneDigit()
            key.digit, key.on_msec, key.off_msec, key.volume = digit, 100, 100, TONE_AMPLITUDE
            keys.append(key)
        generator = pj.ToneGenerator()
        generator.createToneGenerator(CLOCK_RATE, 1)
        generator.playDigits(keys)
        self.calls[call].tone = generator
        self.calls[call].connect()

    def hush(self, call: int) -> None:
        """Say nothing from now on."""
        self.calls[call].tone = None

    def play(self, call: int, hz: int) -> None:
        """Speak a tone until the call ends."""
        tone = pj.ToneDesc()
        tone.freq1, tone.freq2, tone.on_msec, tone.off_msec = hz, 0, 1000, 0
        tone.volume = TONE_AMPLITUDE
        tones = pj.ToneDescVector()
        tones.append(tone)
        generator = pj.ToneGenerator()
        generator.createToneGenerator(CLOCK_RATE, 1)
        generator.play(tones, True)
        self.calls[call].tone = generator
        self.calls[call].connect()

    def record(self, call: int, file: str) -> None:
        """Write what this phone hears to a WAV file, from now on."""
        recorder = pj.AudioMediaRecorder()
        recorder.createRecorder(file)
        self.calls[call].recorder = recorder
        self.calls[call].connect()

    def stop_recording(self, call: int) -> None:
        """Close the WAV file; its header is written a moment later."""
        if call in self.calls:
            self.calls[call].recorder = None

    def figures(self, call: int) -> Reply:
        """Count the packets of a call."""
        rtcp = self.calls[call].getStreamStat(0).rtcp
        return {"sent": rtcp.txStat.pkt, "received": rtcp.rxStat.pkt, "lost": rtcp.rxStat.loss}


COMMANDS: dict[str, Callable[..., Reply | None]] = {
    command.__name__: command
    for command in (
        Phone.register,
        Phone.renew,
        Phone.dial,
        Phone.answer,
        Phone.hang_up,
        Phone.hold,
        Phone.resume,
        Phone.press,
        Phone.play,
        Phone.hush,
        Phone.record,
        Phone.stop_recording,
        Phone.figures,
        refer,
        refer_to,
    )
}


def parameters(*, status: int = 0) -> pj.CallOpParam:
    """Return PJSIP's call parameters: audio only."""
    wanted = pj.CallOpParam(True)
    wanted.opt.audioCount, wanted.opt.videoCount = 1, 0
    if status:
        wanted.statusCode = status
    return wanted


def main() -> None:
    """Be a phone until told to quit."""
    phone = Phone(read_options())
    phone.run()
    phone.leave()


if __name__ == "__main__":
    main()
