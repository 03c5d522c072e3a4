"""What happened to a call, one sentence an event."""

from __future__ import annotations

from pbx import events
from pbx.sentences.centre import in_the_centre

_RELEASED = {
    "all": "the call is ended",
    "agent": "the agent is taken off the call",
    "takeover": "the call is taken over",
}
"""What a forced release does, by its mode."""


def sentence(event: events.AnyEvent) -> str:
    """Return what happened, for the trace of a call."""
    match event:
        case events.CallStarted():
            return f"{event.direction} call from {event.caller} to {event.called}"
        case events.CallRouted():
            return f"goes to {event.destination}"
        case events.LegInvited():
            return f"leg {event.leg}: {event.number} at {event.remote}"
        case events.LegRinging():
            return "rings, with audio" if event.early_media else "rings"
        case events.LegAnswered():
            return f"answered ({event.codec})" if event.codec else "answered"
        case events.LegEnded():
            return f"leg ended by {event.by}: {event.reason} ({event.sip_status})"
        case events.LegQuality():
            return f"received {_figures(event.received)}; sent {_figures(event.sent)}"
        case events.Bridged():
            return f"legs {event.leg} and {event.other} hear each other"
        case events.HoldStarted():
            return "puts the other side on hold"
        case events.HoldEnded():
            return "resumes"
        case events.DigitReceived():
            return f"key pressed ({event.source})"
        case events.SupervisorJoined():
            asked = f", asked for by {event.asked_by}" if event.asked_by else ""
            return f"supervisor {event.supervisor} joins: {event.mode}{asked}"
        case events.SupervisorChanged():
            return f"supervisor changes to {event.mode}"
        case events.SupervisorLeft():
            return "supervisor leaves"
        case events.PartyReleased():
            who = event.by or event.asked_by or "an administrator"
            return f"{_RELEASED[event.mode]} by {who}"
        case events.ConferenceJoined():
            return f"is in conference {event.room}" + " as moderator" * event.moderator
        case events.ConferenceLeft():
            return f"is out of conference {event.room}: {event.reason}"
        case events.ConferenceMuted():
            return "is muted" if event.on else "is heard again"
        case events.ConferenceTalking():
            return "talks" if event.on else "is silent"
        case events.RecordingStarted():
            return f"recording {event.recording} begins"
        case events.RecordingPaused():
            return f"recording {event.recording} is paused"
        case events.RecordingResumed():
            return f"recording {event.recording} goes on" + (" by itself" * event.by_itself)
        case events.RecordingEnded():
            return _recorded(event)
        case events.StepTaken():
            return story(event.kind, event.name, event.text)
        case events.MenuEntered():
            return f"hears menu {event.menu}"
        case events.MenuLeft():
            return f"leaves menu {event.menu}: {event.choice}"
        case events.CallTagged():
            return f"tagged {event.tag}"
        case events.CallNoted():
            return f"note: {event.text}"
        case events.LookupFinished():
            return f"lookup {event.lookup}: {event.result} after {event.seconds:.2f} s"
        case events.SurveyAsked():
            return f"is asked survey {event.survey}"
        case events.SurveyAnswered():
            return f"answers survey {event.survey}: {event.key} ({event.meaning})"
        case events.SurveyCommented():
            return f"comments on survey {event.survey}: recording {event.recording}"
        case events.VoicemailEntered():
            return f"is in mailbox {event.box}"
        case events.VoicemailLeft():
            return _left(event)
        case events.PlaybackFinished():
            return f"played {_sound(event.file)}"
        case events.CodecChanged():
            return f"codec is now {event.codec}"
        case events.MediaLost():
            return f"no audio for {event.silent_s:.0f} s, asking whether it is still there"
        case events.CallEnded():
            return f"call ended: {event.result} ({event.reason}), by {event.ended_by}"
        case _:
            return in_the_centre(event)


def _sound(source: str) -> str:
    """Return a source of sound by its name; of a file, `en/welcome.wav`."""
    kind, _, name = source.partition(":")
    return "/".join(name.split("/")[-2:]) if kind == "file" else source


def _recorded(event: events.RecordingEnded) -> str:
    length = "" if event.seconds is None else f", {event.seconds:.1f} s"
    return f"recording {event.recording} ends{length}" + (f": {event.error}" if event.error else "")


def _left(event: events.VoicemailLeft) -> str:
    if event.seconds is None:
        return f"leaves no message in mailbox {event.box}"
    return f"leaves a message of {event.seconds:.0f} s in mailbox {event.box}"


def _figures(quality: events.Quality) -> str:
    return (
        f"{quality.packets} packets {quality.codec}, {quality.loss_percent:.1f} % lost, "
        f"jitter {quality.jitter_ms:.1f} ms"
    )


def story(kind: str, name: str, text: str) -> str:
    """Return a step of the dialplan as people read it: `menu main: welcome, key 1`."""
    what = f"{kind} {name}".rstrip()
    return f"{what} {text}" if text.startswith("→") else f"{what}: {text}"
