"""One file per resource. A new route is one function in its file; a new file is one row here."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pbx.api import centre_views
from pbx.api.routes import (
    agents,
    bans,
    callbacks,
    calls,
    conferences,
    dialplan,
    extensions,
    queues,
    recordings,
    records,
    reports,
    status,
    tokens,
    trunks,
    voicemail,
    why,
)
from pbx.api.views import (
    Ban,
    CallPlaced,
    ConferenceView,
    DialplanReload,
    DialplanView,
    Extension,
    ExtensionCreated,
    LiveCall,
    Noted,
    RecordingBegun,
    Registration,
    Status,
    Token,
    TokenCreated,
    TraceEntry,
    Trunk,
)
from pbx.api.why_views import AgentWhy, CallWhy
from pbx.cdr.record import CallRecord
from pbx.cdr.report import Report
from pbx.mailboxes.model import BoxEntry, MessageEntry
from pbx.recordings.model import RecordingDetails, RecordingEntry

ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    extensions.router,
    agents.router,
    calls.router,
    conferences.router,
    queues.router,
    callbacks.router,
    why.router,
    dialplan.router,
    records.router,
    reports.router,
    recordings.router,
    voicemail.router,
    trunks.router,
    tokens.router,
    bans.router,
)

VIEWS: tuple[Any, ...] = (
    Ban,
    BoxEntry,
    CallPlaced,
    CallRecord,
    ConferenceView,
    DialplanReload,
    DialplanView,
    Extension,
    ExtensionCreated,
    LiveCall,
    MessageEntry,
    Noted,
    RecordingBegun,
    RecordingDetails,
    RecordingEntry,
    Registration,
    Report,
    Status,
    Token,
    TokenCreated,
    TraceEntry,
    Trunk,
    *centre_views.VIEWS,
    AgentWhy,
    CallWhy,
)
"""The types that routes reply with, for the OpenAPI document."""
