"""What an assessment worker does with a request: the chain of speech models, loaded once in its process.

The pool runs `make` by name, so that nobody else imports this module, and with it the models.
"""

from pathlib import Path

import numpy as np

from voicestream.dsp.pcm import from_bytes
from voicestream.server.assessment_message import (
    AssessmentAnswer,
    ConclusionWork,
    SegmentWork,
    read_finding,
    read_work,
    write_answer,
    write_work,
)
from voicestream.server.worker import Handle
from voicestream.sessions.assessment_chain import RATE_HZ, Chain
from voicestream.sessions.quality import assess


def make(argument: bytes) -> Handle:
    """A worker for the models in the data folder that `argument` is the path of; PeerError when one is not installed."""
    from voicestream.models.speech.aligner import aligner
    from voicestream.models.speech.transcriber import load
    from voicestream.sessions.assessment_judge import judge

    return worker_of(Chain(load(Path(argument.decode())), aligner(), judge))


def worker_of(chain: Chain) -> Handle:
    """Requests and answers of `assessment_message`, for a chain; given back when a first recording has gone through it."""

    def handle(request: bytes) -> bytes:
        work = read_work(request)
        answer: AssessmentAnswer
        if isinstance(work, SegmentWork):
            answer = chain.assess_segment(work.start_sample, from_bytes(work.pcm), align=work.align)
        else:
            snr_db = assess(RATE_HZ, [work.pcm]).snr_db
            answer = chain.conclude(work.findings, from_bytes(work.pcm), work.labels, work.sentence, snr_db)
        return write_answer(answer)

    second = np.random.default_rng(0).integers(-3000, 3000, RATE_HZ).astype("<i2").tobytes()
    finding = read_finding(handle(write_work(SegmentWork(0, second, align=True))))
    handle(write_work(ConclusionWork((finding,), second, bytes(33), None)))
    return handle
