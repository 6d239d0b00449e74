"""What the HTTP application is given from outside: models, templates, threads, and eyes on itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.vocabulary import Template

if TYPE_CHECKING:
    from voicestream.server.attempt import Attempts
    from voicestream.server.credential import Credentials
    from voicestream.server.elsa import ElsaFamily
    from voicestream.server.engine import EngineServer
    from voicestream.server.login import Login
    from voicestream.server.rest_channel import RestChannel

T = TypeVar("T")

AUDIO: Final = "audio"  # the name under which work without a speaker model queues for threads


class Runner(Protocol):
    async def run(self, work: Callable[[], T], model: str) -> T:
        """What `work()` returns, from a thread; PeerError VS1503 when none of this model came free in time."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """started: models loaded, port open; ready: new work is welcome (false while draining)."""

    started: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes need that is not a setting."""

    model: Callable[[str], SpeakerModel]  # by our own name: models.registry.speaker_model
    authenticity: Callable[[], AuthenticityModel]
    make_front: MakeFront  # with the labels of the setting `vad`
    pack: Callable[[Template], bytes]  # with the key of this server, if it has one
    unpack: Callable[[bytes], Template]  # PeerError VS30xx for anything but a template of ours
    runner: Runner
    metrics_page: Callable[[], tuple[bytes, str]]  # body and content type
    health: Callable[[], Health]
    refused: Callable[[str], None]  # counts a numbered refusal
    websocket_paths: frozenset[str]  # answered 426 when asked without an upgrade
    login: Login | None  # None: component das-Peak is off
    credentials: Credentials | None  # of das-Peak's clients; None as `login` is
    attempts: Attempts  # at their voices
    rest_channel: RestChannel | None = None  # the same
    engines: Sequence[EngineServer] = ()  # Engine.IO over plain HTTP
    elsa: ElsaFamily | None = None  # None: component assessment is off, or nobody recognises
