"""The vocabulary of what happens to a call; bus.py carries it.

Every event names its call. Only `call`, `acd`, `ivr` and `voicemail` make events; everything that
wants to know — the record, the API's stream, the trace — is a sink on the bus. Events are in the
past tense and hold plain values, so that they can be stored and sent as they are. Leg ids are
numbers that are unique within one run of the server.

Seconds that leave the process are wall-clock (UTC) for people and monotonic for differences: the
bus stamps both.
"""

from __future__ import annotations

from pbx.events.calls import (
    Bridged,
    CallEnded,
    CallNoted,
    CallRouted,
    CallStarted,
    CallTagged,
    CodecChanged,
    ConferenceJoined,
    ConferenceLeft,
    ConferenceMuted,
    ConferenceTalking,
    DigitReceived,
    HoldEnded,
    HoldStarted,
    LegAnswered,
    LegEnded,
    LegInvited,
    LegQuality,
    LegRinging,
    LookupFinished,
    MediaLost,
    MenuEntered,
    MenuLeft,
    PartyReleased,
    PlaybackFinished,
    Quality,
    RecordingEnded,
    RecordingEvent,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    StepTaken,
    SupervisorChanged,
    SupervisorJoined,
    SupervisorLeft,
    SurveyAnswered,
    SurveyAsked,
    SurveyCommented,
    VoicemailEntered,
    VoicemailLeft,
)
from pbx.events.centre import (
    AgentConnected,
    AgentDeclined,
    AgentOffered,
    AgentStateChanged,
    CallbackBooked,
    CallbackEnded,
    CallbackTried,
    CallerMoved,
    Candidate,
    OfferDecided,
    PastCall,
    QueueAlarmed,
    QueueEntered,
    QueueLeft,
    QueueSwitched,
    RecordAmended,
    RequirementRelaxed,
    WrapUpEnded,
)
from pbx.events.event import (
    AgentStateName,
    Direction,
    EndedBy,
    Event,
    LegRole,
    Result,
    SupervisionMode,
)
from pbx.events.transfer import (
    CallerChanged,
    CallJoined,
    LegBrought,
    TransferEnded,
    TransferStarted,
)

AnyEvent = (
    CallStarted
    | CallRouted
    | LegInvited
    | LegRinging
    | LegAnswered
    | LegEnded
    | LegQuality
    | Bridged
    | HoldStarted
    | HoldEnded
    | SupervisorJoined
    | SupervisorChanged
    | SupervisorLeft
    | PartyReleased
    | ConferenceJoined
    | ConferenceLeft
    | ConferenceMuted
    | ConferenceTalking
    | DigitReceived
    | RecordingStarted
    | RecordingPaused
    | RecordingResumed
    | RecordingEnded
    | StepTaken
    | MenuEntered
    | MenuLeft
    | CallTagged
    | CallNoted
    | LookupFinished
    | SurveyAsked
    | SurveyCommented
    | SurveyAnswered
    | QueueEntered
    | QueueLeft
    | QueueSwitched
    | QueueAlarmed
    | CallerMoved
    | RequirementRelaxed
    | OfferDecided
    | AgentOffered
    | AgentDeclined
    | AgentConnected
    | AgentStateChanged
    | WrapUpEnded
    | RecordAmended
    | CallbackBooked
    | CallbackTried
    | CallbackEnded
    | TransferStarted
    | TransferEnded
    | CallerChanged
    | LegBrought
    | CallJoined
    | VoicemailEntered
    | VoicemailLeft
    | PlaybackFinished
    | CodecChanged
    | MediaLost
    | CallEnded
)
"""The closed union, for decoding what was stored or streamed."""

__all__ = [
    "AgentConnected",
    "AgentDeclined",
    "AgentOffered",
    "AgentStateChanged",
    "AgentStateName",
    "AnyEvent",
    "Bridged",
    "CallEnded",
    "CallJoined",
    "CallNoted",
    "CallRouted",
    "CallStarted",
    "CallTagged",
    "CallbackBooked",
    "CallbackEnded",
    "CallbackTried",
    "CallerChanged",
    "CallerMoved",
    "Candidate",
    "CodecChanged",
    "ConferenceJoined",
    "ConferenceLeft",
    "ConferenceMuted",
    "ConferenceTalking",
    "DigitReceived",
    "Direction",
    "EndedBy",
    "Event",
    "HoldEnded",
    "HoldStarted",
    "LegAnswered",
    "LegBrought",
    "LegEnded",
    "LegInvited",
    "LegQuality",
    "LegRinging",
    "LegRole",
    "LookupFinished",
    "MediaLost",
    "MenuEntered",
    "MenuLeft",
    "OfferDecided",
    "PartyReleased",
    "PastCall",
    "PlaybackFinished",
    "Quality",
    "QueueAlarmed",
    "QueueEntered",
    "QueueLeft",
    "QueueSwitched",
    "RecordAmended",
    "RecordingEnded",
    "RecordingEvent",
    "RecordingPaused",
    "RecordingResumed",
    "RecordingStarted",
    "RequirementRelaxed",
    "Result",
    "StepTaken",
    "SupervisionMode",
    "SupervisorChanged",
    "SupervisorJoined",
    "SupervisorLeft",
    "SurveyAnswered",
    "SurveyAsked",
    "SurveyCommented",
    "TransferEnded",
    "TransferStarted",
    "VoicemailEntered",
    "VoicemailLeft",
    "WrapUpEnded",
]
