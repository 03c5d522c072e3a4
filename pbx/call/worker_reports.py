"""What a media worker reports about a leg: keys, playbacks, silence, figures.

Silence is no reason to end a call by itself: the far end is asked with an in-dialog OPTIONS, and
only 408, 481 or no answer at all ends the leg (architecture §11).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.call import in_dialog
from pbx.call.outcome import RECOVERY_ON_TIMER
from pbx.events import LegQuality, MediaLost
from pbx.media import protocol as media
from pbx.sip import events as sip

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def received(leg: Leg, event: media.AnyWorkerEvent) -> None:
    """Act on an event of the worker about `leg`."""
    match event:
        case media.DigitHeard():
            leg.pressed(event.digit, event.duration_ms, event.source)
        case media.CodeHeard():
            leg.call.exchange.code_heard(leg, event.code)
        case media.Talking():
            if leg.on_talking is not None:
                leg.on_talking(leg, event.on)
        case media.PlaybackDone():
            leg.media.played(event)
        case media.MediaSilent():
            _ask(leg, event.seconds)
        case media.LegReport():
            leg.media.take_figures(event.received, event.sent)
        case media.LegFreed():
            leg.media.take_figures(event.received, event.sent)
            figures_complete(leg)


def figures_complete(leg: Leg) -> None:
    """Report the figures of a leg, once: nothing more will come of its worker.

    Of a worker that died, or did not answer in time, they are those of its last report.
    """
    media = leg.media
    if not media.awaits_figures:
        return
    media.awaits_figures = False
    received, sent = media.figures.rows(leg.role, media.last_codec)
    leg.call.emit(LegQuality(call=leg.call.id, leg=leg.id, received=received, sent=sent))
    leg.call.exchange.forget_media(leg.id)
    leg.call.figures_in()


def _ask(leg: Leg, silent_s: float) -> None:
    if not leg.up:
        return
    # The worker reports again after each further such time; the event is for the first.
    if silent_s < 1.5 * leg.media.silence_limit:
        leg.call.emit(MediaLost(call=leg.call.id, leg=leg.id, silent_s=silent_s))
    in_dialog.send(leg, "OPTIONS", then=partial(_asked, leg))


def _asked(leg: Leg, outcome: sip.RequestAnswered | sip.RequestFailed | None) -> None:
    """End a leg that cannot be reached any more; 408 and 481 end the dialog by themselves."""
    if isinstance(outcome, sip.RequestFailed) and outcome.slug == "transport":
        leg.close(reason="transport", cause=RECOVERY_ON_TIMER)
