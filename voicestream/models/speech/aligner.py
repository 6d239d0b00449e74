"""Where each word and each sound of a known text lies in a recording, and how well it was said.

    text ─► lexicon ─► network of the sentence ─► likeliest path ─► segments ─► each sound against all others ─► scores

Pure, synchronous and without native code: the acoustic model of the installed pocketsphinx, read by numpy.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import TOO_LONG_TO_ALIGN, WORDS_DO_NOT_FIT, PeerError
from voicestream.models.speech.cepstrum import FRAMES_PER_S, dithered, features
from voicestream.models.speech.confusion import Sound, shape
from voicestream.models.speech.definition import SILENCE
from voicestream.models.speech.lexicon import Lexicon, lexicon
from voicestream.models.speech.likelihood import AcousticModel, acoustic_model
from voicestream.models.speech.pronunciation import Pronunciation, pronunciation
from voicestream.models.speech.sentence import FILLER, Place, SentenceNetwork, position, sentence_network
from voicestream.models.speech.sentence import Pronunciation as Way
from voicestream.models.speech.substitution import Segment, Substitution
from voicestream.models.speech.viterbi import best_path

MAX_CELLS: Final = 1 << 28  # frames times states that one alignment may take: bytes of its way back
_BLOCK_FRAMES: Final = 512  # for which the likelihoods of all senones are held at once
_FILLERS: Final = tuple(FILLER)


class AlignedPhone(NamedTuple):
    """A sound that was expected. score 0..100; said: the sound heard instead, "" for none, None if it was this one."""

    symbol: str
    start_s: float
    end_s: float
    score: float
    said: str | None


class AlignedWord(NamedTuple):
    """A word of the text, `place` its number in it; score: the mean of its phones'."""

    place: int
    text: str
    start_s: float
    end_s: float
    score: float
    phones: tuple[AlignedPhone, ...]


class Alignment(NamedTuple):
    """words: those that were found, in order; omitted: places in the text of those that were not said; score: nats per frame."""

    words: tuple[AlignedWord, ...]
    omitted: tuple[int, ...]
    score: float


class Aligned(NamedTuple):
    """What every segment of a recording is, before anything is scored; path (frames,) column of the state of each frame."""

    segments: list[Segment]
    places: list[Place]
    path: NDArray[np.int64]
    score: float


