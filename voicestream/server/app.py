"""The server as a whole: what is put together, in which order it starts, and how it goes down.

models, kernels ─► port ─► serving ─── SIGTERM or SIGINT ───► draining ─── all said, or 30 s ───► end
                              │                                  └── a second signal ─────────────► end
                              └ /readyz 200                      └ /readyz 503, listener closed, goodbyes
"""

from __future__ import annotations

import gc
import json
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog
import trio

from voicestream import __version__, errors
from voicestream.errors import PeerError
from voicestream.models.registry import authenticity_model, vad_front
from voicestream.models.vad import compact
from voicestream.protocols.base import Goodbye
from voicestream.server.assessor import own_assessor
from voicestream.server.attempt import Attempts
from voicestream.server.config import Settings
from voicestream.server.credential import Credentials
from voicestream.server.http import daspeak_recording
from voicestream.server.http.app import create_app
from voicestream.server.http.services import Health, Services
from voicestream.server.http.token_door import TokenDoor
from voicestream.server.job_runner import JobRunner
from voicestream.server.login import Login
from voicestream.server.metrics import Metrics
from voicestream.server.routes import Routes
from voicestream.server.voice import active_model, bare_model, offered_models
from voicestream.server.worker_figure import WorkerFigures
from voicestream.store import sealing
from voicestream.store.templates import pack, unpack
from voicestream.transport.head import HeadLimit
from voicestream.transport.http import HttpServer
from voicestream.transport.listener import Admission, Listener, listen

if TYPE_CHECKING:
    from voicestream.server.assessment import Assessor
    from voicestream.server.daspeak import DasPeak
    from voicestream.server.elsa import ElsaFamily
    from voicestream.store.authority import Authority, FirstCredentials

_log = structlog.get_logger()


