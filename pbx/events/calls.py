"""What happens to a call and to its legs: who talks, what is heard, said and recorded."""

from __future__ import annotations

from typing import Literal

import msgspec

from pbx.events.event import Direction, EndedBy, Event, LegRole, Result, SupervisionMode


class Quality(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one direction of one leg's media was like. `direction` is seen from callpbx.

    `mos` is of the whole call, `mos_worst` of its worst few seconds.
    """

    leg: LegRole
    direction: Literal["received", "sent"]
    codec: str
    packets: int
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float | None = None
    mos: float | None = None
    mos_worst: float | None = None
    bursts: int = 0
    concealed_ms: int = 0


class CallStarted(Event, frozen=True, tag=True):
    """A caller's INVITE was let in, or the API asked for a call."""

    direction: Direction
    caller: str
    caller_name: str | None
    called: str
    trunk: str | None = None
    dialplan_version: str | None = None


class CallRouted(Event, frozen=True, tag=True):
    """The call goes to `destination`, written `kind:name`; one step of the record's path."""

    destination: str


class LegInvited(Event, frozen=True, tag=True):
    """A leg exists: the caller's own (`role` caller), or one that callpbx rings. `trunk` is the
    line to a carrier that its party is reached by; None for the office's own phones."""

    leg: int
    role: LegRole
    number: str
    sip_call_id: str
    remote: str
    trunk: str | None = None


class LegRinging(Event, frozen=True, tag=True):
    """The far end rings (180) or sends audio before the answer (183 with a description)."""

    leg: int
    early_media: bool = False


class LegAnswered(Event, frozen=True, tag=True):
    """The leg is up: a 200 went out (caller) or came in (called)."""

    leg: int
    codec: str | None = None


class LegEnded(Event, frozen=True, tag=True):
    """The leg is gone, answered or not. `sip_status` is 200 for a leg that was up and got a BYE."""

    leg: int
    by: Literal["remote", "local"]
    reason: str
    sip_status: int
    cause: int


class LegQuality(Event, frozen=True, tag=True):
    """Media figures of a leg, read when its ports were freed."""

    leg: int
    received: Quality
    sent: Quality


class Bridged(Event, frozen=True, tag=True):
    """Two answered legs hear each other from now on."""

    leg: int
    other: int


class HoldStarted(Event, frozen=True, tag=True):
    """The party of this leg put the other on hold."""

    leg: int


class HoldEnded(Event, frozen=True, tag=True):
    """The party of this leg came back."""

    leg: int


class DigitReceived(Event, frozen=True, tag=True):
    """A key was pressed. `duration_ms` is 0 where the far end did not say."""

    leg: int
    digit: str
    duration_ms: int = 0
    source: Literal["rfc4733", "info", "inband"] = "rfc4733"


class SupervisorJoined(Event, frozen=True, tag=True):
    """A supervisor's phone was answered and is on the call, as `mode` says. `asked_by` is the API
    token in whose name it was rung, or `socket`."""

    leg: int
    supervisor: str
    mode: SupervisionMode
    asked_by: str = ""


class SupervisorChanged(Event, frozen=True, tag=True):
    """A supervisor is heard by others than before: by a key, or because somebody asked for it."""

    leg: int
    mode: SupervisionMode
    asked_by: str = ""


class SupervisorLeft(Event, frozen=True, tag=True):
    """A supervisor hung up, or the call ended."""

    leg: int


class PartyReleased(Event, frozen=True, tag=True):
    """A supervisor ended the call, or the part of the party on `leg` in it.

    `by` is the supervisor's number where one is on the call, `asked_by` the API token in whose name
    it was done, or `socket`.
    """

    mode: Literal["all", "agent", "takeover"]
    by: str | None = None
    leg: int | None = None
    asked_by: str = ""


class ConferenceJoined(Event, frozen=True, tag=True):
    """The party hears a conference room and is heard there."""

    leg: int
    room: str
    moderator: bool = False


class ConferenceLeft(Event, frozen=True, tag=True):
    """The party is no longer in the room: `left`, `kicked`, `moderator_left`."""

    leg: int
    room: str
    reason: str


class ConferenceMuted(Event, frozen=True, tag=True):
    """A member was muted, by itself or by somebody else, or is heard again."""

    leg: int
    room: str
    on: bool


class ConferenceTalking(Event, frozen=True, tag=True):
    """A member began to talk (for 200 ms by now) or ended (800 ms ago, or by leaving)."""

    leg: int
    room: str
    on: bool


class RecordingStarted(Event, frozen=True, tag=True):
    """The call, or the room that it is in, is being recorded from now on.

    `recording` is the recording's id, `file` its path below var/recordings.
    """

    recording: str
    file: str
    format: Literal["ulaw", "pcm", "opus"]


class RecordingPaused(Event, frozen=True, tag=True):
    """Silence is recorded in place of the call, for what nobody may keep."""

    recording: str


class RecordingResumed(Event, frozen=True, tag=True):
    """The call is recorded again; `by_itself` because the longest pause was over."""

    recording: str
    by_itself: bool = False


class RecordingEnded(Event, frozen=True, tag=True):
    """The recording's file is complete: `seconds` of sound, `octets` of file.

    `sha256` is None where it never was completed; `error` is a sentence where something is wrong.
    """

    recording: str
    seconds: float | None = None
    octets: int | None = None
    sha256: str | None = None
    error: str | None = None


RecordingEvent = RecordingStarted | RecordingPaused | RecordingResumed | RecordingEnded
"""What happens to a recording."""


class StepTaken(Event, frozen=True, tag=True):
    """The dialplan did something: one line of the call's story, with the reason of each branch.

    `kind` and `name` say what (`menu` and `main`, `lookup` and `customer`, `if` and nothing),
    `text` what came of it, `file` and `line` where the dialplan says so.
    """

    kind: str
    name: str
    text: str
    file: str
    line: int


class MenuEntered(Event, frozen=True, tag=True):
    """The caller hears a menu."""

    menu: str


class MenuLeft(Event, frozen=True, tag=True):
    """The caller chose: what was keyed, an extension's number, or `give_up`.

    `tries` counts inputs that were missing or of no use before.
    """

    menu: str
    choice: str
    tries: int = 0


class CallTagged(Event, frozen=True, tag=True):
    """The record carries this tag; a flow's `tag: …_done` counts the call as contained."""

    tag: str


class CallNoted(Event, frozen=True, tag=True):
    """A note for whoever answers the call."""

    text: str


class LookupFinished(Event, frozen=True, tag=True):
    """Outside data came, or did not."""

    lookup: str
    result: Literal["found", "empty", "error"]
    seconds: float
    reason: str = ""


class SurveyAsked(Event, frozen=True, tag=True):
    """The caller is asked for an opinion."""

    survey: str


class SurveyAnswered(Event, frozen=True, tag=True):
    """The caller gave one: the `key`, and what it means."""

    survey: str
    key: str
    meaning: str


class SurveyCommented(Event, frozen=True, tag=True):
    """The caller says a comment, which is taken down as the recording of that id."""

    survey: str
    recording: str


class VoicemailEntered(Event, frozen=True, tag=True):
    """The caller hears a mailbox's greeting."""

    box: str


class VoicemailLeft(Event, frozen=True, tag=True):
    """The caller left a mailbox: with a message of so many seconds, or without (None)."""

    box: str
    message: str | None = None
    seconds: float | None = None


class PlaybackFinished(Event, frozen=True, tag=True):
    """A file was played to its end, or stopped."""

    leg: int
    file: str


class CodecChanged(Event, frozen=True, tag=True):
    """A re-negotiation gave the leg another codec."""

    leg: int
    codec: str


class MediaLost(Event, frozen=True, tag=True):
    """Neither RTP nor RTCP came for `silent_s` seconds; the leg is being probed."""

    leg: int
    silent_s: float


class CallEnded(Event, frozen=True, tag=True):
    """The call is over; the last event of every call.

    `cause` is Q.850, `sip_status` what the caller was told.
    """

    result: Result
    reason: str
    cause: int
    sip_status: int
    ended_by: EndedBy
