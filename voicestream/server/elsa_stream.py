"""The streams of an ELSA connection: what is heard of each, and who is told when there is something to tell.

dialect ─► Desk.open ─► Stream.feed ─► Listening ─► samples ─► Run ─┐
                        Stream.note ─► Assessments.conclude ◄───────┴─► Line.tell: the last word
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
import trio

from voicestream.errors import ASSESSMENT_IDLE, INTERNAL, MisuseError, PeerError
from voicestream.server.assessment import POOL, Assessments, Run, Samples, pieces
from voicestream.server.assessment_figure import AssessmentFigures
from voicestream.server.switchboard import Line
from voicestream.sessions.vocabulary import (
    Assessing,
    Audio,
    EndpointState,
    Failed,
    Finished,
    Gap,
    Job,
    Paused,
    Result,
    Resumed,
    Service,
    Session,
)

_LIGHT_BYTES: Final = 64 * 1024  # of a packet of samples that is heard at once; larger ones go to a thread
_SAMPLES: Final = b"RIFF"  # what begins otherwise is compressed: a minute of speech may be in a small packet
_ENOUGH_S: Final = 1.0  # of speech in a stream that stalled, to be scored all the same

_log = structlog.get_logger(__name__)


class Desk:
    """The streams of one connection, one after the other; their scoring runs in `nursery`."""

    def __init__(self, assessments: Assessments, figures: AssessmentFigures, tenant: str, base: str, nursery: trio.Nursery) -> None:
        self.assessments = assessments
        self.figures = figures
        self.tenant = tenant
        self.base = base
        self.nursery = nursery
        self._stream: Stream | None = None

    def open(self, service: Service, line: Line) -> Session:
        """The stream that hears it; the dialect has made sure that the one before is over."""
        if not isinstance(service, Assessing):
            raise MisuseError("a service that is no assessment")
        before_s = 0.0 if self._stream is None else self._stream.heard_s
        self.leave()
        self._stream = Stream(service, self, line, before_s)
        self._stream.begin()
        return self._stream

    def leave(self) -> None:
        """The client is gone, or its stream is over."""
        if self._stream is not None:
            self._stream.end("cancelled")


class Stream:
    """One stream: the session of its conversation. `before_s`: audio of those before it on the connection."""

    def __init__(self, service: Assessing, desk: Desk, line: Line, before_s: float) -> None:
        self._service = service
        self._desk = desk
        self._line = line
        self._before_s = before_s
        self._listening = desk.assessments.listen(service)
        self._run: Run | None = None  # None before and after
        self._light: bool | None = None  # whether its audio is not compressed; None before its first packet
        self._deaf = False  # all is heard, or nothing will be
        self._over = False
        self._scope = trio.CancelScope()

    @property
    def heard_s(self) -> float:
        return self._before_s + self._listening.heard_s

    def begin(self) -> None:
        """Find somebody who recognises it; where nobody has time, that is the last word."""
        try:
            self._run = self._desk.assessments.begin(self._service)
        except PeerError as error:
            self._fail(error)

    def feed(self, audio: Audio) -> Result | Job | None:
        """Take a packet: whether the speaker has finished, or why it is no audio."""
        if self._deaf:
            return None
        if self._light is None:
            self._light = audio.payload.startswith(_SAMPLES)
        if not self._light or len(audio.payload) > _LIGHT_BYTES:
            return Job(POOL, partial(self._hear, audio.payload), heavy=True)
        return self._hear(audio.payload)

    def note(self, event: Gap | Paused | Resumed | Finished) -> None:
        """The end has come; with a fault, not as it should."""
        if not isinstance(event, Finished):
            raise MisuseError("an event that an assessment does not have")
        if event.fault not in (None, ASSESSMENT_IDLE):
            self.end("failed")  # the dialect has said why
        elif self._deaf:
            pass
        elif event.fault is None:
            self._conclude()
        elif self._listening.speech_s >= _ENOUGH_S:
            self._line.tell(EndpointState(True))
            self._conclude()
        else:
            self._fail(PeerError(ASSESSMENT_IDLE))

    def end(self, outcome: str, wait_s: float | None = None) -> None:
        """It is over, once: `outcome` for the figures; what goes on for it ends."""
        self._deaf = True
        if not self._over:
            self._over = True
            self._scope.cancel()
            self._listening.close()
            if self._run is not None:
                self._run.cancel()
            self._desk.figures.ended(outcome, self._listening.heard_s, wait_s)

    def _hear(self, payload: bytes) -> Result:
        try:
            samples = self._listening.feed(payload)
        except PeerError as error:
            _on_loop(partial(self.end, "failed"))
            return Failed(error.fault, error.detail)
        for piece in pieces(samples):
            _on_loop(partial(self._hand_over, piece))
        if self._listening.ended:
            _on_loop(self._conclude)
        return EndpointState(self._listening.ended)

    def _hand_over(self, samples: Samples) -> None:
        if self._run is not None and not self._over:
            self._run.hear(samples)

    def _conclude(self) -> None:
        self._deaf = True
        if self._run is not None and not self._over:
            self._desk.nursery.start_soon(self._score, self._run)

    async def _score(self, run: Run) -> None:
        """Tell the last word, unless somebody ends it before."""
        began = trio.current_time()
        desk = self._desk
        with self._scope:
            try:
                told = await desk.assessments.conclude(run, self._listening, desk.tenant, desk.base, self._line.tell)
            except PeerError as error:
                self._fail(error, trio.current_time() - began)
            except Exception as error:  # our own: this stream ends by it, and is told so
                _log.error("assessment failed", exc_info=error)
                self._fail(PeerError(INTERNAL), trio.current_time() - began)
            else:
                self.end("success", trio.current_time() - began)
                self._line.tell(told)

    def _fail(self, error: PeerError, wait_s: float | None = None) -> None:
        self.end("failed", wait_s)
        self._line.tell(Failed(error.fault, error.detail))


def _on_loop(act: Callable[[], None]) -> None:
    """Do it in trio's thread, which a large packet is not heard in."""
    if trio.lowlevel.in_trio_run():
        act()
    else:
        trio.from_thread.run_sync(act)