class Aligner:
    """Aligns texts with recordings; loaded once, used by any number of threads."""

    def __init__(self, model: AcousticModel, words: Lexicon, judge: Pronunciation | None = None) -> None:
        self._model = model
        self._lexicon = words
        self._substitution = Substitution(model.definition, model.transitions)
        self.alternatives: Final = self._substitution.alternatives
        self._judge = judge or pronunciation(self.alternatives)

    def align(self, samples: NDArray[np.float32], words: Sequence[str], *, optional: bool = False) -> Alignment:
        """samples (n,) float32 in -1..1 at 16 kHz and the words said -> their times and scores.

        optional: words may be missing (a sentence that was to be said); without it every word is found somewhere. Words
        that nobody says aloud (a dash) are left out. PeerError VS2102 when the words do not fit into the recording,
        VS2103 when both are too long.
        """
        said = [(index, word, ways) for index, word in enumerate(words) if (ways := self._lexicon.ways(word))]
        if not said:
            return Alignment((), (), 0.0)
        heard = features(dithered(samples))
        aligned = self.segments(heard, [ways for _, _, ways in said], optional=optional)
        sounds = self.sounds(heard, aligned)
        phones: dict[int, list[AlignedPhone]] = {}
        for segment, place in zip(aligned.segments, aligned.places, strict=True):
            if place.word >= 0:
                score, instead = self._judge.verdict(next(sounds))
                phone = AlignedPhone(segment.phone, segment.start / FRAMES_PER_S, segment.end / FRAMES_PER_S, score, instead)
                phones.setdefault(place.word, []).append(phone)
        return Alignment(
            tuple(_word(said[number][0], said[number][1], tuple(of)) for number, of in phones.items()),
            tuple(index for number, (index, _, _) in enumerate(said) if number not in phones),
            aligned.score,
        )

    def unknown(self, words: Sequence[str]) -> tuple[int, ...]:
        """The places of those that the dictionary lacks: how they are said is guessed from their letters."""
        return tuple(place for place, word in enumerate(words) if not self._lexicon.knows(word))

    def segments(self, heard: NDArray[np.float32], ways: Sequence[Sequence[Way]], *, optional: bool = False) -> Aligned:
        """Features (frames, 3, 13) and the ways to say each word -> the likeliest segments. PeerErrors as `align`."""
        sentence = sentence_network(self._model.definition, self._model.transitions, ways, optional=optional)
        if len(heard) * len(sentence.network.column) > MAX_CELLS:
            raise PeerError(TOO_LONG_TO_ALIGN)
        likelihoods = self._model.log_likelihoods(heard, sentence.senones)
        path = best_path(sentence.network, likelihoods)
        if not np.isfinite(path.score):
            raise PeerError(WORDS_DO_NOT_FIT)
        columns = sentence.senones[sentence.network.column[path.state]]
        return Aligned(*_cut(sentence, path.state, ways), columns, path.score / len(heard))

    def sounds(self, heard: NDArray[np.float32], aligned: Aligned) -> Iterator[Sound]:
        """What is heard of each phone of an alignment, in order."""
        segments = aligned.segments
        at = 0
        while at < len(segments):
            last = at
            while last + 1 < len(segments) and segments[last + 1].end - segments[at].start <= _BLOCK_FRAMES:
                last += 1
            within = [number for number in range(at, last + 1) if aligned.places[number].word >= 0]
            at = last + 1
            if not within:
                continue
            first = self._substitution.reach(segments, within[0])[0]
            end = self._substitution.reach(segments, within[-1])[1]
            frames = self._model.log_likelihoods(heard[first:end])
            for number in within:
                yield self._sound(heard, aligned, number, frames, first)

    def _sound(self, heard: NDArray[np.float32], aligned: Aligned, number: int, frames: NDArray[np.float32], first: int) -> Sound:
        segments = aligned.segments
        segment = segments[number]
        found = self._substitution.log_likelihoods(segments, number, frames, first)
        inside = frames[segment.start - first : segment.end - first]
        own = inside[np.arange(len(inside)), aligned.path[segment.start : segment.end]]
        left, right = (self._neighbour(segments, at) for at in (number - 1, number + 1))
        fit = float((own - inside.max(axis=1)).mean())
        return Sound(segment.phone, left, right, shape(heard, segments, number), found[:-1] - found[-1], fit)

    def _neighbour(self, segments: Sequence[Segment], at: int) -> str:
        pause = not 0 <= at < len(segments) or segments[at].phone in self._model.definition.fillers
        return SILENCE if pause else segments[at].phone


@cache
def aligner() -> Aligner:
    """The aligner on the installed package, read once; PeerError VS2100 when there is none, VS2101 when it is another."""
    return Aligner(acoustic_model(), lexicon())


def _cut(sentence: SentenceNetwork, states: NDArray[np.int64], ways: Sequence[Sequence[Way]]) -> tuple[list[Segment], list[Place]]:
    """Segments of a path and where each stands in the sentence."""
    segments: list[Segment] = []
    places: list[Place] = []
    borders = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    for start, end in pairwise(borders):
        place = sentence.places[int(states[start])]
        if places and place == places[-1] and place.word >= 0:
            segments[-1] = segments[-1]._replace(end=end)
        elif place.word < 0:
            filler = _FILLERS[place.number]
            if places and segments[-1].phone == filler and places[-1].word < 0:
                segments[-1] = segments[-1]._replace(end=end)
                continue
            segments.append(Segment(filler, start, end))
            places.append(place)
        else:
            way = ways[place.word][place.pronunciation]
            segments.append(Segment(way[place.number], start, end, position(place.number, len(way))))
            places.append(place)
    return segments, places


def _word(index: int, text: str, phones: tuple[AlignedPhone, ...]) -> AlignedWord:
    score = sum(phone.score for phone in phones) / len(phones)
    return AlignedWord(index, text, phones[0].start_s, phones[-1].end_s, score, phones)
