"""Borders of sounds against pocketsphinx's own alignment of the same recording."""

import numpy as np
import pytest

from tests.models.speech.conftest import Say
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.cepstrum import dithered

SENTENCE = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
TOLERANCE_S = 0.0201  # two frames


def test_borders_are_those_of_pocketsphinx(english: Aligner, say: Say) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    spoken = say(" ".join(SENTENCE)) * np.float32(0.5)
    samples = dithered(np.concatenate((np.zeros(4800, np.float32), spoken, np.zeros(4800, np.float32))))
    decoder = pocketsphinx.Decoder(
        lm=None, bestpath=False, beam=1e-80, wbeam=1e-60, pbeam=1e-80, cmn="batch", loglevel="FATAL"
    )  # bestpath=True fails in the second pass: cmusphinx/pocketsphinx#339
    data = (samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()
    decoder.set_align_text(" ".join(SENTENCE))
    for turn in ("words", "phones"):
        decoder.start_utt()
        decoder.process_raw(data, full_utt=True)
        decoder.end_utt()
        if turn == "words":
            decoder.set_alignment()
    theirs = [(p.name, p.start / 100, (p.start + p.duration) / 100) for word in decoder.get_alignment() for p in word if p.name != "SIL"]
    ours = [(p.symbol, p.start_s, p.end_s) for word in english.align(samples, SENTENCE).words for p in word.phones]
    assert [phone for phone, _, _ in ours] == [phone for phone, _, _ in theirs]
    near = [abs(a[1] - b[1]) < TOLERANCE_S and abs(a[2] - b[2]) < TOLERANCE_S for a, b in zip(ours, theirs, strict=True)]
    assert sum(near) >= 0.9 * len(near)
