"""Assessments, whoever asks for them: recognition begun, fed and concluded, and what was found kept under links.

listening ─► samples ─► Run ─► an Assessment per sentence ─► the best of them ─► Results ─► links
                         └ cancel: the client is gone

`Assessor` and `Run` say what recognition must do here; worker processes of ours do it, see `assessor.py`.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
import structlog
import trio
from numpy.typing import NDArray

from voicestream.codecs.wav import write_wav
from voicestream.errors import ASSESSMENT_LATE, PeerError
from voicestream.models.vad.model import MakeFront
from voicestream.server.http.services import Runner
from voicestream.sessions.assessment import Listening, Options, best, concluded, unspoken
from voicestream.sessions.assessment_result import Assessment
from voicestream.sessions.packet_audio import RATE_HZ
from voicestream.sessions.vocabulary import Assessed, Assessing, PoorQuality
from voicestream.store.result import Results

_log = structlog.get_logger(__name__)

POOL: Final = "assessment"  # the name under which packets wait for threads
_SHELF: Final = "results"  # and results, for the disk
_TURN_SAMPLES: Final = 2 * RATE_HZ  # that are heard before the others have their turn
_FORGET_S: Final = 60.0  # so late a result may be forgotten

Samples = NDArray[np.int16]


class Run(Protocol):
    """Recognition of one recording."""

    def hear(self, samples: Samples) -> None:
        """Take samples (n,) int16 at 16 kHz; cheap."""
        ...

    async def finish(self) -> Sequence[Assessment]:
        """All there is has been heard: what was found, for each sentence that may have been said. PeerError when it cannot be had."""
        ...

    def cancel(self) -> None:
        """Nobody wants it any more; may be called at any time."""
        ...


class Assessor(Protocol):
    """Who recognises."""

    def begin(self, sentences: Sequence[str] = ()) -> Run:
        """Somebody begins to speak: one of these sentences, or freely. PeerError VS2160 when there is too much to do."""
        ...


class Assessments:
    """One server's. `write`: a result as it is told, and thus kept; `clock` gives Unix seconds."""

    def __init__(
        self,
        assessor: Assessor,
        results: Results,
        runner: Runner,
        make_front: MakeFront,
        write: Callable[[Assessment, Assessing], bytes],
        clock: Callable[[], float],
        options: Options | None = None,
        *,
        keep_audio: bool = True,
    ) -> None:
        self.results = results
        self.clock = clock
        self._assessor = assessor
        self._runner = runner
        self._make_front = make_front
        self._write = write
        self._options = options or Options()
        self._keep_audio = keep_audio

    def listen(self, service: Assessing) -> Listening:
        """Begin to hear one stream."""
        return Listening(service, self._make_front, self._options)

    def begin(self, service: Assessing) -> Run:
        """Begin to recognise it. PeerError VS2160 when there is too much to do, else why nobody can."""
        try:
            return self._assessor.begin(service.sentences)
        except PeerError as error:
            _log.info("assessment refused", code=error.fault.code)
            raise

    async def conclude(
        self, run: Run, listening: Listening, tenant: str, base_url: str | None, doubt: Callable[[PoorQuality], None]
    ) -> Assessed:
        """The last word about a stream whose packets have all come. `doubt` is told of a poor recording, first.

        base_url: what links begin with; None: nothing is kept.

        PeerError VS2123 when nobody spoke, VS20xx when the audio is none, and whatever recognition says.
        """
        await _hear_all(run, await self._runner.run(listening.finish, POOL))
        word = await self._runner.run(listening.word, POOL)
        if word != "ok":
            doubt(PoorQuality(word))
        assessment = unspoken(listening) if word == "no_speech" else best(await run.finish())
        if word == "ok" and assessment.recording != "ok":
            doubt(PoorQuality(assessment.recording))
        assessment = concluded(assessment, word, listening)
        result_link, audio_link = ("", "") if base_url is None else await self._keep(assessment, listening, tenant, base_url)
        return Assessed(assessment, result_link, audio_link)

    async def assess(
        self, service: Assessing, recording: Callable[[], bytes], tenant: str, base_url: str | None, patience_s: float
    ) -> Assessed:
        """All of it for a whole recording. PeerError as begin() and conclude(), VS2125 after `patience_s`; of `recording`, its own."""
        run, listening = self.begin(service), self.listen(service)

        def doubt(poor: PoorQuality) -> None:
            """The result tells it."""

        try:
            with trio.fail_after(patience_s):
                await _hear_all(run, await self._runner.run(lambda: listening.feed(recording(), last=True), POOL))
                return await self.conclude(run, listening, tenant, base_url, doubt)
        except trio.TooSlowError as error:
            raise PeerError(ASSESSMENT_LATE) from error
        finally:
            run.cancel()
            listening.close()

    async def _keep(self, assessment: Assessment, listening: Listening, tenant: str, base_url: str) -> tuple[str, str]:
        """The links; empty where it could not be kept, for a result is worth more than its link."""

        def put() -> tuple[str, str]:
            body = self._write(assessment, listening.service)
            wav = write_wav(listening.recording().astype("<i2", copy=False).tobytes(), RATE_HZ) if self._keep_audio else None
            kept = self.results.put(tenant, body, wav, self.clock())
            return result_url(base_url, kept.result), audio_url(base_url, kept.audio) if kept.audio else ""

        try:
            return await self._runner.run(put, _SHELF)
        except PeerError as error:
            _log.warning(error.fault.sentence, code=error.fault.code)
            return "", ""

    async def watch_loop(self) -> None:
        """Forget what is too old, for ever."""
        while True:
            try:
                forgotten = await trio.to_thread.run_sync(self.results.forget, self.clock())
                if forgotten:
                    _log.info("assessments forgotten", count=forgotten)
            except PeerError as error:
                _log.warning(error.fault.sentence, code=error.fault.code)
            await trio.sleep(_FORGET_S)


async def _hear_all(run: Run, samples: Samples) -> None:
    """The same for many samples, with turns for others between: a recogniser may need a millisecond for a second of them."""
    for piece in pieces(samples):
        run.hear(piece)
        await trio.lowlevel.checkpoint()


def pieces(samples: Samples) -> list[Samples]:
    """Samples (n,) in order, so many at a time as may be heard in one go."""
    return [samples[begin : begin + _TURN_SAMPLES] for begin in range(0, len(samples), _TURN_SAMPLES)]


RESULTS: Final = "/api/v1/results"
AUDIOS: Final = "/api/v1/audios"


def result_url(base_url: str, link: str) -> str:
    return f"{base_url}{RESULTS}/{link}"


def audio_url(base_url: str, link: str) -> str:
    return f"{base_url}{AUDIOS}/{link}"
