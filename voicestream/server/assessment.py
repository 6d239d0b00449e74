"""Assessments, whoever asks for them: recognition begun, fed and concluded, and what was found kept under links.

listening ─► samples ─► Attempt ─► a Run per sentence ─► the best of them ─► Results ─► links
                           └ cancel: the client is gone
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
import numpy as np
import structlog
import trio
from numpy.typing import NDArray

from voicestream.codecs.wav import write_wav
from voicestream.errors import ASSESSMENT_LATE, ASSESSMENT_SILENT, OVERLOADED, PeerError
from voicestream.models.vad.model import MakeFront
from voicestream.protocols.elsa_json import Band, result_object, unbanded
from voicestream.server.http.services import Runner
from voicestream.sessions.assessment import Listening, Options, best, concluded, unspoken
from voicestream.sessions.assessment_result import Assessment, Plan, Recorded
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

    async def finish(self) -> Assessment:
        """All there is has been heard. PeerError when it cannot be had."""
        ...

    def cancel(self) -> None:
        """Nobody wants it any more."""
        ...


class Assessor(Protocol):
    """Who recognises."""

    def begin(self, plan: Plan, sentence: str | None = None) -> Run:
        """PeerError when there is too much to do."""
        ...


class Assessments:
    """One server's. `clock` gives Unix seconds; `band`: what a score means in CEFR."""

    def __init__(
        self,
        assessor: Assessor,
        results: Results,
        runner: Runner,
        make_front: MakeFront,
        clock: Callable[[], float],
        options: Options | None = None,
        *,
        keep_audio: bool = True,
        band: Band = unbanded,
    ) -> None:
        self.results = results
        self.band = band
        self.clock = clock
        self._assessor = assessor
        self._runner = runner
        self._make_front = make_front
        self._options = options or Options()
        self._keep_audio = keep_audio

    def listen(self, service: Assessing) -> Listening:
        """Begin to hear one stream."""
        return Listening(service, self._make_front, self._options)

    def begin(self, service: Assessing) -> "Attempt":
        """Begin to recognise it. PeerError VS1503 when there is too much to do."""
        runs: list[Run] = []
        try:
            for sentence in service.sentences or (None,):
                runs.append(self._assessor.begin(service.plan, sentence))
        except PeerError as error:
            for run in runs:
                run.cancel()
            _log.info("assessment refused", code=error.fault.code)
            raise PeerError(OVERLOADED) from error
        return Attempt(service, runs)

    async def conclude(
        self, attempt: "Attempt", listening: Listening, tenant: str, base_url: str | None, doubt: Callable[[PoorQuality], None]
    ) -> Assessed:
        """The last word about a stream whose packets have all come. `doubt` is told of a poor recording, first.

        base_url: what links begin with; None: nothing is kept.

        PeerError VS2123 when nobody spoke, VS20xx when the audio is none, and whatever recognition says.
        """
        await attempt.hear_all(await self._runner.run(listening.finish, POOL))
        word = await self._runner.run(listening.word, POOL)
        if word != "ok":
            doubt(PoorQuality(word))
        assessment = await attempt.finish(word, listening.heard_s)
        if word == "ok" and assessment.recording != "ok":
            doubt(PoorQuality(assessment.recording))
        assessment = concluded(assessment, word, listening.cut, attempt.service.force_grammar_vocab)
        result_link, audio_link = ("", "") if base_url is None else await self._keep(assessment, listening, tenant, base_url)
        return Assessed(assessment, result_link, audio_link)

    async def assess(
        self, service: Assessing, recording: Callable[[], bytes], tenant: str, base_url: str | None, patience_s: float
    ) -> Assessed:
        """All of it for a whole recording. PeerError as begin() and conclude(), VS2125 after `patience_s`; of `recording`, its own."""
        attempt, listening = self.begin(service), self.listen(service)

        def doubt(poor: PoorQuality) -> None:
            """The result tells it."""

        try:
            with trio.fail_after(patience_s):
                await attempt.hear_all(await self._runner.run(lambda: listening.feed(recording(), last=True), POOL))
                return await self.conclude(attempt, listening, tenant, base_url, doubt)
        except trio.TooSlowError as error:
            raise PeerError(ASSESSMENT_LATE) from error
        finally:
            attempt.cancel()
            listening.close()

    async def _keep(self, assessment: Assessment, listening: Listening, tenant: str, base_url: str) -> tuple[str, str]:
        """The links; empty where it could not be kept, for a result is worth more than its link."""

        def put() -> tuple[str, str]:
            body = msgspec.json.encode(result_object(assessment, self.band))
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


class Attempt:
    """Recognition of one stream: of each sentence that may be said, or of free speech."""

    def __init__(self, service: Assessing, runs: list[Run]) -> None:
        self.service = service
        self._runs = runs
        self._over = False

    def hear(self, samples: Samples) -> None:
        if len(samples):
            for run in self._runs:
                run.hear(samples)

    async def hear_all(self, samples: Samples) -> None:
        """The same for many samples, with turns for others between: a recogniser may need a millisecond for a second of them."""
        for piece in pieces(samples):
            self.hear(piece)
            await trio.lowlevel.checkpoint()

    async def finish(self, word: Recorded, heard_s: float) -> Assessment:
        """What was found. PeerError VS2123 when nobody spoke freely, and whatever recognition says."""
        try:
            if word == "no_speech":
                if not self.service.sentences:
                    raise PeerError(ASSESSMENT_SILENT)
                return unspoken(self.service.sentences[0], heard_s)
            found: list[Assessment] = []
            for run in self._runs:  # they have worked side by side for long
                found.append(await run.finish())
            self._over = True
            return best(found)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Nobody wants it any more; what is over stays over."""
        if not self._over:
            self._over = True
            for run in self._runs:
                run.cancel()


def pieces(samples: Samples) -> list[Samples]:
    """Samples (n,) in order, so many at a time as may be heard in one go."""
    return [samples[begin : begin + _TURN_SAMPLES] for begin in range(0, len(samples), _TURN_SAMPLES)]


RESULTS: Final = "/api/v1/results"
AUDIOS: Final = "/api/v1/audios"


def result_url(base_url: str, link: str) -> str:
    return f"{base_url}{RESULTS}/{link}"


def audio_url(base_url: str, link: str) -> str:
    return f"{base_url}{AUDIOS}/{link}"
