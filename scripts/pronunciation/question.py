"""Right speech aligned with wrong texts: questions whose answer is known.

    recording ─► which way each word was said ─► one sound in six exchanged in the text, some put in ─► sounds, answers

A reader who says `right` where `light` was expected has made no mistake, but to the model it is one, by a living voice.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from scripts.pronunciation.recording import Recording
from voicestream.errors import PeerError
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.cepstrum import dithered, features
from voicestream.models.speech.confusion import SAME, Sound
from voicestream.models.speech.lexicon import Lexicon
from voicestream.models.speech.sentence import Place
from voicestream.models.speech.sentence import Pronunciation as Way
from voicestream.models.speech.substitution import NOTHING

EXCHANGED, PUT_IN = 0.17, 0.03  # of the sounds of a text
OF_KIN: Final = 0.6  # of the exchanges
WRONG_TEXTS: Final = {"native": 2, "learner": 2, "voice": 2, "espeak": 1}  # for each recording
_THROATS: Final = ((1, 1), (20, 17), (10, 9), (10, 11), (5, 6))  # a tape faster or slower: longer and shorter ones
_NOISE_DB: Final = (15.0, 50.0)  # below the speech
# Sounds of like place or manner: what is said in place of another is nearly always one of its kin.
_FAMILIES: Final = tuple(
    frozenset(group.split())
    for group in (
        "P B F V", "B V W", "T D TH DH", "S Z TH DH T D", "S SH Z ZH", "CH SH JH ZH T D", "K G T D HH", "M N NG", "L R W N", "HH F K",
        "Y JH IY", "W UW V L", "IY IH EY", "IH EH AH IY", "EH AE EY AH", "AE AA AH EH", "AA AO AH OW", "UH UW AH OW", "ER AH AO EH R",
        "AW AO OW AA", "AY EY AA", "OY OW AO",
    )
)  # fmt: skip


class Question(NamedTuple):
    """A sound as it was expected, and what was said there."""

    sound: Sound
    said: str


def kin(phone: str) -> tuple[str, ...]:
    """What it is likeliest exchanged for."""
    return tuple(sorted(frozenset[str]().union(*(family for family in _FAMILIES if phone in family)) - {phone} - SAME.get(phone, set())))


def questions(recording: Recording, aligner: Aligner, words: Lexicon, rng: np.random.Generator) -> Iterator[Question]:
    """About every sound of a recording: once as it is, then with other texts and changed a little. None where it cannot be aligned."""
    ways = [found for word in recording.words if (found := words.ways(word))]
    if not ways:
        return
    try:
        right = _sounds(recording.samples, ways, aligner)
    except PeerError:  # the text has no room in the time: misheard
        return
    chosen = {place.word: ways[place.word][place.pronunciation] for place, _ in right}
    last = len(ways) - 1 + recording.whole
    yield from (Question(sound, sound.phone) for place, sound in right if place.word < last)
    for _ in range(WRONG_TEXTS[recording.kind]):
        wrong, answers = _wrong_text([chosen[word] for word in sorted(chosen)], aligner.alternatives, rng)
        try:
            found = _sounds(_changed(recording.samples, rng), [[way] for way in wrong], aligner)
        except PeerError:
            continue
        yield from (Question(sound, answers[place.word][place.number]) for place, sound in found if place.word < last)


def _sounds(samples: NDArray[np.float32], ways: Sequence[Sequence[Way]], aligner: Aligner) -> list[tuple[Place, Sound]]:
    heard = features(dithered(samples))
    aligned = aligner.segments(heard, ways)
    return list(zip((place for place in aligned.places if place.word >= 0), aligner.sounds(heard, aligned), strict=True))


def _wrong_text(ways: Sequence[Way], alternatives: Sequence[str], rng: np.random.Generator) -> tuple[list[Way], list[list[str]]]:
    """The text with sounds exchanged and put in, never two in a row, and what is said in the place of each."""
    phones = [phone for phone in alternatives if phone != NOTHING]
    wrong, answers, spared = [], [], False
    for way in ways:
        pairs: list[tuple[str, str]] = []  # expected, said
        for phone in way:
            chance, spared = (1.0 if spared else rng.random()), False
            if chance < EXCHANGED:
                others = kin(phone) if rng.random() < OF_KIN else [one for one in phones if one not in {phone} | SAME.get(phone, set())]
                pairs.append((str(rng.choice(others)), phone))
                spared = True
            elif chance < EXCHANGED + PUT_IN:
                pairs += [(str(rng.choice(phones)), NOTHING), (phone, phone)]
                spared = True
            else:
                pairs.append((phone, phone))
        wrong.append(tuple(expected for expected, _ in pairs))
        answers.append([said for _, said in pairs])
    return wrong, answers


def _changed(samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    up, down = _THROATS[rng.integers(len(_THROATS))]
    moved = resample_poly(samples, up, down).astype(np.float32)
    level = np.sqrt(np.mean(moved**2)) * 10 ** (-rng.uniform(*_NOISE_DB) / 20)
    return moved + np.float32(level) * rng.standard_normal(len(moved), np.float32)
