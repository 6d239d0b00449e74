"""Tokens become words, and the installed network hears what is said."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.dsp.resample import Resampler
from voicestream.errors import MODEL_NOT_INSTALLED, MisuseError, PeerError
from voicestream.models.speech.moonshine import BUNDLE
from voicestream.models.speech.token import read_tokens, spell
from voicestream.models.speech.transcriber import LONGEST_S, RATE_HZ, Samples, Transcriber, _continued, _Text, _words, load
from voicestream.server.config import Settings

TABLE = (b"<unk>", b"<s>", b"</s>", b"\xc3", b"\xa9", "▁the".encode(), "▁caf".encode(), b",", b"<<ST_1>>", "▁".encode(), b"x" * 200)
THE, CAF, COMMA, SIGNAL, SPACE = 5, 6, 7, 8, 9
E_ACUTE = (3, 4)


def written(table: tuple[bytes, ...]) -> bytes:
    return b"".join(
        (bytes([len(entry)]) if len(entry) < 128 else bytes([len(entry) % 128 + 128, len(entry) // 128])) + entry for entry in table
    )


def test_a_table_is_read_as_it_was_written() -> None:
    assert read_tokens(written(TABLE)) == TABLE


@pytest.mark.parametrize("cut", [1, 150, 201])
def test_a_table_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(MisuseError):
        read_tokens(written(TABLE)[:-cut])


def test_bytes_become_letters_and_signals_nothing() -> None:
    assert spell([THE, CAF, *E_ACUTE, SIGNAL, COMMA], TABLE) == "the café,"
    assert spell([3], TABLE) == ""


def test_a_word_is_as_sure_as_its_least_probable_token() -> None:
    transcript = _words([THE, CAF, *E_ACUTE, COMMA], [0.0, -1.0, -0.5, -2.0, 0.0], TABLE)
    assert [(word.text, round(word.confidence, 3)) for word in transcript.words] == [("the", 1.0), ("café,", 0.135)]
    assert transcript.text == "the café,"


def test_signs_alone_are_no_word() -> None:
    assert _words([SPACE, COMMA, THE], [0.0, 0.0, 0.0], TABLE).text == "the"


def logits(*probabilities: float) -> NDArray[np.float32]:
    return np.log(np.array([[1e-9, 1e-9, *probabilities]], np.float32))


def test_the_likeliest_texts_are_followed_and_know_whom_they_go_on_from() -> None:
    texts = [_Text((THE,), (np.log(0.6),)), _Text((CAF,), (np.log(0.4),))]
    under_way, parents, ended = _continued(texts, np.concatenate((logits(1e-9, 0.5, 0.3, 0.2), logits(1e-9, 0.9, 0.05, 0.05))))
    assert [text.tokens for text in under_way] == [(CAF, 3), (THE, 3)]
    assert parents == [1, 0]
    assert ended == []


def test_a_text_that_ends_makes_room_for_the_next_one() -> None:
    under_way, _, (ended,) = _continued([_Text((THE,), (0.0,))], logits(0.7, 0.2, 0.06, 0.04))
    assert ended.tokens == (THE,)
    assert ended.mean == pytest.approx(np.log(0.7) / 2, rel=1e-4)
    assert [text.tokens for text in under_way] == [(THE, 3), (THE, 4)]


def test_a_transcriber_that_is_not_installed_says_so(tmp_path: Path) -> None:
    with pytest.raises(PeerError) as caught:
        load(tmp_path)
    assert caught.value.fault is MODEL_NOT_INSTALLED


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    pytest.importorskip("onnxruntime")
    folder = Settings().data_path()
    if not BUNDLE.is_installed(folder):
        pytest.skip("moonshine is not installed: voicestream models install moonshine")
    return load(folder)


@pytest.fixture(scope="module")
def spoken() -> Samples:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    text = "The weather is very nice today, and we are going to the market."
    wav = subprocess.run(["espeak-ng", "-v", "en-us", "--stdout", text], capture_output=True, check=True).stdout
    samples = np.frombuffer(wav[44:], "<i2").astype(np.float32) / 32768
    resampler = Resampler(22050, RATE_HZ)
    return np.concatenate((resampler.feed(samples), resampler.flush()))


def test_a_sentence_is_heard(transcriber: Transcriber, spoken: Samples) -> None:
    transcript = transcriber.transcribe(spoken)
    assert "very nice today and we are going to the market" in transcript.text
    assert all(0.0 < word.confidence <= 1.0 for word in transcript.words)


def test_the_same_sound_gives_the_same_words(transcriber: Transcriber, spoken: Samples) -> None:
    assert transcriber.transcribe(spoken) == transcriber.transcribe(spoken.copy())


@pytest.mark.parametrize("samples", [0, 1, 100, 8000])
def test_a_piece_of_any_shortness_is_borne(transcriber: Transcriber, samples: int) -> None:
    assert len(transcriber.transcribe(np.zeros(samples, np.float32)).words) <= 7


def test_a_piece_that_is_too_long_is_our_own_mistake(transcriber: Transcriber) -> None:
    with pytest.raises(ValueError, match="one piece"):
        transcriber.transcribe(np.zeros(int(LONGEST_S * RATE_HZ) + 1, np.float32))
