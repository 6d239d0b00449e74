from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from voicestream.codecs.containers import decode_file
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.pcm import to_int16
from voicestream.errors import LITTLE_SPEECH, NOTHING_TO_MERGE, TEMPLATE_MODEL, TEMPLATE_VALUES, PeerError
from voicestream.models.registry import default_speaker_model
from voicestream.sessions.enrolment import PIECE_S, enrol, merge
from voicestream.sessions.quality import Gate
from voicestream.sessions.vocabulary import Template

MODEL = default_speaker_model()
OPEN = Gate(net_speech_s=1.0, level_dbfs=-200.0, clipped=1.0, snr_db=-100.0, voice=0.0)  # for waves that stand still


class FakeFront:
    """Every 30 ms of samples are speech where their first sample is not zero; features of that sample's value."""

    def __init__(self, plan: FrontEndPlan) -> None:
        self._samples = plan.rate_hz * 30 // 1000
        self._data = b""

    def feed(self, data: bytes) -> tuple[bytes, np.ndarray]:
        self._data += data
        whole = len(self._data) // 2 // self._samples
        values = np.frombuffer(self._data, "<i2", whole * self._samples)[:: self._samples]
        self._data = self._data[2 * whole * self._samples :]
        rows = np.repeat(values, 3)[:, None] * np.cos(np.arange(1, 21) * np.repeat(values, 3)[:, None])
        return (values != 0).astype(np.uint8).tobytes(), rows.astype(np.float32)

    def flush(self) -> tuple[bytes, np.ndarray]:
        return self.feed(b"")


def pcm(value: int, seconds: float, rate_hz: int = 8000) -> bytes:
    return np.full(int(rate_hz * seconds), value, "<i2").tobytes()


def unit(*values: float) -> np.ndarray:
    return np.array(values, np.float32) / np.float32(np.linalg.norm(values))


def template(vector: np.ndarray, net_speech_s: float, model_hash: bytes = MODEL.card.hash) -> Template:
    return Template("mfcc", model_hash, vector, net_speech_s)


def test_a_template_names_its_model_and_counts_its_speech() -> None:
    found = enrol((8000, [pcm(0, 3), pcm(7, 6), pcm(0, 3)]), MODEL, OPEN, FakeFront).template
    assert (found.model, found.model_hash) == ("mfcc", MODEL.card.hash)
    assert found.net_speech_s == pytest.approx(6.0, abs=0.05)
    assert np.linalg.norm(found.vector) == pytest.approx(1.0, abs=1e-6)


def test_too_little_speech_is_refused_with_both_numbers() -> None:
    with pytest.raises(PeerError) as caught:
        enrol((8000, [pcm(0, 5), pcm(7, 0.6)]), MODEL, OPEN, FakeFront)
    assert caught.value.fault is LITTLE_SPEECH
    assert caught.value.detail == "0.57 s found, 1.00 s needed"


@pytest.mark.parametrize("blocks", [[], [b""], [b"\x01"], [pcm(0, 40)], [pcm(7, 0.01)]])
def test_silence_and_nothing_hold_no_speech(blocks: list[bytes]) -> None:
    with pytest.raises(PeerError, match=r"0\.00 s found"):
        enrol((8000, blocks), MODEL, OPEN, FakeFront)


def test_pieces_equal_the_whole() -> None:
    whole = pcm(3, 2) + pcm(9, PIECE_S) + pcm(5, 4)
    cut = (whole[at : at + 4097] for at in range(0, len(whole), 4097))
    one, other = (enrol((8000, blocks), MODEL, OPEN, FakeFront).template for blocks in ([whole], cut))
    assert one.vector.tobytes() == other.vector.tobytes()
    assert one.net_speech_s == other.net_speech_s == pytest.approx(PIECE_S + 6.0, abs=0.2)


def test_every_piece_of_a_long_recording_counts() -> None:
    first, both, second = (
        enrol((8000, blocks), MODEL, OPEN, FakeFront).template.vector
        for blocks in ([pcm(3, PIECE_S)], [pcm(3, PIECE_S), pcm(9, PIECE_S)], [pcm(9, PIECE_S)])
    )
    assert min(float(both @ first), float(both @ second)) > float(first @ second) + 0.05


def test_merge_weighs_by_speech() -> None:
    found = merge([template(unit(1, 0), 9.0), template(unit(0, 1), 3.0)])
    assert found.vector == pytest.approx(unit(3, 1))
    assert found.net_speech_s == 12.0


def test_merge_of_one_is_that_one() -> None:
    assert merge([template(unit(3, 4), 5.0)]).vector == pytest.approx(unit(3, 4))


def test_merge_survives_templates_that_claim_no_speech() -> None:
    assert merge([template(unit(1, 0), 0.0), template(unit(0, 1), 0.0)]).vector == pytest.approx(unit(1, 1))


def test_merge_refuses_nothing_strangers_and_opposites() -> None:
    for templates, fault in (
        ([], NOTHING_TO_MERGE),
        ([template(unit(1, 0), 5.0), template(unit(1, 0), 5.0, bytes(32))], TEMPLATE_MODEL),
        ([template(unit(1, 0), 5.0), template(unit(-1, 0), 5.0)], TEMPLATE_VALUES),
    ):
        with pytest.raises(PeerError) as caught:
            merge(templates)
        assert caught.value.fault is fault


PROMPTS = Path("/usr/share/asterisk/sounds")
VOICES = ("it_IT_m_Carlo", "it_IT_f_Menardi", "fr_CA_f_June", "en_US_f_Allison")


def prompts(voice: str) -> tuple[list[bytes], list[bytes]]:
    """Twenty seconds to enrol, and thirty of other sentences."""
    if not (PROMPTS / voice).is_dir():
        pytest.skip(f"{PROMPTS / voice} is missing: apt install asterisk-core-sounds-it-wav -fr-wav -en-wav asterisk-prompt-it-menardi-wav")
    every = [to_int16(decode_file(path.read_bytes())[0]).tobytes() for path in sorted((PROMPTS / voice).glob("*.wav"))]
    sentences = iter([pcm for pcm in every if len(pcm) >= 2 * 8000 * 2])
    return list(up_to(sentences, 20)), list(up_to(sentences, 30))


def up_to(blocks: Iterator[bytes], seconds: int) -> Iterator[bytes]:
    left = seconds * 16000
    while left > 0:
        block = next(blocks)
        left -= len(block)
        yield block


def test_recorded_voices_know_themselves_and_no_other() -> None:
    recorded = {voice: prompts(voice) for voice in VOICES}
    enrolled = {voice: enrol((8000, sentences[0]), MODEL).template for voice, sentences in recorded.items()}
    tested = {voice: enrol((8000, sentences[1]), MODEL).template for voice, sentences in recorded.items()}
    for voice in VOICES:
        for other in VOICES:
            found = MODEL.probability(MODEL.score(enrolled[voice].vector, tested[other].vector), 20.0)
            assert found > 0.9 if voice == other else found < 0.5, (voice, other)
