import numpy as np
import pytest
import soundfile

from tests.cli.people import RATE_HZ, say
from voicestream.cli.calibrate import own_trials
from voicestream.cli.evaluation.hearing import Failure, Folder, Wish, hear
from voicestream.dsp.frontend import FrontEnd
from voicestream.models.registry import default_speaker_model
from voicestream.sessions.vocabulary import Template

MODEL = default_speaker_model()


def test_a_cut_is_the_start_of_the_recording(tmp_path) -> None:
    voice = say(1, 1)
    soundfile.write(tmp_path / "whole.wav", voice, RATE_HZ)
    soundfile.write(tmp_path / "start.wav", voice[: int(1.5 * RATE_HZ)], RATE_HZ)
    wishes = [Wish(tmp_path / "whole.wav", "m", 1.5), Wish(tmp_path / "start.wav", "m", None), Wish(tmp_path / "whole.wav", "m", None)]
    found = hear(wishes, {"m": MODEL}, "as-is", FrontEnd)
    vectors = []
    for wish in wishes:
        voice = found[wish]
        assert not isinstance(voice, Failure)
        vectors.append(voice.template.vector)
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


@pytest.mark.parametrize("name", ["a", "a.wav"])
def test_a_name_is_found_beside_the_list_or_on_its_side(tmp_path, name: str) -> None:
    (tmp_path / "enrol").mkdir()
    (tmp_path / "enrol" / "a.wav").write_bytes(b"")
    assert Folder(tmp_path).find(name, "enrol") == [tmp_path / "enrol" / "a.wav"]
    (tmp_path / "a.wav").write_bytes(b"")
    assert Folder(tmp_path).find(name, "enrol") == [tmp_path / "a.wav"]


def test_a_folder_is_all_its_recordings(tmp_path) -> None:
    for name in ("b.wav", "a.flac", "note.txt"):
        (tmp_path / "me").mkdir(exist_ok=True)
        (tmp_path / "me" / name).write_bytes(b"")
    assert [file.name for file in Folder(tmp_path).find("me")] == ["a.flac", "b.wav"]


def test_no_recording_is_compared_with_itself() -> None:
    """Every recording has a direction of its own: whoever met himself would score above nothing."""
    vectors = np.eye(4, MODEL.card.dimension, dtype=np.float32)
    voices = [[Template("m", b"", vector, 2.0) for vector in vectors[start : start + 2]] for start in (0, 2)]
    trials = own_trials(voices, MODEL)
    assert trials.target.sum() == 4
    assert not trials.score.any()
