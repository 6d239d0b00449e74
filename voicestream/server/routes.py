"""The product's table of contents: every WebSocket path, its dialect and its sessions."""

from collections.abc import Callable, Collection
from functools import partial
from typing import assert_never

import trio

from voicestream.errors import MisuseError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.protocols import engineio
from voicestream.protocols.idvoice import ENDPOINTS, Endpoint, IDVoice, Options
from voicestream.server.config import Settings
from voicestream.server.echo import ECHO_LIMIT, echo
from voicestream.server.engine import CONTROL_INTERVAL_S, Admit, EngineServer
from voicestream.server.engine import Options as EngineOptions
from voicestream.server.engine_session import Application
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.job_runner import JobRunner
from voicestream.server.metrics import Metrics
from voicestream.server.shell import Conversation, Patience
from voicestream.server.watch import Watch
from voicestream.sessions.endpointing import EndpointingSession
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.verification import VerificationSession
from voicestream.sessions.vocabulary import Call, Endpointing, Service, Session, Summary, Template, Verification
from voicestream.transport.listener import Route, anyone
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket


class Routes:
    """`table` for the listener, the conversations that go on, and the Engine.IO servers, each with its connections."""

    def __init__(
        self,
        settings: Settings,
        model: SpeakerModel,
        make_front: MakeFront,
        read_template: Callable[[bytes], Template],
        runner: JobRunner,
        metrics: Metrics,
    ) -> None:
        self.live: set[Conversation] = set()
        self.engines: list[EngineServer] = []
        self._settings = settings
        self._metrics = metrics
        self._model = model
        self._make_front = make_front
        self._read_template = read_template
        self._runner = runner
        self._patience = Patience(settings.session_s, settings.session_audio_s)
        self._options = Options(
            idle_s=settings.idle_s,
            pending_max=settings.pending_answers,
            frames_kept=settings.summary_frames,
            hop_s=settings.window_hop_s,
            three_parameter_value=settings.three_parameter_value,
        )
        limit = MessageLimit(settings.text_bytes, settings.message_bytes, settings.fragments)
        timing = Timing(settings.ping_s, settings.pong_s, settings.write_s, outbox_bytes=settings.outbox_bytes)
        on = {"media": settings.component_media, "verify": settings.component_verify}
        self.table = [
            Route(path, anyone(partial(self._idvoice, path, endpoint)), limit, timing)
            for path, endpoint in ENDPOINTS.items()
            if on[endpoint.component]
        ]
        self._operations = {path: ("idvoice", path.strip("/")) for path in ENDPOINTS}
        if settings.echo:
            self.table.append(Route("/echo", anyone(echo), ECHO_LIMIT, timing))
            self._operations["/echo"] = ("echo", "echo")
        self.watch = Watch(metrics, self._operations)

    def add_engine(
        self, path: str, namespaces: Collection[str], application: Application, admit: Admit = lambda handshake: None
    ) -> EngineServer:
        """Serve Socket.IO at `path`, with one `application` per connection; to be called before the server starts."""
        engine = EngineServer(path, namespaces, application, EngineWatch(self._metrics, path), engine_options(self._settings), admit=admit)
        self.engines.append(engine)
        self.table.append(engine.route)
        self._operations[engine.path] = ("engineio", "websocket")
        return engine

    async def _idvoice(self, path: str, endpoint: Endpoint, websocket: WebSocket) -> None:
        dialect = IDVoice(endpoint, self._read_template, trio.current_time(), self._options)
        conversation = Conversation(
            websocket, dialect, self._open_session, self._runner, self.watch.account(path, websocket), self._patience
        )
        self.live.add(conversation)
        try:
            await conversation.run()
        finally:
            self.live.discard(conversation)

    def _open_session(self, service: Service) -> Session:
        match service:
            case Endpointing():
                return EndpointingSession(service, self._make_front)
            case Summary():
                return SummarySession(service, self._make_front)
            case Verification():
                return VerificationSession(service, self._model, self._make_front)
            case Call():
                raise MisuseError("a call on an IDVoice path")
            case _:
                assert_never(service)


def engine_options(settings: Settings) -> EngineOptions:
    """What the settings say about Engine.IO and Socket.IO."""
    return EngineOptions(
        engine=engineio.Options(ping_interval_s=settings.engineio_ping_s, ping_timeout_s=settings.engineio_timeout_s),
        timing=Timing(CONTROL_INTERVAL_S, settings.pong_s, settings.write_s, outbox_bytes=settings.outbox_bytes),
        sessions_max=settings.socketio_connections,
        sessions_per_address=settings.connections_per_address,
        origins=frozenset(settings.allowed_origins) or None,
        cors=settings.allow_cors,
        body_s=settings.body_s,
    )
