"""American voices of whatever synthesisers this machine has: a sentence to a clip, at a speed drawn at random.

Only American ones: the dictionary is, and a British car has no R in it. The voices of `mistake.TEST_VOICES` are not among them.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.codecs.containers import decode_file
from voicestream.dsp.resample import resample

RATE_HZ: Final = 16000
_TIMEOUT_S: Final = 60.0
_VARIANTS: Final = (
    "m1", "m2", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f5", "klatt", "klatt2", "klatt4", "Adam", "Alex", "Annie", "Linda",
    "Michael", "Steph", "anika", "belinda", "Mike", "Andrea",
)  # fmt: skip
_MBROLA: Final = ("mb-us1", "mb-us2", "mb-us3")
_FLITE: Final = ("kal16", "rms", "slt", "awb")
_FESTIVAL: Final = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
_RHVOICE: Final = ("alan", "bdl", "clb", "slt")

Command = Callable[[str, float, str], Sequence[str]]  # text, stretch of time, path -> a command; text is its input too


def _espeak(voice: str) -> Command:
    return lambda text, stretch, path: ("espeak-ng", "-v", voice, "-s", f"{165 / stretch:.0f}", "-w", path, text)


def _flite(voice: str) -> Command:
    return lambda text, stretch, path: ("flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", path)


def _festival(voice: str) -> Command:
    return lambda text, stretch, path: (
        "text2wave", "-eval", f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch:.2f}))", "-o", path,
    )  # fmt: skip


def _rhvoice(voice: str) -> Command:
    return lambda text, stretch, path: ("RHVoice-test", "-p", voice, "-r", f"{100 / stretch:.0f}", "-o", path)


def _pico(text: str, stretch: float, path: str) -> Sequence[str]:
    return ("pico2wave", "-l", "en-US", "-w", path, f'<speed level="{100 / stretch:.0f}">{text}</speed>')


def voices() -> dict[str, Command]:
    """Those that work here, by name; espeak-ng's come first and are many, because theirs are the mistakes that are tested."""
    every: dict[str, Command] = {f"espeak-ng en-us+{variant}": _espeak(f"en-us+{variant}") for variant in _VARIANTS}
    every |= {f"espeak-ng {voice}": _espeak(voice) for voice in _MBROLA if shutil.which("mbrola")}
    every |= {f"flite {voice}": _flite(voice) for voice in _FLITE}
    every |= {f"text2wave {voice}": _festival(voice) for voice in _FESTIVAL}
    every |= {f"RHVoice-test {voice}": _rhvoice(voice) for voice in _RHVOICE}
    every["pico2wave en-US"] = _pico
    return {name: command for name, command in every.items() if shutil.which(name.split()[0])}


def spoken(command: Command, text: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """The clip, (n,) float32 at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "speech.wav")
        line = command(text, float(rng.uniform(0.8, 1.3)), path)
        subprocess.run(line, input=text.encode(), check=True, timeout=_TIMEOUT_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        samples, rate_hz = decode_file(Path(path).read_bytes())
    return resample(samples, rate_hz, RATE_HZ)
