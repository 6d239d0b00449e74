"""Recordings of a list become voices: each file is decoded once and embedded once per model and length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from voicestream import errors
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.evaluation.condition import Condition, Samples
    from voicestream.models.speaker.model import SpeakerModel
    from voicestream.models.vad.model import MakeFront
    from voicestream.sessions.enrolment import Enrolment
    from voicestream.sessions.quality import Gate
    from voicestream.sessions.vocabulary import Template

SUFFIXES: Final = ("", ".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".mp4", ".webm", ".aac", ".aiff", ".aif", ".au", ".caf", ".amr")
_BLOCK_S: Final = 1  # of audio, to the front end


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file gives no voice."""

    code: str
    reason: str


T = TypeVar("T")
Voice: TypeAlias = "Enrolment | Failure"


@dataclass(frozen=True, slots=True)
class Wish:
    """A voice wanted: of a file, or its first `cut_s`, as a model hears it."""

    file: Path
    model: str
    cut_s: float | None


class Folder:
    """Finds what a list names: beside the list, with or without suffix, also under `enrol/` or `test/`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, name: str, side: str = "") -> list[Path]:
        """The recording called `name`, or all of a folder called so, sorted; a path that is not there when nothing is."""
        for place in (self._root / name, *([self._root / side / name] if side else [])):
            if place.is_dir():
                return recordings(place) or [place]
            for suffix in SUFFIXES:
                file = place.with_name(place.name + suffix)
                if file.is_file():
                    return [file]
        return [self._root / name]


def recordings(folder: Path) -> list[Path]:
    """Files under a folder, at any depth, whose suffix is one of audio; sorted."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES[1:] and file.is_file())


def hear(wishes: Iterable[Wish], models: dict[str, SpeakerModel], condition: Condition, make_front: MakeFront) -> dict[Wish, Voice]:
    """Every voice wanted, or the reason why there is none; shows its progress. Nothing is asked of a recording but speech."""
    by_file: dict[Path, list[Wish]] = {}
    for wish in dict.fromkeys(wishes):
        by_file.setdefault(wish.file, []).append(wish)
    voices: dict[Wish, Voice] = {}
    for file in progress(list(by_file), "hearing"):
        sound = read_sound(file)
        for wish in by_file[file]:
            voices[wish] = sound if isinstance(sound, Failure) else _voice(*sound, wish.cut_s, models[wish.model], condition, make_front)
    return voices


def admitted(voice: Voice, gate: Gate) -> Template | Failure:
    """The template of a voice whose recording is good enough to enrol, as the server asks it."""
    from voicestream.sessions.quality import admit

    if isinstance(voice, Failure):
        return voice
    try:
        admit(voice.quality, gate)
    except PeerError as error:
        return _failure(error)
    return voice.template


def together(voices: Sequence[Voice], gate: Gate) -> Template | Failure:
    """One template of several recordings of a speaker; the first failure when there is one."""
    from voicestream.sessions.enrolment import merge

    templates = []
    for voice in voices:
        one = admitted(voice, gate)
        if isinstance(one, Failure):
            return one
        templates.append(one)
    try:
        return merge(templates)
    except PeerError as error:
        return _failure(error)


def progress(items: Sequence[T], doing: str) -> Iterator[T]:
    """The items, with a bar on standard error while they are worked on; nothing is drawn where that is no terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(items, doing, console=console, transient=True, disable=not console.is_terminal)


def read_sound(file: Path) -> tuple[Samples, int] | Failure:
    """The samples (n,) float32 and rate in Hz of any audio file, or why there are none."""
    from voicestream.codecs.containers import decode_file

    try:
        return decode_file(file.read_bytes())
    except OSError as error:
        return Failure(errors.UNREADABLE_FILE.code, f"{errors.UNREADABLE_FILE.sentence}: {error.strerror}")
    except PeerError as error:
        return _failure(error)


def _voice(samples: Samples, rate_hz: int, cut_s: float | None, model: SpeakerModel, condition: Condition, make_front: MakeFront) -> Voice:
    from voicestream.dsp.pcm import to_int16
    from voicestream.evaluation.condition import RATE_HZ, telephone
    from voicestream.models.speaker.model import MIN_WINDOW_S
    from voicestream.sessions.enrolment import enrol
    from voicestream.sessions.quality import MIN_SNR_DB, SILENCE_DBFS, Gate

    needed_s = MIN_WINDOW_S
    if cut_s is not None:
        samples = samples[: round(cut_s * rate_hz)]
        needed_s = min(needed_s, cut_s / 2)  # what a window of that length must hold in a stream
    if condition == "telephone":
        samples, rate_hz = telephone(samples, rate_hz), RATE_HZ
    data = to_int16(samples).tobytes()
    size = 2 * rate_hz * _BLOCK_S
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    try:
        return enrol((rate_hz, blocks), model, Gate(needed_s, SILENCE_DBFS, 1.0, MIN_SNR_DB, 0.0), make_front)
    except PeerError as error:
        return _failure(error)


def _failure(error: PeerError) -> Failure:
    return Failure(error.fault.code, error.fault.sentence + (f": {error.detail}" if error.detail else ""))
