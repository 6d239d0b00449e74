"""The product's table of contents: every WebSocket path, its dialect and its sessions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import assert_never

import trio

from voicestream.errors import MisuseError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.protocols.base import Dialect
from voicestream.protocols.idvoice import ENDPOINTS, Endpoint, IDVoice, Options
from voicestream.server.config import Settings
from voicestream.server.echo import ECHO_LIMIT, echo
from voicestream.server.job_runner import JobRunner
from voicestream.server.metrics import Metrics
from voicestream.server.shell import Conversation, Patience
from voicestream.server.switchboard import Line
from voicestream.server.watch import Watch
from voicestream.sessions.endpointing import EndpointingSession
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.verification import VerificationSession
from voicestream.sessions.vocabulary import Assessing, Call, Endpointing, Service, Session, Summary, Template, Verification
from voicestream.transport.listener import Route, anyone
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket


class Routes:
    """`table` for the listener, and the conversations that go on; `timing` of them all."""

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
        self.timing = timing = Timing(settings.ping_s, settings.pong_s, settings.write_s, outbox_bytes=settings.outbox_bytes)
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

    def add(self, routes: Sequence[Route], operations: Mapping[str, tuple[str, str]]) -> None:
        """More of the table; `operations` as those of Watch."""
        self.table += routes
        self._operations |= operations

    async def _idvoice(self, path: str, endpoint: Endpoint, websocket: WebSocket) -> None:
        dialect = IDVoice(endpoint, self._read_template, trio.current_time(), self._options)
        await self.converse(path, websocket, dialect, lambda service, line: self._open_session(service))

    async def converse(self, path: str, websocket: WebSocket, dialect: Dialect, open_session: Callable[[Service, Line], Session]) -> None:
        """Run one conversation of a path to its end."""
        account = self.watch.account(path, websocket)
        conversation = Conversation(
            websocket, dialect, lambda service: open_session(service, conversation), self._runner, account, self._patience
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
            case Call() | Assessing():
                raise MisuseError("a service that no IDVoice path has")
            case _:
                assert_never(service)
