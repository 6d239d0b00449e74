"""Trains the ratings of speech and measures them: train_assessment.py DATA MODELS

DATA: the folder with `pronunciation` and `background` in it. MODELS: the data folder that has moonshine installed.

    clips ─► aligner, transcriber ─► impressions ─► usual ones of learners nobody rated ─► mixes of deviations
    ratings of all speakers but one ─► offset and slope (posterior) ─► the ratings of that one foreseen

What is printed and put in the card was foreseen for speakers that were left out; the weights shipped are of all. How
measures mix, and the opinion on offset and slope, are below and were not fitted. --measure: print, write nothing.
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from assessment.corpus import RATE_HZ, Array, Listener, Rated, learners, rated_clips
from assessment.measuring import pearson, speaker_interval, utterance_interval
from assessment.regression import Line, Prior, posterior

from voicestream.models.card import Card, Measurement
from voicestream.models.speech import aligner, transcriber
from voicestream.models.speech.rating import CONDITIONS, SCALES, Condition, Scale, deviations, rate
from voicestream.models.weights import read_weights, write_weights

# quality, rate, pausing, confidence; their sizes sum to 1. Fluency is time and hesitation, pronunciation the sounds first,
# intonation as people rate it is rhythm and speed (its pitch told nothing, see the card), overall is all of them.
MIX: Mapping[Condition, Mapping[Scale, tuple[float, float, float, float]]] = {
    "read": {
        "pronunciation": (0.5, 0.3, -0.2, 0.0),
        "fluency": (0.0, 0.5, -0.5, 0.0),
        "intonation": (0.2, 0.4, -0.4, 0.0),
        "overall": (0.4, 0.3, -0.3, 0.0),
    },
    "free": {
        "pronunciation": (0.25, 0.25, -0.25, 0.25),
        "fluency": (0.0, 0.4, -0.4, 0.2),
        "intonation": (0.1, 0.4, -0.4, 0.1),
        "overall": (0.25, 0.25, -0.25, 0.25),
    },
}
# The experts' words for 7 and 8 are "a few mistakes": what is usual among learners. A deviation of the mix is a point.
PRIOR = Prior(offset=7.5, offset_deviation=0.5, slope=1.0, slope_deviation=0.2, speaker=1.0, utterance=0.7)
TRIALS = "eval/pronunciation, speakers left out of training (30 utterances, 4 speakers)"


class Table(NamedTuple):
    """Impressions (n, 4) of the clips under a condition."""

    impressions: Array
    clips: list[Rated]

    @property
    def speakers(self) -> list[str]:
        return [clip.speaker for clip in self.clips]

    def ratings(self, scale: Scale) -> Array:
        return np.array([clip.ratings[scale] for clip in self.clips])


def fitted(table: Table, usual: Array, condition: Condition, scale: Scale, chosen: Array) -> Line:
    """The line through the ratings of the `chosen` (n,) bool clips."""
    mix = deviations(table.impressions, usual) @ np.array(MIX[condition][scale])
    speakers = [name for name, is_chosen in zip(table.speakers, chosen, strict=True) if is_chosen]
    return posterior(mix[chosen], table.ratings(scale)[chosen], speakers, PRIOR)


def arrays_of(table: Table, usual: Array, condition: Condition, scale: Scale, chosen: Array) -> dict[str, Array]:
    """What `rating.rate` goes by, learned from the `chosen` clips."""
    line = fitted(table, usual, condition, scale, chosen)
    noise = np.array([PRIOR.speaker**2 + PRIOR.utterance**2])
    parts = {"mix": np.array(MIX[condition][scale]), "line": line.mean, "covariance": line.covariance, "noise": noise}
    return {"usual": usual} | {f"{condition}.{scale}.{part}": array for part, array in parts.items()}


def foreseen(table: Table, usual: Array, condition: Condition, scale: Scale) -> Array:
    """(n,) ratings of every clip by what the other speakers' clips taught."""
    out = np.empty(len(table.clips))
    for speaker in set(table.speakers):
        own = np.array([name == speaker for name in table.speakers])
        arrays = arrays_of(table, usual, condition, scale, ~own)
        out[own] = [rate(arrays, impression, condition, scale).value for impression in table.impressions[own]]
    return out