async def serve(
    settings: Settings, assessor: Assessor | None = None, *, task_status: trio.TaskStatus[list[int]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Run the server until SIGTERM; `started` gives the ports it listens on. PeerError VS10xx when it cannot start.

    assessor: who recognises speech for assessments; None: worker processes of ours, where what they need is installed.
    """
    server = Server(settings, assessor)
    try:
        await server.run(task_status)
    finally:
        server.close()


class Server:
    """One process's server."""

    def __init__(self, settings: Settings, assessor: Assessor | None = None) -> None:
        self._settings = settings
        self._health = Health(started=False, ready=False)
        key = settings.sealing_key()
        model = active_model(settings)
        for name in set(settings.configurations.values()):  # now, and not while a request waits
            bare_model(settings, name)
        make_front = self._make_front = vad_front(settings.vad)
        metrics = Metrics(__version__, {model.card.name: model.card.sha256})
        runner = JobRunner(settings.job_threads, settings.job_wait_s, metrics)
        self._metrics = metrics
        self._routes = Routes(settings, model, make_front, partial(unpack, model=model, key=key), runner, metrics)
        self._assessor = own_assessor(settings) if settings.component_assessment and assessor is None else None
        if self._assessor is not None:
            metrics.include(WorkerFigures(self._assessor))
        assessor = (assessor or self._assessor) if settings.component_assessment else None
        self._authority = _authority(settings) if settings.component_daspeak or assessor is not None else None
        self._login = Login(self._authority, runner) if self._authority is not None else None
        self._credentials: Credentials | None = None
        attempts = Attempts(settings.verification_attempts)
        self._daspeak: DasPeak | None = None
        if self._login is not None and settings.component_daspeak:
            from voicestream.server.daspeak import DasPeak  # brings cryptography: not for those who do without

            self._credentials = Credentials(offered_models(settings, model), sealing.keys(settings.data_path(), key))
            self._daspeak = DasPeak(
                settings, self._login, self._credentials, make_front, attempts, runner, metrics, self._routes.converse, self._routes.timing
            )
            self._routes.add(self._daspeak.routes, self._daspeak.operations)
        self._elsa: ElsaFamily | None = None
        if assessor is not None and self._authority is not None:
            from voicestream.server.elsa import ElsaFamily  # as above

            self._elsa = ElsaFamily(
                settings, self._authority, assessor, make_front, runner, metrics, self._routes.converse, self._routes.timing
            )
            self._routes.add(self._elsa.routes, self._elsa.operations)
        services = Services(
            model=lambda name: model if name == model.card.name else bare_model(settings, name),
            authenticity=authenticity_model,
            make_front=make_front,
            pack=partial(pack, key=key),
            unpack=partial(unpack, model=model, key=key),
            runner=runner,
            metrics_page=metrics.page,
            health=self._health_now,
            refused=metrics.fault,
            websocket_paths=frozenset(route.path for route in self._routes.table),
            login=self._login if settings.component_daspeak else None,
            credentials=self._credentials,
            attempts=attempts,
            engines=[] if self._daspeak is None else [self._daspeak.engine],
            rest_channel=None if self._daspeak is None else self._daspeak.rest_channel,
            elsa=self._elsa,
        )
        self._http = HttpServer(create_app(settings, services), settings.write_s)
        self._token_door: TokenDoor | None = None
        if services.login is not None and not settings.allow_cors:
            self._token_door = TokenDoor(services.login, self._http.serve, settings.body_s, settings.write_s)
        http = self._http.serve if self._token_door is None else self._token_door.serve
        self._listener = Listener(self._routes.table, http, self._routes.watch, _admission(settings), _tls_context(settings))

    def _health_now(self) -> Health:
        broken = self._assessor is not None and self._assessor.broken
        return replace(self._health, ready=False) if broken and self._health.ready else self._health

    def close(self) -> None:
        if self._authority is not None:
            self._authority.close()

    async def run(self, task_status: trio.TaskStatus[list[int]]) -> None:
        settings = self._settings
        try:
            sockets = await listen(settings.host, settings.port)
        except OSError as error:
            raise PeerError(errors.PORT_TAKEN, f"{settings.host} port {settings.port}") from error
        ports = sorted({int(socket.socket.getsockname()[1]) for socket in sockets})
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as house:
                await house.start(self._metrics.watch_loop)
                if self._login is not None:
                    house.start_soon(self._login.watch_loop)
                if self._daspeak is not None:
                    house.start_soon(self._daspeak.rest_channel.watch_loop)
                if self._elsa is not None:
                    house.start_soon(self._elsa.assessments.watch_loop)
                await self._http.start(house)
                async with trio.open_nursery() as connections:
                    door = trio.CancelScope()
                    if self._daspeak is not None:
                        await self._daspeak.start(connections)
                    await connections.start(self._keep_door, door, sockets, connections)
                    house.start_soon(self._obey, signals, door, connections)
                    _look_less_for_garbage()
                    self._health = Health(started=True, ready=True)
                    _log.info("serving", version=__version__, ports=ports, tls=settings.tls_cert is not None)
                    if self._assessor is not None:
                        house.start_soon(partial(self._assessor.serve, warm=settings.assessment_warm))
                    task_status.started(ports)
                    house.start_soon(self._warm_up)
                await self._http.stop()
                house.cancel_scope.cancel()
        _log.info("ended")

    async def _warm_up(self) -> None:
        """Make the kernels that recordings want, as the gate's network: on a new machine that takes seconds, and streams do without."""
        if self._settings.component_verify or self._settings.component_media or self._credentials is not None or self._elsa is not None:
            await trio.to_thread.run_sync(compact.load, abandon_on_cancel=True)
        if self._credentials is not None:
            await trio.to_thread.run_sync(daspeak_recording.warm_up, authenticity_model(), self._make_front, abandon_on_cancel=True)
        _look_less_for_garbage()

    async def _keep_door(
        self,
        door: trio.CancelScope,
        sockets: list[trio.SocketListener],
        connections: trio.Nursery,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with door:
            await trio.serve_listeners(self._listener.greet, sockets, handler_nursery=connections, task_status=task_status)  # type: ignore[arg-type]

    async def _obey(self, signals: AsyncIterator[int], door: trio.CancelScope, connections: trio.Nursery) -> None:
        """First signal: no one comes in, all get their goodbye, 30 s. Second signal: at once."""
        await anext(signals)
        self._health = Health(started=True, ready=False)
        self._listener.draining = True
        door.cancel()
        _log.info("draining", conversations=len(self._routes.live), drain_s=self._settings.drain_s)
        for conversation in list(self._routes.live):
            conversation.end(Goodbye.DRAIN)
        connections.cancel_scope.deadline = trio.current_time() + self._settings.drain_s
        connections.start_soon(self._drain_http)
        await anext(signals)
        connections.cancel_scope.cancel()

    async def _drain_http(self) -> None:
        """Connections that polling clients have stay theirs until sessions that go on have told their results."""
        if self._daspeak is not None:
            await self._daspeak.drain()
        if self._token_door is not None:
            self._token_door.draining = True
        await self._http.drain()


def _look_less_for_garbage() -> None:
    """A full look stops every stream, for 90 ms over what the start made, for 60 ms over 500 sessions (measured).

    What is there now stays, and is not looked at again. Of what comes, young cycles are found as before, old ones ten times less
    often: less often still, connections that come and go leave too much.
    """
    gc.freeze()
    gc.set_threshold(700, 10, 100)


def _authority(settings: Settings) -> Authority | None:
    """Clients and keys of the data folder; the first ones, once made, are told on standard error and nowhere else.

    None: the data folder cannot be written, which must not end those who need neither (a warning says so).
    """
    from voicestream.store.authority import Authority  # brings cryptography: not for those who do without

    try:
        authority = Authority.open(settings.data_path(), settings.issuer, settings.token_s)
    except PeerError as error:
        if error.fault is not errors.DATABASE_UNUSABLE:
            raise
        _log.warning(error.fault.sentence, code=error.fault.code, detail=error.detail, without="component_daspeak, component_assessment")
        return None
    made = authority.first_start(time.time())
    if made is not None:
        _log.info("first client and API key made", client_id=made.client_id)
        print(_told(made, settings), file=sys.stderr, flush=True)
    return authority


def _told(made: FirstCredentials, settings: Settings) -> str:
    """The first credentials: for a person, or as one line of JSON where the log is such lines."""
    fields = {"client_id": made.client_id, "client_secret": made.client_secret, "apikey": made.api_key}
    if settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty()):
        return "The first client of this server, shown this once:\n" + "\n".join(f"  {name:13}  {value}" for name, value in fields.items())
    return json.dumps({"event": "first credentials, shown this once", **fields})


def _admission(settings: Settings) -> Admission:
    return Admission(
        connections=settings.connections,
        per_address=settings.connections_per_address,
        origins=frozenset(settings.allowed_origins) or None,
        tls_s=settings.tls_handshake_s,
        head_s=settings.request_head_s,
        head=HeadLimit(settings.request_head_bytes, settings.headers, settings.header_bytes),
    )


def _tls_context(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise PeerError(errors.TLS_FILES) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
