"""What one part of the server tells another, in the terms of the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pbx.api.views import DatabaseHealth, MediaWorker
from pbx.call.lines import Lines
from pbx.call.toll_fraud import TollFraudLimits
from pbx.cdr.counts import SATISFIED, Rules
from pbx.cdr.recorder import Recorder
from pbx.config import Home, Settings
from pbx.config.settings import MediaSettings
from pbx.db.engine import Database
from pbx.media.engine_client import EngineSettings, WorkerFigures
from pbx.plan.model import Plan
from pbx.sip.tls import Tls, TlsFiles
from pbx.sip.user_agent import UserAgent


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


def lines_of(settings: Settings, ua: UserAgent, **parts: Any) -> Lines:
    """Return the lines to carriers, with the office's limits; `parts` are those of `Lines`."""
    fraud = settings.toll_fraud
    limits = TollFraudLimits(fraud.calls, fraud.hourly, fraud.office_calls, fraud.office_hourly)
    return Lines(ua, limits=limits, **parts)


def counting_rules(plan: Plan, settings: Settings) -> Rules:
    """Return by what calls are counted: the office's time zone, its queues' service levels."""
    figures = settings.figures
    return Rules(
        timezone=plan.defaults.timezone,
        short_abandon_s=figures.short_abandon_s,
        service_level_s={name: queue.service_level[1] for name, queue in plan.queues.items()},
        satisfied=frozenset(figures.satisfied) or SATISFIED,
    )


def database_health(recorder: Recorder, database: Database) -> DatabaseHealth:
    """Return how the database is, as `status` shows it."""
    waiting = recorder.snapshot()["waiting_records"]
    return DatabaseHealth(
        ok=recorder.alarm is None,
        size_bytes=database.size(),
        pending=waiting if isinstance(waiting, int) else 0,
        error=recorder.alarm,
    )


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
