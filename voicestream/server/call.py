"""One das-Peak session: from an inquiry to its result, whatever becomes of the signalling and of the audio.

    IDLE ─ open() ─► WAITING ─ stream comes ─► COLLECTING ─ voice enough ─► JUDGING ─► told: Judged
      │ busy:           │ 30 s without              │ stream ends, stalls     │
      ▼ PeerError       ▼                           ▼ 30 s, or is unfit       ▼
     never begun      told: CallFailed            told: CallFailed           told: CallFailed (not fit to be judged)

    run() cancelled in any state (the client has gone): nothing more is told, and the stream is dismissed

The signalling side runs it in its own scope and is told everything by `tell`, in order; the audio side reaches it
through the switchboard, by plain calls (daspeak.md section 3.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import trio

from voicestream.errors import CALL_FORMAT, CALL_SHORT, CALL_STALLED, CALL_STREAMLESS, DRAINING, Fault, PeerError
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.protocols.daspeak_parameter import Kind
from voicestream.server.http.services import Runner
from voicestream.server.switchboard import Switchboard
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Progress, Told
from voicestream.sessions.collection import Collection
from voicestream.sessions.judgement import judge
from voicestream.sessions.quality import Gate
from voicestream.sessions.vocabulary import Call, CallState, Failed, Result, Template

_log = structlog.get_logger(__name__)

_LOOKS: Final = 6  # per stall time: so much later a stall may be noticed

OTHER_SPEAKER, SPOOF = REJECTED = ("other speaker", "spoof")  # outcomes

Tell = Callable[[Told], None]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a call's voice is judged with."""

    models: Mapping[bytes, SpeakerModel]  # by the hash of their weights
    living: Callable[[], AuthenticityModel]
    gather_front: MakeFront  # whose labels tell how much voice there is: it must know music from voices
    make_front: MakeFront  # whose labels the models are used to
    gate: Gate
    seal: Callable[[Template, str], str]  # a template, for a tenant, as a credential
    runner: Runner


@dataclass(frozen=True, slots=True)
class CallPatience:
    """How long a session waits."""

    stream_s: float = 30.0  # for the stream to come
    stall_s: float = 30.0  # for audio of a stream that has come


class CallSession:
    """One inquiry of a tenant: open(), then run() until the result is told."""

    def __init__(self, tenant: str, inquiry: Inquiry, switchboard: Switchboard, recognition: Recognition, tell: Tell) -> None:
        self.tenant = tenant
        self.inquiry = inquiry
        self._switchboard = switchboard
        self._recognition = recognition
        self._tell = tell
        self._collection = Collection(inquiry, recognition.gather_front)
        self._came = trio.Event()
        self._settled = trio.Event()  # there is voice enough, or there never will be
        self._fault: Fault | None = None

    def open(self) -> None:
        """Claim the call: CONSUMER_READY is told, and what is held of the stream is heard. PeerError VS1711."""
        self._switchboard.ask(self.tenant, self)

    @property
    def kind(self) -> Kind:
        return "register" if self.inquiry.template is None else "verify"

    async def run(self, patience: CallPatience = CallPatience()) -> str:
        """Tell the rest, a Judged or CallFailed last; the outcome in a word. Cancelled, it tells nothing more."""
        try:
            told: Judged | CallFailed = await self._outcome(patience)
        except PeerError as error:
            _log.info("call failed", kind=self.kind, code=error.fault.code, reason=error.fault.sentence, detail=error.detail)
            told = CallFailed(error.fault)
        finally:
            self._switchboard.release(self.tenant, self)
        self._tell(told)
        match told:
            case CallFailed():
                return "failed"
            case Judged(approved=True):
                return "approved"
            case Judged(genuine=True):
                return OTHER_SPEAKER
            case _:
                return SPOOF

    def drain(self) -> None:
        """The server goes down: a stream that has not come will not."""
        if not self._came.is_set():
            self.lose(DRAINING)

    async def _outcome(self, patience: CallPatience) -> Judged:
        with trio.move_on_after(patience.stream_s):
            await self._came.wait()
        if not self._came.is_set():
            raise PeerError(CALL_STREAMLESS)
        await self._gather(patience.stall_s)
        if self._fault is not None:
            raise PeerError(self._fault)
        recognition = self._recognition
        model = recognition.models[self.inquiry.model_hash]

        def seal(template: Template) -> str:
            return recognition.seal(template, self.tenant)

        work = partial(judge, self.inquiry, self._collection, model, recognition.living(), seal, recognition.gate, recognition.make_front)
        return await recognition.runner.run(work, model.card.name)

    async def _gather(self, stall_s: float) -> None:
        silent = 0
        while not self._settled.is_set():
            before_s = self._collection.received_s
            with trio.move_on_after(stall_s / _LOOKS):
                await self._settled.wait()
            silent = silent + 1 if self._collection.received_s == before_s else 0
            if silent == _LOOKS and not self._settled.is_set():
                raise PeerError(CALL_STALLED)

    # ---- the audio side, by the switchboard

    @property
    def call_id(self) -> str:
        return self.inquiry.call_id

    def ready(self) -> None:
        self._tell(Progress.CONSUMER_READY)

    def connect(self, call: Call) -> Result:
        inquiry = self.inquiry
        self._came.set()
        if call.rate_hz not in (None, inquiry.rate_hz) or call.encoding not in (None, inquiry.encoding):
            self.lose(CALL_FORMAT)
            return Failed(CALL_FORMAT)
        self._tell(self._collection.status)
        return CallState.HEARD

    def hear(self, payload: bytes) -> Result | None:
        for status in self._collection.feed(payload):
            self._tell(status)
        if not self._collection.complete:
            return None
        self._settled.set()
        return CallState.COLLECTED

    def skip(self) -> None:
        self._collection.skip()

    def lose(self, fault: Fault | None) -> None:
        self._fault = fault or CALL_SHORT
        self._came.set()
        self._settled.set()
