import json
from math import exp, log

import numpy as np
import pytest

from voicestream.errors import PeerError
from voicestream.models.registry import default_speaker_model
from voicestream.models.speaker.calibrated import CalibratedSpeaker, Calibration, calibration_text, read_calibration

MODEL = default_speaker_model()


def calibration(**changed: object) -> Calibration:
    fields: dict[str, object] = {
        "name": "office", "model": MODEL.card.name, "model_sha256": MODEL.card.sha256, "condition": "as-is",
        "coefficients": (-4.0, 10.0, -0.5, 2.0), "net_speech_s": (2.0, 8.0), "threshold": 0.4, "threshold_interval": (0.35, 0.45),
        "wanted_fmr": 0.01, "fmr": 0.0099, "fmr_interval": (0.005, 0.02), "fnmr": 0.05, "fnmr_interval": (0.02, 0.09),
        "cllr": 0.2, "min_cllr": 0.15, "speakers": 20, "recordings": 100, "targets": 100, "nontargets": 1900,
    }  # fmt: skip
    return Calibration(**(fields | changed))  # type: ignore[arg-type]


def test_a_calibration_is_read_as_it_was_written() -> None:
    text = calibration_text(calibration())
    assert read_calibration(text.encode()) == calibration()
    assert calibration_text(read_calibration(text.encode())) == text


def test_probability_and_threshold_are_the_calibrations_and_all_else_the_models() -> None:
    speaker = CalibratedSpeaker(MODEL, calibration())
    one, other = np.eye(2, MODEL.card.dimension, dtype=np.float32)
    assert speaker.score(one, one + other) == MODEL.score(one, one + other)
    odds = -4.0 + 10.0 * 0.3 + (-0.5 + 2.0 * 0.3) * log(4.0)
    assert speaker.probability(0.3, 4.0) == pytest.approx(1 / (1 + exp(-odds)))
    assert (speaker.card.threshold, speaker.card.sha256) == (0.4, MODEL.card.sha256)
    assert "office" in speaker.card.calibration
    assert (speaker.rate_hz, speaker.features, speaker.heavy) == (MODEL.rate_hz, MODEL.features, MODEL.heavy)


def test_lengths_that_were_not_seen_count_as_the_nearest_that_was() -> None:
    speaker = CalibratedSpeaker(MODEL, calibration())
    assert speaker.probability(0.3, 0.1) == speaker.probability(0.3, 2.0)
    assert speaker.probability(0.3, 1e9) == speaker.probability(0.3, 8.0)


def test_a_calibration_of_another_model_is_refused() -> None:
    with pytest.raises(PeerError, match="VS3031"):
        CalibratedSpeaker(MODEL, calibration(model_sha256="00" * 32))


@pytest.mark.parametrize(
    "changed",
    [{"layout": 2}, {"threshold": "high"}, {"more": 1}, {"coefficients": [1, 2, 3]}, {"net_speech_s": [0, 1]}, {"net_speech_s": [3, 1]}],
)
def test_a_calibration_that_is_damaged_or_newer_is_refused(changed: dict[str, object]) -> None:
    fields = json.loads(calibration_text(calibration())) | changed
    with pytest.raises(PeerError, match="VS3030"):
        read_calibration(json.dumps(fields).encode())


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b"[1e999]"])
def test_what_is_no_calibration_is_refused(text: bytes) -> None:
    with pytest.raises(PeerError, match="VS3030"):
        read_calibration(text)
