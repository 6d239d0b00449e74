"""The das-Peak family put together: signalling, audio consumers, and the sessions that join them.

Socket.IO ─► Signalling ─┐                                  ┌─► Recognition, on threads
REST ────────────────────┴─► Exchange ─► CallSession ◄──────┤
Twilio, AudioHook ─► Consumers ─► Switchboard ──────────────┘ audio, by tenant and call_id
"""

from collections.abc import Sequence
from typing import Final

import trio

from voicestream.models.registry import authenticity_model, vad_front
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.protocols import engineio
from voicestream.protocols.base import Goodbye
from voicestream.protocols.daspeak import NAMESPACES, Spelling
from voicestream.protocols.daspeak_parameter import Offer
from voicestream.server import engine, exchange, signalling
from voicestream.server.attempt import Attempts
from voicestream.server.call import CallPatience, Recognition
from voicestream.server.config import Settings
from voicestream.server.consumer import OPERATIONS, Consumers, Converse
from voicestream.server.consumer_figure import ConsumerFigures
from voicestream.server.credential import Credentials
from voicestream.server.engine import CONTROL_INTERVAL_S, EngineServer
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.exchange import Exchange
from voicestream.server.job_runner import JobRunner
from voicestream.server.login import Login
from voicestream.server.metrics import Metrics
from voicestream.server.rest_channel import RestChannel
from voicestream.server.signalling import Signalling
from voicestream.server.switchboard import Switchboard
from voicestream.store.rest_session import RestSessions
from voicestream.transport.listener import Route
from voicestream.transport.websocket import Timing

SOCKETIO_PATH: Final = "/socket.io"
_CARD_S: Final = 5.0  # of speech, for which cards give their threshold


class DasPeak:
    """One server's. `routes` and `operations` for the listener, `engine` and `rest_channel` for HTTP; start() before the first client."""

    def __init__(
        self,
        settings: Settings,
        login: Login,
        credentials: Credentials,
        make_front: MakeFront,
        attempts: Attempts,
        runner: JobRunner,
        metrics: Metrics,
        converse: Converse,
        timing: Timing,
    ) -> None:
        switchboard = Switchboard()
        recognition = Recognition(
            models=credentials.models,
            living=authenticity_model,
            gather_front=vad_front(settings.call_vad),
            make_front=make_front,
            gate=settings.gate,
            seal=credentials.seal,
            runner=runner,
        )
        patience = CallPatience(settings.call_stream_s, settings.call_idle_s)
        options = exchange.Options(settings.call_sessions, patience)
        self.exchange = Exchange(switchboard, recognition, metrics.call_ended, options, attempts)
        self._credentials = credentials
        self._thresholds = {digest: _even_odds(model) for digest, model in credentials.models.items()}
        self._settings = settings
        kept = RestSessions(login.authority.database, settings.rest_readable_s)
        self.rest_channel = RestChannel(kept, self.exchange.ask, self.offer, login.clock, settings.rest_sessions)
        application = Signalling(self.exchange, login, self.offer, _signalling_options(settings))
        watch = EngineWatch(metrics, SOCKETIO_PATH)
        self.engine = EngineServer(SOCKETIO_PATH, NAMESPACES, application, watch, engine_options(settings), admit=application.admit)
        figures = ConsumerFigures()
        metrics.include(figures)
        consumers = Consumers(settings, login, switchboard, converse, figures, timing)
        self.routes: Sequence[Route] = [self.engine.route, *consumers.routes]
        self.operations = {SOCKETIO_PATH: ("engineio", "websocket"), **OPERATIONS}

    async def start(self, nursery: trio.Nursery) -> None:
        """From now on connections and sessions can be held; they are those of `nursery`."""
        await nursery.start(self.engine.run)
        await nursery.start(self.exchange.run)

    async def drain(self) -> None:
        """Begin nothing new; sessions that go on get their result, then connections their goodbye."""
        self.exchange.drain()
        await self.exchange.settled()
        self.engine.drain(Goodbye.DRAIN)

    def offer(self, tenant: str) -> Offer:
        """What a tenant may ask for."""
        return Offer(
            self._thresholds,
            lambda text: self._credentials.open(text, tenant),
            self._settings.call_audio_s,
            self._settings.authenticity_threshold,
        )


def _even_odds(model: SpeakerModel) -> float:
    """The probability at the threshold of the model's card."""
    return round(model.probability(model.card.threshold, _CARD_S), 2)


def _signalling_options(settings: Settings) -> signalling.Options:
    spelling = Spelling(settings.daspeak_collected_audio, settings.daspeak_payload)
    return signalling.Options(spelling, settings.socketio_leave_s, settings.socketio_token == "handshake")


def engine_options(settings: Settings) -> engine.Options:
    return engine.Options(
        engine=engineio.Options(ping_interval_s=settings.engineio_ping_s, ping_timeout_s=settings.engineio_timeout_s),
        timing=Timing(CONTROL_INTERVAL_S, settings.pong_s, settings.write_s, outbox_bytes=settings.outbox_bytes),
        sessions_max=settings.socketio_connections,
        sessions_per_address=settings.connections_per_address,
        origins=frozenset(settings.allowed_origins) or None,
        cors=settings.allow_cors,
        body_s=settings.body_s,
    )
