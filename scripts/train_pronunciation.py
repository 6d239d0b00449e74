"""Trains what judges a sound and measures it: python -m scripts.train_pronunciation DATA MODELS

DATA: the folder with `background` and `pronunciation` in it. MODELS: the data folder that has moonshine installed.

    people and synthesisers that speak right ─► the same with wrong texts ─► network of confusion
    speakers it has not heard ─► border of each phone
    ratings of people, synthetic mistakes ─► score

What the card says is measured on speakers, or on words and voices, that were left out. Writes pronunciation.safetensors
and .json. Needs torch 2.13, scipy and what `pronunciation/voice.py` names; an hour of one core, kept in --cache.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scripts.assessment.corpus import Witness
from scripts.pronunciation.mistake import Pair, utterances
from scripts.pronunciation.network import Table, keep, kept, table, taught
from scripts.pronunciation.question import questions
from scripts.pronunciation.recording import recordings, transcripts
from voicestream.codecs.containers import decode_file
from voicestream.models.card import Card, Measurement
from voicestream.models.speech import transcriber
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.cepstrum import dithered, features
from voicestream.models.speech.confusion import Confusion, Sound
from voicestream.models.speech.definition import SILENCE
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.package import JOINT_SHA256
from voicestream.models.speech.pronunciation import MEASURES, Finding, Pronunciation
from voicestream.models.weights import Array, sha256_of, write_weights

SEED = 1
HELD_OUT = 12  # every so many speakers are kept from the network, for the borders
FALSE_ALARMS = 0.085  # of their right sounds that the borders allow, each kind of speaker counting alike
PRIOR = 60  # sounds at the border of all phones that are counted beside those of each
STRENGTH = 0.02  # of the pull of the slopes to zero, per sound of weight
SYNTHETIC = 2.0  # how much all synthetic sounds weigh beside all rated ones: four speakers are few
RARE = 0.5  # how much a wrong one weighs beside a right one

Names = NDArray[np.str_]


class Rated(NamedTuple):
    """A sound that people rated, 0..2."""

    speaker: str
    sound: Sound
    rating: float


class Controlled(NamedTuple):
    """The sound of a word that was, or was not, exchanged."""

    pair: Pair
    wrong: bool
    sound: Sound


def asked(data: Path, models: Path, aligner: Aligner, cache: Path) -> Table:
    """Questions about everybody who speaks right; kept in the cache."""
    path = cache / "questions.npz"
    if not path.exists():
        rng = np.random.default_rng(SEED)
        rated_speakers = frozenset(row["speaker"] for row in _ratings(data))
        said = transcripts(data / "background", transcriber.load(models), cache / "transcripts.json")
        found, kinds, speakers = [], [], []
        for one in recordings(data / "background", said, rated_speakers, rng):
            own = list(questions(one, aligner, lexicon(), rng))
            found += own
            kinds += [one.kind] * len(own)
            speakers += [one.speaker] * len(own)
        keep(path, table(found, kinds, speakers, aligner.alternatives))
    return kept(path)


def rated(data: Path, aligner: Aligner) -> list[Rated]:
    """Every rated sound; those expected are what the experts were given."""
    found = []
    for row in _ratings(data):
        ratings = [float(value) for word in row["phone_scores"].split(";") for value in word.split()[1:]]
        ways = [[tuple(phone.rstrip("012") for phone in word.split())] for word in row["phones"].split(";")]
        samples, rate_hz = decode_file((data / "pronunciation" / row["speaker"] / f"{row['id']}.flac").read_bytes())
        assert rate_hz == 16000
        heard = features(dithered(samples))
        sounds = aligner.sounds(heard, aligner.segments(heard, ways))
        found += [Rated(row["speaker"], sound, rating) for sound, rating in zip(sounds, ratings, strict=True)]
    return found


def _ratings(data: Path) -> list[dict[str, str]]:
    with (data / "pronunciation/scores.tsv").open() as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["phone_scores"]]


def controlled(aligner: Aligner, *, tested: bool) -> list[Controlled]:
    """The sound that is exchanged in each word, right and wrong."""
    words = lexicon()
    found = []
    for utterance in utterances(tested=tested):
        meant = [way for way in words.ways(utterance.word) if utterance.pair.expected in way]
        heard = features(dithered(utterance.samples))
        aligned = aligner.segments(heard, [words.ways("say"), meant, words.ways("again")])
        spoken = [place.word for place in aligned.places if place.word >= 0]
        sounds = list(aligner.sounds(heard, aligned))
        at = next(at for at, word in enumerate(spoken) if word == 1 and sounds[at].phone == utterance.pair.expected)
        found.append(Controlled(utterance.pair, utterance.wrong, sounds[at]))
    return found


def held_out(found: Table) -> NDArray[np.bool_]:
    """(n,) the questions about speakers that the network does not hear."""
    speakers = np.unique(found.speaker)
    chosen = np.random.default_rng(SEED).permutation(speakers)[: len(speakers) // HELD_OUT]
    return np.isin(found.speaker, chosen)


def borders(network: Mapping[str, Array], found: Table, names: Sequence[str]) -> Array:
    """(alternatives,) nats that a rival may lead over each phone, from right sounds of speakers the network has not heard."""
    found = found.where(found.said == found.place[:, 0])
    confusion = Confusion(network, names)
    all_names = (*names, SILENCE)
    lead = np.array(
        [
            confusion.rival(Sound(*(all_names[number] for number in place), shape, leads, 0.0)).lead
            for place, shape, leads in zip(found.place, found.shape, found.leads, strict=True)
        ]
    )
    counts = {kind: int((found.kind == kind).sum()) for kind in set(found.kind.tolist())}
    share = np.array([1 / counts[kind] for kind in found.kind.tolist()])
    every = _quantile(lead, share)
    out = np.full(len(names), every)
    for number in range(len(names)):
        own = found.place[:, 0] == number
        if own.any():
            out[number] = (own.sum() * _quantile(lead[own], share[own]) + PRIOR * every) / (own.sum() + PRIOR)
    for kind in counts:
        own = found.kind == kind
        print(f"{kind}: {(lead[own] > out[found.place[own, 0]]).mean():.3f} of {counts[kind]} right sounds flagged")
    return out.astype(np.float32)


def _quantile(lead: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    order = np.argsort(-lead)
    above = np.cumsum(share[order]) / share.sum()
    return float(lead[order[np.searchsorted(above, FALSE_ALARMS)]])


def judged(arrays: Mapping[str, Array], sounds: Sequence[Sound], names: Sequence[str]) -> list[Finding]:
    """What the network and its borders find; no score yet."""
    judge = Pronunciation(arrays, names)
    return [judge.finding(sound) for sound in sounds]


def scoring(people: Sequence[tuple[Finding, float]], machine: Sequence[tuple[Finding, bool]]) -> dict[str, Array]:
    """The regression on ratings 0..2 and on whether a sound was exchanged."""
    x = np.array([finding.measures for finding, _ in (*people, *machine)])
    target = np.array([*(rating / 2 for _, rating in people), *(0.0 if wrong else 1.0 for _, wrong in machine)])
    synthetic = np.array([RARE if wrong else 1.0 for _, wrong in machine])
    weight = np.concatenate((np.ones(len(people)), synthetic * SYNTHETIC * len(people) / synthetic.sum()))
    share = weight / weight.sum()
    mean = share @ x
    scale = np.sqrt(share @ (x - mean) ** 2)
    z = np.column_stack(((x - mean) / scale, np.ones(len(x))))

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        line = z @ w
        cost = float(share @ (np.logaddexp(0, line) - target * line) + STRENGTH * w[:-1] @ w[:-1])
        gradient = z.T @ (share * (1 / (1 + np.exp(-line)) - target))
        gradient[:-1] += 2 * STRENGTH * w[:-1]
        return cost, gradient

    w = minimize(loss, np.zeros(MEASURES + 1), jac=True, method="L-BFGS-B").x
    named = {"measure": mean, "scale": scale, "slope": w[:-1], "offset": w[-1:]}
    return {name: array.astype(np.float32) for name, array in named.items()}


def auc(score: NDArray[np.float64], bad: NDArray[np.bool_]) -> float:
    """How often a badly rated sound scores lower than a well rated one."""
    lower = (score[bad][:, None] < score[~bad]).mean()
    return float(lower + (score[bad][:, None] == score[~bad]).mean() / 2)


def rated_rows(
    network: Mapping[str, Array], people: Sequence[Rated], machine: Sequence[tuple[Finding, bool]], names: Sequence[str]
) -> list[Measurement]:
    """Agreement with the experts, each speaker scored by what the others taught."""
    findings = judged(network, [one.sound for one in people], names)
    rating, speaker = np.array([one.rating for one in people]), np.array([one.speaker for one in people])
    score = np.empty(len(people))
    for name in sorted(set(speaker)):
        others = [(finding, one.rating) for finding, one in zip(findings, people, strict=True) if one.speaker != name]
        judge = Pronunciation({**network, **scoring(others, machine)}, names)
        own = np.flatnonzero(speaker == name)
        score[own] = [judge.score(findings[index].measures) for index in own]
        bad = rating[own] < 1
        print(f"{name} AUC {auc(score[own], bad) if bad.any() else float('nan'):.3f}, {bad.sum()} of {len(own)} rated under 1")
    flagged = np.array([finding.said is not None for finding in findings])
    bad, good = rating < 1, rating >= 1.8
    known = "speechocean762, speaker left out of training"
    correlation = float(np.corrcoef(score, rating)[0, 1])
    rows = (
        (f"{bad.sum()} of {len(people)} phones rated under 1", "AUC", auc(score, bad)),
        ("all phones", "Pearson r", correlation),
        (f"{good.sum()} phones rated 1.8 or more", "flagged %", 100 * float(flagged[good].mean())),
        (f"{bad.sum()} phones rated under 1", "flagged %", 100 * float(flagged[bad].mean())),
    )
    return [Measurement(known, condition, metric, round(value, 3)) for condition, metric, value in rows]


def controlled_rows(judge: Pronunciation, tested: Sequence[Controlled]) -> list[Measurement]:
    """How often an exchange is found and named, and what is right is taken for one."""
    said = [judge.verdict(one.sound).said for one in tested]
    columns = np.array([[one.wrong, heard is not None, heard == one.pair.said] for one, heard in zip(tested, said, strict=True)])
    for pair in dict.fromkeys(one.pair for one in tested):
        own = columns[[one.pair == pair for one in tested]]
        wrong, right = own[own[:, 0]], own[~own[:, 0]]
        hits, names, alarms = wrong[:, 1].mean(), wrong[:, 2].mean(), right[:, 1].mean()
        print(f"{pair.expected} {pair.said}: flagged {hits:.2f}, named {names:.2f}, false alarms {alarms:.2f}")
    wrong, right = columns[columns[:, 0]], columns[~columns[:, 0]]
    rows = (
        (f"{len(wrong)} exchanged sounds", "flagged %", wrong[:, 1].mean()),
        (f"{len(right)} right sounds", "flagged %", right[:, 1].mean()),
        (f"{len(wrong)} exchanged sounds", "named right %", wrong[:, 2].mean()),
    )
    held = "espeak-ng, words and voices left out of training"
    return [Measurement(held, condition, metric, round(100 * float(value), 1)) for condition, metric, value in rows]


LIMITS = (
    "Four rated speakers of one first language, 22 of the 25 badly rated phones by one: differences of 0.1 mean nothing. Most exchanges "
    "that it was taught are right speech against a wrong text, and the controlled ones are by espeak-ng, whose other voices it knows: "
    "people's mistakes lie between two sounds, and it finds fewer of them (above). Of sounds that experts called right it flags about "
    "one in seven. How synthetic and rated sounds weigh was set with these ratings at hand. US English; a British or Indian accent is "
    "scored as if it were a mistake"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("pronunciation-cache"), help="folder for what was heard")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "voicestream/models/speech")
    options = parser.parse_args()
    options.cache.mkdir(exist_ok=True)
    aligner = Aligner(acoustic_model(), lexicon(), Witness())  # type: ignore[arg-type]
    names = aligner.alternatives

    found = asked(options.data, options.models, aligner, options.cache)
    apart = held_out(found)
    print(len(found.said), "questions,", apart.sum(), "of them for the borders", flush=True)
    network = {name: array.astype(np.float16).astype(np.float32) for name, array in taught(found.where(~apart), names, SEED).items()}
    network["border"] = borders(network, found.where(apart), names)

    people = rated(options.data, aligner)
    trained = controlled(aligner, tested=False)
    machine = list(zip(judged(network, [one.sound for one in trained], names), (one.wrong for one in trained), strict=True))
    rows = rated_rows(network, people, machine, names)
    judgements = judged(network, [one.sound for one in people], names)
    arrays = network | scoring([(finding, one.rating) for finding, one in zip(judgements, people, strict=True)], machine)
    rows += controlled_rows(Pronunciation(arrays, names), controlled(aligner, tested=True))
    for row in rows:
        print(row.condition, row.metric, row.value)

    stored = {name: array.astype(np.float16) if array.ndim == 2 else array for name, array in arrays.items()}
    data = write_weights(stored)
    card = Card(
        name="pronunciation", version="2", kind="pronunciation", rate_hz=16000, dimension=MEASURES, sha256=sha256_of(data),
        licence="Apache-2.0", threshold=0.0,
        calibration=f"score: expected rating of experts, 0..100; a border for each phone: {FALSE_ALARMS:.1%} of right sounds are flagged",
        trained_on=f"{(~apart).sum()} sounds by readers of LibriSpeech, learners of speechocean762 and synthesisers, as transcribed by "
        f"moonshine; {len(people)} phones of 4 speakers of speechocean762 rated by five experts, {len(trained)} sounds by espeak-ng; "
        f"heard by CMU Sphinx en-us (BSD; SHA-256 of its files {JOINT_SHA256[:16]})",
        measured=tuple(rows), limits=LIMITS,
    )  # fmt: skip
    (options.out / "pronunciation.safetensors").write_bytes(data)
    (options.out / "pronunciation.json").write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
