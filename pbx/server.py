"""The composition root: builds everything from Settings, starts it, stops it. [io]

The one place where the rooms meet. `serve` is the life of `callpbx serve`: take the office's lock,
open the database, load directory, dialplan and bindings, start the media workers, listen, say
`callpbx ready`, and drain on SIGTERM. Nothing here decides anything about calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal

import uvloop

from pbx import __version__
from pbx.alarms import Alarms
from pbx.api.app import create_app
from pbx.api.lock import hold_lock
from pbx.api.serving import ApiServer, serve_api
from pbx.api.views import DatabaseHealth
from pbx.attendant import Attendant
from pbx.call.admission import Admission
from pbx.call.exchange import Exchange
from pbx.call.out_of_call import OutOfCall
from pbx.call.recording import Recordings
from pbx.call.registration import Registrations
from pbx.call.settings import CallSettings
from pbx.call.standard import standard_destinations, standard_features
from pbx.cdr.recorder import Recorder
from pbx.cdr.retention import forget
from pbx.config import Home, Settings
from pbx.dialplan.reloading import Dialplan
from pbx.dialplan.shown import ShownDialplan
from pbx.errors import Refused, StorageError
from pbx.events.bus import Bus
from pbx.ivr.verbs import VOCABULARY
from pbx.live import About, Live
from pbx.machine import (
    LoopWatch,
    SystemClock,
    Tokens,
    calm_collector,
    raise_descriptor_limit,
)
from pbx.media.engine_client import EngineClient
from pbx.media.formats import Capabilities
from pbx.office import DatabaseOffice, open_office
from pbx.plan.loader import load_plan
from pbx.plan.model import Plan
from pbx.recordings.keeper import Limits, RecordingKeeper
from pbx.sip.auth import DigestAuthenticator
from pbx.sip.flow import Flow
from pbx.sip.guard import Guard
from pbx.sip.registrar import Registrar
from pbx.sip.resolve import LocalAddresses
from pbx.sip.settings import AgentSettings
from pbx.sip.transport import Listen, SipTransport
from pbx.sip.user_agent import UserAgent
from pbx.sounds import Sounds
from pbx.trace import Trace
from pbx.wiring import database_health, engine_settings, lines_of, tls_of, worker_views

log = logging.getLogger(__name__)

HOUSEKEEPING = 1.0
"""Seconds between two rounds of expiry and OPTIONS qualify."""

FORGETTING = 3600.0
"""Seconds between two deletions of what is older than the retention times."""

MAX_CALLS = 5_000
"""Calls up at once beyond which new ones get 503, whatever else there is room for."""

FEW_CALLS = 20
"""Calls up at once below which a late loop turns nobody away: something else keeps the machine
busy, and a caller who waits for a moment is better off than one who gets 503."""

MEDIA_START = 10.0
"""Seconds that the first media ports may take."""


def serve(home: Home, settings: Settings) -> None:
    """Serve the office until SIGTERM. Raises Refused and ConfigError where it cannot start."""
    home.make_folders()
    raise_descriptor_limit()
    with hold_lock(home.lock):
        uvloop.run(run(home, settings))


async def run(home: Home, settings: Settings) -> None:
    """Open everything, say that it is ready, serve, and close it all in the opposite order."""
    async with contextlib.AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_office(home, settings))
        await office.check_realm(settings.sip.realm)
        clock = SystemClock()
        recorder = Recorder(office.database, clock)
        await recorder.close_interrupted()
        plan = load_plan(home.dialplan, VOCABULARY)
        server = Server(home, settings, office, clock=clock, recorder=recorder, plan=plan)
        await server.start(stack)
        print(server.ready_line(), flush=True)  # noqa: T201 - the line that scripts wait for
        await server.until_stopped()


class Server:
    """Everything that runs while an office is served."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        office: DatabaseOffice,
        *,
        clock: SystemClock,
        recorder: Recorder,
        plan: Plan,
    ) -> None:
        self._home = home
        self._settings = settings
        self._office = office
        self._clock = clock
        self._recorder = recorder
        self._plan = plan
        self._started = (self._clock.wall(), self._clock.monotonic())
        self._terminated = asyncio.Event()
        self._killed = asyncio.Event()
        self._api: ApiServer | None = None
        self._loop_watch = LoopWatch()
        self._alarms = Alarms(self._clock.wall)
        self._sounds = Sounds(home)
        kept = settings.retention
        self._recording_keeper = RecordingKeeper(
            office.database,
            home.recordings,
            Limits(kept.recordings_s, kept.records_s, kept.min_free_bytes),
            alarm=self._alarms.raise_,
        )
        self._trace = Trace(self._clock.wall)
        self._bus = Bus(clock, first_seq=recorder.next_seq)
        self._registrar = Registrar()
        self._guard = Guard(exempt=self._is_trusted)
        self._addresses = LocalAddresses(
            external_address=settings.sip.external_address,
            local_networks=map(str, settings.sip.local_networks),
        )
        self._tokens = Tokens()
        self._ua = UserAgent(
            AgentSettings(), token=self._tokens, advertise=self._addresses.advertise
        )
        self._transport = SipTransport(
            self._ua,
            listen=[Listen(each.transport, each.host, each.port) for each in settings.sip.listen],
            on_events=lambda: self._exchange.pump(),
            dropped=self._guard.dropped,
            tap=self._trace.tap,
            bound=lambda flow: bool(self._registrar.on_flow(flow)),
            closed=self._flow_closed,
            addresses=self._addresses,
            tls=tls_of(home, settings),
        )
        self._media = EngineClient(
            engine_settings(settings.media),
            on_event=lambda worker, event: self._exchange.media_event(worker, event),
            on_worker_lost=self._worker_lost,
        )
        self._recordings = Recordings(
            self._media,
            self._recording_keeper.index,
            clock=clock,
            folder=str(home.recordings),
            notes_folder=str(home.notes),
            format=settings.recording.format,
            alarm=self._alarms.raise_,
        )
        self._attendant = Attendant(
            home,
            settings,
            office.database,
            boxes=office.boxes,
            registrar=self._registrar,
            directory=office.in_memory,
            plan=lambda: self._plan,
            bus=self._bus,
            clock=clock,
            alarm=self._alarms.raise_,
        )
        self._dialplan = Dialplan(
            home,
            plan,
            put_in_force=self._put_in_force,
            stopping=self._terminated.is_set,
            alarm=self._alarms.raise_,
            wall=clock.wall,
        )
        self._registrations, self._exchange = self._build_exchange()

    # -- building ----------------------------------------------------------------------------

    def _build_exchange(self) -> tuple[Registrations, Exchange]:
        directory = self._office.in_memory
        admission = Admission(
            authenticator=DigestAuthenticator(self._settings.sip.realm, secrets.token_bytes(32)),
            guard=self._guard,
            registrar=self._registrar,
            directory=directory,
        )
        out_of_call = OutOfCall(
            self._ua,
            admission=admission,
            registrar=self._registrar,
            directory=directory,
            keeper=self._office.bindings,
            outward=self._transport,
            now=self._clock.monotonic,
            alarm=self._alarms.raise_,
        )
        self._attendant.mailroom.light(out_of_call.message_waiting)
        features = standard_features()
        destinations = standard_destinations(features)
        self._attendant.register(destinations, features)
        exchange = Exchange(
            ua=self._ua,
            media=self._media,
            bus=self._bus,
            clock=self._clock,
            admission=admission,
            out_of_call=out_of_call,
            registrar=self._registrar,
            directory=directory,
            destinations=destinations,
            features=features,
            outward=self._transport,
            plan=self._plan,
            recordings=self._recordings,
            lines=lines_of(
                self._settings,
                self._ua,
                directory=directory,
                outward=self._transport,
                now=self._clock.monotonic,
                alarm=self._alarms.raise_,
                new_call_id=self._tokens,
            ),
            settings=CallSettings(
                capabilities=Capabilities.named(self._settings.media.codecs),
                media_address=self._settings.media.address,
                hold_music=self._sounds.hold_music,
                speaker=self._attendant.speech,
                srtp_over_plain=self._settings.media.srtp_over_plain,
            ),
            new_call_id=self._tokens,
            new_session_id=lambda: secrets.randbits(31),
            random_bytes=secrets.token_bytes,
        )
        exchange.congested = self._is_congested
        return out_of_call.registrations, exchange

    # -- the life of the server --------------------------------------------------------------

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Start the parts in the order in which they need each other."""
        self._bus.attach(self._recorder)
        self._bus.attach(self._trace.sink)
        self._attendant.centre.listen(self._recorder)
        await self._office.reload()
        await self._office.reports.seed(self._attendant.centre.today)
        self._recorder.start()
        stack.push_async_callback(self._recorder.close)
        await self._recording_keeper.start()
        stack.push_async_callback(self._recording_keeper.close)
        stack.callback(asyncio.create_task(self._sounds.make_music(), name="hold music").cancel)
        now = self._clock.monotonic()
        self._registrar.load(await self._office.bindings.load(), now)
        self._exchange.lines.directory_changed()
        self._registrations.directory_changed()  # extensions may have gone while no server ran
        await self._attendant.start(stack, self._exchange)
        await self._dialplan.start(watched=self._settings.dialplan.watch)
        stack.push_async_callback(self._dialplan.close)
        await self._start_media(stack)
        await self._transport.start()
        stack.push_async_callback(self._transport.close)
        await self._start_api(stack)
        self._catch_signals()
        stack.callback(asyncio.create_task(self._keep_house(), name="housekeeping").cancel)
        calm_collector()

    async def _start_media(self, stack: contextlib.AsyncExitStack) -> None:
        await self._media.start()
        stack.push_async_callback(self._media.close)
        try:
            async with asyncio.timeout(MEDIA_START):
                await self._media.ready()
        except TimeoutError as error:
            raise Refused("the media worker did not start; see its log above") from error

    async def _flush(self) -> None:
        """Write what happened so far: what is asked for next must know of it."""
        await self._recorder.flush()
        await self._recording_keeper.index.flush()

    async def _start_api(self, stack: contextlib.AsyncExitStack) -> None:
        self._office.bus = self._bus
        self._office.plan = lambda: self._plan
        self._office.fresh = self._flush
        self._office.why.doing = self._attendant.centre.live.doing
        self._office.live = Live(
            about=self._about,
            exchange=self._exchange,
            registrar=self._registrar,
            guard=self._guard,
            trace=self._trace,
            alarms=self._alarms,
            media=lambda: worker_views(self._media.figures()),
            database=self._database_health,
            reload_directory=self._reload_directory,
            dialplan=ShownDialplan(self._dialplan),
            centre=self._attendant.centre.live,
            agents=self._attendant.centre.desk,
        )
        listen = self._settings.api.listen
        self._api = await serve_api(
            create_app(self._office), self._home.socket, listen.host, listen.port
        )
        stack.push_async_callback(self._api.stop)

    async def until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain; a second signal ends at once.

        Either way each call has its record, and its phones a BYE, before this returns.
        """
        await self._terminated.wait()
        drain = asyncio.create_task(self._exchange.drain(self._settings.grace_s), name="drain")
        killed = asyncio.create_task(self._killed.wait(), name="second signal")
        await asyncio.wait((drain, killed), return_when=asyncio.FIRST_COMPLETED)
        drain.cancel()
        killed.cancel()
        self._exchange.abandon_calls()
        await self._exchange.lines.stop()
        await self._recordings.finish()

    def ready_line(self) -> str:
        """Return the line that says where phones and programs find us."""
        addresses = [f"sip:{each}" for each in self._transport.listening]
        if self._api is not None and self._api.url is not None:
            addresses.append(f"api:{self._api.url}")
        return f"callpbx ready {' '.join(addresses)}"

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _terminate(self) -> None:
        if self._terminated.is_set():
            self._killed.set()
        self._terminated.set()

    def _reload(self) -> None:
        """Take dialplan and certificates anew (SIGHUP); where one is of no use, the old one stays
        in force."""
        self._dialplan.reload_soon()
        try:
            self._transport.reload_certificates()
        except Refused as refused:
            self._alarms.raise_(f"the certificates were not reloaded: {refused}")

    def _put_in_force(self, plan: Plan) -> None:
        self._plan = self._exchange.plan = plan
        self._attendant.plan_changed(plan)

    async def _keep_house(self) -> None:
        """Do what is due each second: the fence for a round that fails, as the next one follows."""
        forget_at = self._clock.monotonic() + FORGETTING
        while True:
            await self._loop_watch.sleep(HOUSEKEEPING)
            try:
                self._registrations.expire()
                self._registrations.qualify()
                self._exchange.lines.tick()
                self._attendant.centre.keep_house()
                self._recording_keeper.look_after()
                self._recordings.refused = self._recording_keeper.refusal
                if self._clock.monotonic() >= forget_at:
                    forget_at += FORGETTING
                    await self._forget_old()
            except Exception:
                log.exception("housekeeping failed")
                self._alarms.raise_("housekeeping failed; the log says why")

    async def _forget_old(self) -> None:
        kept, now = self._settings.retention, self._clock.wall()
        self._sounds.forget_notes(now)
        self._attendant.forget(now)
        try:
            await forget(
                self._office.database,
                now,
                events_kept=kept.events_s,
                records_kept=kept.records_s,
            )
            await self._recording_keeper.forget(now)
            await self._attendant.centre.roster.forget(now, kept=kept.records_s)
            await self._office.reports.look_after(now, self._alarms.raise_)
        except StorageError as error:
            self._alarms.raise_(f"old records are not being deleted: {error}")

    async def _reload_directory(self) -> None:
        await self._office.reload()
        self._registrations.directory_changed()
        self._exchange.lines.directory_changed()
        self._attendant.centre.directory_changed()

    # -- what the parts ask of each other ----------------------------------------------------

    def _worker_lost(self, worker: int, legs: frozenset[int]) -> None:
        self._alarms.raise_("a media worker died and was replaced; its calls ended")
        self._exchange.worker_lost(worker, legs)

    def _is_congested(self) -> bool:
        return (
            len(self._exchange.calls) >= MAX_CALLS
            or (self._loop_watch.late and len(self._exchange.calls) >= FEW_CALLS)
            or self._transport.is_behind()
        )

    def _flow_closed(self, flow: Flow) -> None:
        self._registrar.flow_closed(flow)

    def _is_trusted(self, source: str) -> bool:
        return self._registrar.has_source(source) or self._office.in_memory.is_trunk(source)

    # -- what status shows -------------------------------------------------------------------

    def _about(self) -> About:
        wall, monotonic = self._started
        url = self._api.url if self._api is not None else None
        return About(
            version=__version__,
            started_at=wall,
            started_monotonic=monotonic,
            listen=tuple(str(each) for each in self._transport.listening),
            api=(url,) if url is not None else (),
        )

    def _database_health(self) -> DatabaseHealth:
        return database_health(self._recorder, self._office.database)