def measured(table: Table, usual: Array, condition: Condition, scale: Scale) -> list[Measurement]:
    """Agreement of ratings foreseen with those given, all printed and the telling ones returned."""
    found, given = foreseen(table, usual, condition, scale), table.ratings(scale)
    speakers = np.array(table.speakers)
    r, error = pearson(found, given), float(np.sqrt(np.mean((found - given) ** 2)))
    narrow, wide = utterance_interval(found, given), speaker_interval(found, given, table.speakers)
    mix = deviations(table.impressions, usual) @ np.array(MIX[condition][scale])
    print(
        f"{condition:4} {scale:13} r {r:+.3f}  95 %: utterances {narrow.low:+.2f}..{narrow.high:+.2f}, speakers {wide.low:+.2f}..{wide.high:+.2f}"
        f"  RMSE {error:.2f}  r of the mix alone {pearson(mix, given):+.3f}"
    )
    for speaker in sorted(set(speakers)):
        own = speakers == speaker
        within, others = pearson(found[own], given[own]), pearson(found[~own], given[~own])
        print(f"     {speaker}: foreseen {found[own].mean():.2f}, given {given[own].mean():.2f}, r within {within:+.2f}, r of the others {others:+.2f}")
    rows = {"r": r, "r 95 % low": wide.low, "r 95 % high": wide.high, "RMSE 0..10": error}
    return [Measurement(TRIALS, f"{condition}: {scale}", metric, round(value, 3)) for metric, value in rows.items()]


def print_measures(table: Table, condition: Condition) -> None:
    """The correlation of each measure alone with each scale."""
    for name, column in zip(("quality", "rate", "pausing", "confidence"), table.impressions.T, strict=True):
        print(f"{condition:4} {name:10}", *(f"{scale} {pearson(column, table.ratings(scale)):+.2f}" for scale in SCALES))


LIMITS = (
    "Four speakers of one first language (Mandarin), two of them children, short read sentences; one speaker differs much from the other "
    "three, and most of the agreement is telling him from them: within the three there is little. Differences under 10 points mean "
    "nothing, and a score is known to about 12 points. Measured on the same few speakers whose sounds the phone scores were trained on, "
    "so pronunciation is a little flattered. How the measures mix was chosen, not learned, after freely fitted weights had failed on "
    "the speaker left out. intonation is what experts of that corpus gave for prosody: speed, pauses and sounds tell it; range, slope "
    "and movement of pitch did not agree with them and are reported beside the score, not in it. In noise and over the telephone not "
    "measured. Who speaks fast and unclearly is scored too high by the scales without sounds. Free speech is scored by how well it fits "
    "our own transcript. Grammar and vocabulary are never scored: nobody rated them here, the transcript corrects or invents words of "
    "learners (word error rate 42 %), and a sentence is too short. CEFR bands are a reading aid (models/speech/band.py); no IELTS, "
    "TOEFL, TOEIC or PTE number is given."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("assessment-cache.json"), help="file for what was heard")
    parser.add_argument("--measure", action="store_true", help="print only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "voicestream/models/speech")
    options = parser.parse_args()

    listener = Listener(aligner.load(), transcriber.load(options.models), options.cache)
    clips = rated_clips(options.data)
    usual_of = [found for path in learners(options.data, clips) if (found := listener.impression(path)) is not None]
    usual = np.array([np.mean(usual_of, axis=0), np.std(usual_of, axis=0)])
    print(f"usual, of {len(usual_of)} clips of learners: {usual[0].round(2)} +- {usual[1].round(2)}")

    arrays: dict[str, Array] = {}
    rows: list[Measurement] = []
    for condition in CONDITIONS:
        found = [(listener.impression(clip.path, clip.sentence if condition == "read" else None), clip) for clip in clips]
        known = [(impression, clip) for impression, clip in found if impression is not None]
        print(f"{condition}: {len(known)} of {len(found)} clips heard")
        table = Table(np.array([impression for impression, _ in known]), [clip for _, clip in known])
        print_measures(table, condition)
        for scale in SCALES:
            rows += measured(table, usual, condition, scale)
            arrays |= arrays_of(table, usual, condition, scale, np.ones(len(table.clips), bool))
    if options.measure:
        return
    weights = write_weights({name: array.astype(np.float32) for name, array in arrays.items()})
    read_weights(weights)
    card = Card(
        name="rating", version="1", kind="pronunciation", rate_hz=RATE_HZ, dimension=0, sha256=hashlib.sha256(weights).hexdigest(),
        licence="Apache-2.0", threshold=0.0,
        calibration="0..10 as the experts gave it, times 10; CEFR bands from 30, 50, 70, 85, 95 by the words of both scales, not measured",
        trained_on=f"speechocean762: ratings of {len(clips)} utterances of 4 speakers (offset and slope per scale); "
        f"{len(usual_of)} clips of learners without their ratings (what is usual)",
        measured=tuple(rows), limits=LIMITS,
    )  # fmt: skip
    options.out.joinpath("rating.safetensors").write_bytes(weights)
    options.out.joinpath("rating.json").write_text(json.dumps(asdict(card), indent=1) + "\n")
    print(f"{len(weights)} bytes, SHA-256 {card.sha256}")


if __name__ == "__main__":
    main()
