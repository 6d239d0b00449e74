"""Assessments under way: speech is cut at its pauses while it comes, and worker processes look at each piece meanwhile.

    hear ─► detector ─► labels ─► Segmenter ─► segment ─► WorkerPool ─┐
    finish ─► the last segment, and the answers of all, in order ◄────┴─► WorkerPool: the whole ─► Assessment

When somebody stops speaking only the last segment and the conclusion are left to do. Work of those who have finished
goes before that of those who still speak, and of those who finished first before all: where there is too much to do, some are
late, and not everybody.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar

import msgspec
import numpy as np
import trio
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEndPlan
from voicestream.errors import ASSESSMENT_BUSY, WORKER_DEFECT, MisuseError, PeerError
from voicestream.models.speech import package
from voicestream.models.speech.moonshine import BUNDLE
from voicestream.models.speech.segmenter import Segment, Segmenter
from voicestream.models.vad import compact
from voicestream.models.vad.model import MakeFront
from voicestream.server.assessment_message import ConclusionWork, SegmentWork, read_assessment, read_finding, write_work
from voicestream.server.config import Settings
from voicestream.server.worker_pool import Work, WorkerPool
from voicestream.sessions.assessment_result import Assessment

Recording: TypeAlias = NDArray[np.int16]
T = TypeVar("T")

RATE_HZ: Final = 16000
FACTORY: Final = "voicestream.server.assessment_work:make"  # by name: it brings the models
_BACKLOG: Final = 5  # pieces of work that may wait, for each assessment that may be under way


class Assessor:
    """Begins assessments, `runs` at once at most, while no more than `backlog` pieces of work wait for a worker."""

    def __init__(self, pool: WorkerPool, load_vad: Callable[[], MakeFront], runs: int, backlog: int) -> None:
        self.pool = pool
        self.refused = 0  # that wanted to begin, because there was too much to do
        self._load_vad = load_vad
        self._runs = runs
        self._backlog = backlog
        self._live: set[Run] = set()

    @property
    def live(self) -> int:
        """Assessments under way."""
        return len(self._live)

    @property
    def broken(self) -> bool:
        """Whether no worker can be had."""
        return self.pool.broken

    async def serve(self, *, warm: bool) -> None:
        """Keep the workers until cancelled; started now (warm), or when somebody begins to speak, which takes longer than they do."""
        if warm:
            self.pool.wake()
        await self.pool.serve()

    def begin(self, sentences: Sequence[str] = ()) -> "Run":
        """Somebody begins to speak, one of these sentences or freely; to be finished or cancelled.

        PeerError VS2160 when there is too much to do, else why no worker can be had.
        """
        if len(self._live) >= self._runs or self.pool.waiting >= self._backlog:
            self.refused += 1
            raise PeerError(ASSESSMENT_BUSY, f"{len(self._live)} under way, {self.pool.waiting} pieces waiting")
        self.pool.check()
        self.pool.wake()
        run = Run(self.pool, self._load_vad(), sentences, self._live.discard)
        self._live.add(run)
        return run


def own_assessor(settings: Settings) -> Assessor | None:
    """One with workers of this server, where all that they need is installed; imports none of it."""
    data_folder = settings.data_path()
    if not BUNDLE.is_installed(data_folder) or not package.is_installed() or find_spec("onnxruntime") is None:
        return None
    pool = WorkerPool(FACTORY, str(data_folder.resolve()).encode(), settings.assessment_workers, settings.assessment_work_s)
    return Assessor(pool, compact.load, settings.assessments, _BACKLOG * settings.assessments)


class Run:
    """One recording that is being assessed. As a context manager it is cancelled where it is left."""

    def __init__(self, pool: WorkerPool, make_front: MakeFront, sentences: Sequence[str], ended: Callable[["Run"], None]) -> None:
        self._pool = pool
        self._sentences = sentences
        self._ended = ended
        self._front = make_front(FrontEndPlan(rate_hz=RATE_HZ))
        self._segmenter = Segmenter()
        self._labels = bytearray()
        self._pcm = bytearray()
        self._segments: list[Work] = []
        self._conclusions: list[Work] = []
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cancel()

    def hear(self, samples: Recording) -> None:
        """Take samples (n,) int16 at 16 kHz, of any count: a millisecond for each second of them, for the work is done elsewhere."""
        if self._over:
            raise MisuseError("audio after the end of an assessment")
        pcm = samples.astype("<i2", copy=False).tobytes()
        labels, _ = self._front.feed(pcm)
        self._pcm += pcm
        self._labels += labels
        self._submit(self._segmenter.feed(samples, labels))

    async def finish(self) -> list[Assessment]:
        """Assess what was heard: for each sentence that may have been said, or once for free speech.

        PeerError VS2161 to VS2164 when a worker died, was late or defective, or there is none; VS210x, VS30xx.
        """
        if self._over:
            raise MisuseError("an assessment is finished once")
        self._over = True
        try:
            self._submit(self._segmenter.flush())
            since = trio.current_time()
            for work in self._segments:
                work.awaited_since = since
            findings = tuple([_read(read_finding, await work.wait()) for work in self._segments])
            for sentence in self._sentences or (None,):
                whole = ConclusionWork(findings, bytes(self._pcm), bytes(self._labels), sentence)
                self._conclusions.append(Work(write_work(whole), since))
                self._pool.submit(self._conclusions[-1])
            return [_read(read_assessment, await work.wait()) for work in self._conclusions]
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Nobody wants to know any more. What a worker has begun it ends; the rest is not begun. May be called at any time."""
        self._over = True
        for work in (*self._segments, *self._conclusions):
            self._pool.drop(work)
        self._ended(self)

    def _submit(self, segments: list[Segment]) -> None:
        for segment in segments:
            pcm = segment.samples.astype("<i2", copy=False).tobytes()
            work = Work(write_work(SegmentWork(segment.start_sample, pcm, align=not self._sentences)))
            self._pool.submit(work)
            self._segments.append(work)


def _read(decode: Callable[[bytes], T], answer: bytes) -> T:
    """What a worker has answered; PeerError VS2163 when that is nothing a sane one says."""
    try:
        return decode(answer)
    except msgspec.MsgspecError as error:
        raise PeerError(WORKER_DEFECT, "an answer that cannot be read") from error
