"""Recorded speech of known speakers: the telephone prompts that Debian packages for Asterisk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream.cli.recording import Recording, read_recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER = Path("/usr/share/asterisk/sounds")
_SENTENCE_BYTES = {  # 2.5 to 7 s at 8 kHz: a sentence, not a word, not a speech
    ".wav": range(40_000, 112_000),
    ".gsm": range(4_100, 11_600),  # GSM 06.10: 33 bytes hold 20 ms
}
_ENROL_S, _TEST_S = 30.0, 24.0
_PAUSE_S = 0.8
_SPOKEN = ("en_US_f_Allison/conf-onlyperson.wav", "You are currently the only person in this conference")


@dataclass(frozen=True, slots=True)
class Speaker:
    """One person: `enrol` is what the server learns the voice from, `test` other sentences with pauses between."""

    name: str
    language: str
    enrol: Recording
    test: Recording


# Allison also speaks the Spanish set, so that set is no sixth speaker.
_SETS = {
    "Allison": ("English", "en_US_f_Allison"),
    "June": ("French", "fr_CA_f_June"),
    "Carlo": ("Italian", "it_IT_m_Carlo"),
    "Menardi": ("Italian", "it_IT_f_Menardi"),
    "Ivrvoice": ("Russian", "ru_RU_f_IvrvoiceRU"),
    "Armelle": ("French", "fr"),
    "Es-co": ("Spanish", "es"),  # Debian names only her country
}


def speakers(folder: Path = FOLDER) -> list[Speaker]:
    """The speakers whose prompts are installed, always with the same sentences."""
    return [
        Speaker(name, language, enrol=_joined(sentences, _ENROL_S), test=_joined(sentences, _TEST_S))
        for name, (language, place) in _SETS.items()
        if (sentences := _sentences(folder / place)) is not None
    ]


def spoken_sentence(folder: Path = FOLDER) -> tuple[Recording, str] | None:
    """An English sentence, and its words; None where it is not installed."""
    file, words = _SPOKEN
    return (read_recording(folder / file), words) if (folder / file).is_file() else None


def _sentences(folder: Path) -> Iterator[Recording] | None:
    if folder.is_symlink():  # to a set that is in the table already
        return None
    files = [file for file in sorted(folder.glob("*")) if file.suffix in _SENTENCE_BYTES]
    files = [file for file in files if file.stat().st_size in _SENTENCE_BYTES[file.suffix]]
    return (_read(file) for file in files) if files else None


def _read(file: Path) -> Recording:
    if file.suffix != ".gsm":
        return read_recording(file)
    import av
    import numpy as np

    with av.open(file, format="gsm") as container:  # bare frames: nothing in the file tells
        return Recording(np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)]), 8000)


def _joined(sentences: Iterator[Recording], wanted_s: float) -> Recording:
    """Whole sentences, a pause after each, until there are `wanted_s` seconds; takes them out of `sentences`."""
    import numpy as np

    parts: list[NDArray[np.int16]] = []
    rate_hz = total = 0
    for sentence in sentences:
        rate_hz = sentence.rate_hz
        parts += [sentence.samples, np.zeros(round(_PAUSE_S * rate_hz), np.int16)]
        total += len(sentence.samples)
        if total >= wanted_s * rate_hz:
            break
    return Recording(np.concatenate(parts), rate_hz)
