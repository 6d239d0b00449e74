"""The HTTP application with real models and real threads, without a socket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from tests.assessment.fake_assessor import FakeAssessor
from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import TEMPLATE_KEY, PeerError
from voicestream.models.registry import authenticity_model, speaker_model
from voicestream.protocols.base import Dialect
from voicestream.protocols.daspeak_parameter import Offer
from voicestream.protocols.idvoice import ENDPOINTS
from voicestream.server.attempt import Attempts
from voicestream.server.config import Settings
from voicestream.server.consumer import OpenSession
from voicestream.server.credential import Credentials
from voicestream.server.elsa import ElsaFamily
from voicestream.server.engine import EngineServer
from voicestream.server.http.app import create_app
from voicestream.server.http.query import active_model
from voicestream.server.http.services import Health, Services
from voicestream.server.job_runner import JobRunner
from voicestream.server.login import Login
from voicestream.server.metrics import Metrics
from voicestream.server.rest_channel import RestChannel
from voicestream.server.voice import offered_models
from voicestream.sessions.call import Inquiry, Progress, Told
from voicestream.sessions.vocabulary import Template
from voicestream.store.authority import Authority, FirstCredentials
from voicestream.store.rest_session import RestSessions
from voicestream.store.templates import pack, unpack
from voicestream.transport.websocket import Timing, WebSocket

KEY = bytes(range(32))  # that seals credentials
UNIX_S = 1_795_255_200.0  # what the clock of tokens shows


@dataclass
class Watch:
    """Counts what the server would count."""

    refused: list[str] = field(default_factory=list)
    waiting: int = 0

    def job_queued(self, model: str) -> None:
        self.waiting += 1

    def job_started(self, model: str, waited_s: float) -> None:
        self.waiting -= 1


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()  # removed when the run ends


@cache
def shared_authority() -> tuple[Authority, FirstCredentials]:
    """One for all applications of a test run, because a database takes a while to make."""
    authority = Authority.open(Path(_folder().name), Settings().issuer, Settings().token_s)
    first = authority.first_start(UNIX_S)
    assert first is not None
    return authority, first


MODEL_HASH = bytes(range(32))


@dataclass
class Exchange:
    """Sessions that are ready at once, and end by a test's word alone: `told["call"]` tells the one of that call."""

    refusal: PeerError | None = None
    asked: list[tuple[str, Inquiry]] = field(default_factory=list)
    told: dict[str, Callable[[Told], None]] = field(default_factory=dict)

    def ask(self, tenant: str, inquiry: Inquiry, tell: Callable[[Told], None]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((tenant, inquiry))
        self.told[inquiry.call_id] = tell
        tell(Progress.CONSUMER_READY)


def open_credential(tenant: str, text: str) -> Template:
    """The credentials of these tests are called after their tenant."""
    if text != f"credential of {tenant}":
        raise PeerError(TEMPLATE_KEY)
    return Template("mfcc", MODEL_HASH, np.ones(1, np.float32), 4.0)


async def _no_conversation(path: str, websocket: WebSocket, dialect: Dialect, open_session: OpenSession) -> None:
    raise AssertionError("no WebSocket here")


@dataclass
class Server:
    """An application under test and what it is given."""

    settings: Settings
    watch: Watch = field(default_factory=Watch)
    unix_s: float = UNIX_S
    engines: Sequence[EngineServer] = ()
    health_page: Callable[[], Health] = lambda: Health(started=True, ready=True)
    assessor: FakeAssessor = field(default_factory=FakeAssessor)

    def __post_init__(self) -> None:
        self.runner = JobRunner(self.settings.job_threads, self.settings.job_wait_s, self.watch)
        self.login: Login | None = None
        self.rest_channel: RestChannel | None = None
        self.exchange = Exchange()
        if self.settings.component_daspeak:
            authority, self.first = shared_authority()
            self.login = Login(authority, self.runner, lambda: self.unix_s)
            self.rest_channel = self.open_rest_channel()
        model = speaker_model(active_model(self.settings))
        services = Services(
            model=speaker_model,
            authenticity=authenticity_model,
            make_front=FrontEnd,
            pack=pack,
            unpack=lambda data: unpack(data, model),
            runner=self.runner,
            metrics_page=lambda: (b"up 1\n", "text/plain; version=1.0.0; charset=utf-8"),
            health=lambda: self.health_page(),
            refused=self.watch.refused.append,
            websocket_paths=frozenset(ENDPOINTS),
            login=self.login,
            rest_channel=self.rest_channel,
            attempts=Attempts(self.settings.verification_attempts),
            credentials=Credentials(offered_models(self.settings, model), [KEY]) if self.login is not None else None,
            engines=self.engines,
            elsa=self.open_elsa() if self.settings.component_assessment else None,
        )
        self.app = create_app(self.settings, services)

    def open_rest_channel(self) -> RestChannel:
        return RestChannel(
            RestSessions(shared_authority()[0].database),
            self.exchange.ask,
            lambda tenant: Offer({MODEL_HASH: 0.5}, lambda text: open_credential(tenant, text)),
            lambda: self.unix_s,
            sessions_max=3,
        )

    def open_elsa(self) -> ElsaFamily:
        authority, _ = shared_authority()
        settings = self.settings.model_copy(update={"data_folder": Path(_folder().name)})
        metrics, clock = Metrics("1.0", {}), lambda: self.unix_s
        family = ElsaFamily(settings, authority, self.assessor, FrontEnd, self.runner, metrics, _no_conversation, Timing(), clock)
        self.results, self.figures = family.assessments.results, family.figures
        return family

    @property
    def client(self) -> httpx.AsyncClient:
        # quart-trio's own test client stops for ever at the eleventh piece of an answer.
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://server")
