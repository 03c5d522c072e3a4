"""What one part of the server tells another, in the terms of the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pbx.api.views import MediaWorker
from pbx.config import Home, Settings
from pbx.config.settings import MediaSettings
from pbx.media.engine_client import EngineSettings, WorkerFigures
from pbx.sip.tls import Tls, TlsFiles


def engine_settings(media: MediaSettings) -> EngineSettings:
    """Return how media workers are started: on one address where callpbx.yaml names it."""
    settings = EngineSettings(ports=media.ports, workers=media.workers, tones=media.tones)
    if media.address is None:
        return settings
    if ":" in media.address:
        return replace(settings, bind4=None, bind6=media.address)
    return replace(settings, bind4=media.address, bind6=None)


def tls_of(home: Home, settings: Settings) -> Tls | None:
    """Return our certificates; None where the office has none. Raises Refused."""
    sip = settings.sip
    if sip.certificate is None or sip.key is None:
        return None
    ca = None if sip.ca is None else home.path / sip.ca
    return Tls(TlsFiles(home.path / sip.certificate, home.path / sip.key, ca))


def worker_views(figures: Iterable[WorkerFigures]) -> list[MediaWorker]:
    """Return media workers as `status` shows them."""
    return [
        MediaWorker(
            worker=each.number,
            pid=each.pid,
            legs=each.legs,
            load_percent=round(100.0 * each.cpu, 1),
            ports_free=sum(each.stock.values()),
            late_ticks=each.late_ticks,
        )
        for each in figures
    ]
