"""People who say something that is known: Debian's telephone prompts, at 16 kHz."""

import functools
import re
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.assessment.house import Samples
from voicestream.cli.prompt import FOLDER

ENGLISH, SPANISH = "en_US_f_Allison", "es_MX_f_Allison"
MUSIC = FOLDER.parent / "moh" / "macroform-cold_day.wav"

TALK = (  # 30 s
    "Congratulations. You have successfully installed and executed the Asterisk open source PBX. You have also installed a set of "
    "sample sounds and configuration files that should help you to get started. Like a normal PBX you will navigate this demonstration "
    "by dialing digits. If you are using a console channel driver instead of a real phone you can use the dial, answer, and hang up "
    "commands to simulate the actions of a standard telephone."
)
SENTENCE = "You are currently the only person in this conference"


@functools.cache
def prompt(name: str, language: str = ENGLISH) -> Samples:
    """A prompt (n,) int16 at 16 kHz; the test is skipped where it is not installed."""
    return _read(FOLDER / language / f"{name}.wav")


@functools.cache
def hold_music() -> Samples:
    """8 s of it."""
    return _read(MUSIC)[: 8 * 16000]


def talk() -> Samples:
    return prompt("demo-congrats")


def sentence() -> Samples:
    return prompt("conf-onlyperson")


def spanish() -> Samples:
    """Three sentences, 10 s."""
    names = ("conf-invalidpin", "conf-onlyperson", "conf-locked")
    return np.concatenate([prompt(name, SPANISH) for name in names])


def likeness(heard: str, said: str) -> float:
    """Share of the words that are the same, in order."""
    first, second = (re.findall(r"[a-z']+", text.lower()) for text in (heard, said))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _read(file: Path) -> Samples:
    try:
        samples, rate_hz = soundfile.read(file, dtype="int16")
    except soundfile.LibsndfileError:
        pytest.skip(f"no {file}: scripts/test installs it")
    return np.asarray(soxr.resample(samples, rate_hz, 16000), np.int16)
