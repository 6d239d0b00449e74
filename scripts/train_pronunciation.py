"""Train the score of a sound: scripts/train_pronunciation.py DATA_FOLDER [--out FOLDER].

DATA_FOLDER holds `pronunciation/` (phones rated by five experts). Beside it stand words with known mistakes by espeak-ng
(`pronunciation/mistake.py`). One logistic regression learns both, hard regularised: four speakers are few. What the card
says is measured on speakers, or on words and voices, that were left out. Writes pronunciation.safetensors and .json.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scripts.pronunciation.mistake import Pair, utterances
from voicestream.codecs.containers import decode_file
from voicestream.models.card import Card, Measurement
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.cepstrum import dithered, features
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.package import JOINT_SHA256
from voicestream.models.speech.pronunciation import MEASURES, Evidence, Pronunciation, leads, measures, suspicion
from voicestream.models.speech.substitution import alternatives
from voicestream.models.weights import Array, sha256_of, write_weights

PRIOR, PRIOR_SPREAD = 5, 12.0  # sounds of no lead and this deviation, nats, that are counted beside those heard
LARGEST_LEAD, FAR_BEHIND = 80.0, 20.0  # nats
STRENGTH = 0.02  # of the pull of the weights to zero, per phone of weight
SYNTHETIC = 0.5  # how much all synthetic phones weigh beside all rated ones
FALSE_ALARMS = 0.05  # of synthetic right sounds that the threshold allows in training


class Rated(NamedTuple):
    """A phone that people rated, 0..2."""

    speaker: str
    utterance: str
    evidence: Evidence
    rating: float


class Controlled(NamedTuple):
    """The sound of a word that was, or was not, exchanged."""

    pair: Pair
    wrong: bool
    evidence: Evidence
    others: tuple[Evidence, ...]  # of the right sounds around it


@dataclass(frozen=True)
class Fit:
    """A trained model and the arrays of its file."""

    arrays: dict[str, Array]
    names: tuple[str, ...]

    def lead(self, one: Evidence) -> NDArray[np.float64]:
        return leads(one, self.names, self.arrays["usual"], self.arrays["spread"])

    def score(self, found: Sequence[Evidence]) -> NDArray[np.float64]:
        """0..100 of each."""
        x = np.array([measures(one, self.lead(one)) for one in found])
        z = (x - self.arrays["mean"]) / self.arrays["scale"]
        return 100 / (1 + np.exp(-(z @ self.arrays["weight"] + self.arrays["offset"][0])))  # type: ignore[no-any-return]


def rated(folder: Path, aligner: Aligner) -> list[Rated]:
    """Evidence of every rated phone; the sounds expected are those that the experts were given."""
    found = []
    for row in csv.DictReader((folder / "scores.tsv").open(), delimiter="\t"):
        if not row["phone_scores"]:
            continue
        ratings = [float(value) for word in row["phone_scores"].split(";") for value in word.split()[1:]]
        ways = [[tuple(phone.rstrip("012") for phone in word.split())] for word in row["phones"].split(";")]
        samples, rate_hz = decode_file((folder / row["speaker"] / f"{row['id']}.flac").read_bytes())
        assert rate_hz == 16000
        heard = features(dithered(samples))
        evidence = list(aligner.evidence(heard, aligner.segments(heard, ways)))
        found += [Rated(row["speaker"], row["id"], one, rating) for one, rating in zip(evidence, ratings, strict=True)]
    return found


def controlled(aligner: Aligner, *, tested: bool) -> list[Controlled]:
    """Evidence of the sound that is exchanged in each word, right and wrong."""
    words = lexicon()
    found = []
    for utterance in utterances(tested=tested):
        meant = [way for way in words.ways(utterance.word) if utterance.pair.expected in way]
        ways = [words.ways("say"), meant, words.ways("again")]
        heard = features(dithered(utterance.samples))
        aligned = aligner.segments(heard, ways)
        spoken = [place.word for place in aligned.places if place.word >= 0]
        evidence = list(aligner.evidence(heard, aligned))
        at = next(at for at, word in enumerate(spoken) if word == 1 and evidence[at].phone == utterance.pair.expected)
        others = tuple(one for number, one in enumerate(evidence) if number != at)
        found.append(Controlled(utterance.pair, utterance.wrong, evidence[at], others))
    return found


def fitted(x: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]) -> dict[str, Array]:
    """Logistic regression on targets 0..1."""
    mean = (weight[:, None] * x).sum(0) / weight.sum()
    scale = np.sqrt((weight[:, None] * (x - mean) ** 2).sum(0) / weight.sum())
    z = np.column_stack(((x - mean) / scale, np.ones(len(x))))
    share = weight / weight.sum()

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        line = z @ w
        cost = float(share @ (np.logaddexp(0, line) - target * line) + STRENGTH * w[:-1] @ w[:-1])
        slope = z.T @ (share * (1 / (1 + np.exp(-line)) - target))
        slope[:-1] += 2 * STRENGTH * w[:-1]
        return cost, slope

    w = minimize(loss, np.zeros(MEASURES + 1), jac=True, method="L-BFGS-B").x
    named = {"mean": mean, "scale": scale, "weight": w[:-1], "offset": w[-1:]}
    return {name: array.astype(np.float32) for name, array in named.items()}


def usual_leads(right: Sequence[Evidence], names: Sequence[str]) -> dict[str, Array]:
    """How far each alternative leads over each phone that was said right: mean and deviation (names, names) float32."""
    usual, spread = np.zeros((2, len(names), len(names)))
    for row, phone in enumerate(names):
        lead = np.array([np.clip(one.alternatives, -LARGEST_LEAD, LARGEST_LEAD) for one in right if one.phone == phone])
        lead = lead.reshape(-1, len(names))
        usual[row] = lead.sum(axis=0) / (len(lead) + PRIOR)
        spread[row] = np.sqrt((((lead - usual[row]) ** 2).sum(axis=0) + PRIOR * PRIOR_SPREAD**2) / (len(lead) + PRIOR))
    # Far behind is far behind: a lead from there must not look like a great one.
    return {"usual": np.maximum(usual, -FAR_BEHIND).astype(np.float32), "spread": spread.astype(np.float32)}


def learnt(people: Sequence[Rated], machine: Sequence[Controlled], names: Sequence[str]) -> Fit:
    """The model of rated and synthetic phones together."""
    good = [one.evidence for one in people if one.rating >= 1.8]
    good += [one for word in machine if not word.wrong for one in (word.evidence, *word.others)]
    usual = usual_leads(good, names)
    x = np.array([measures(one.evidence, leads(one.evidence, names, **usual)) for one in (*people, *machine)])
    target = np.array([*(one.rating / 2 for one in people), *(0.0 if one.wrong else 1.0 for one in machine)])
    weight = np.concatenate((np.ones(len(people)), np.full(len(machine), SYNTHETIC * len(people) / len(machine))))
    return Fit({**fitted(x, target, weight), **usual}, tuple(names))


def auc(score: NDArray[np.float64], bad: NDArray[np.bool_]) -> float:
    """How often a badly rated phone scores lower than a well rated one."""
    lower = (score[bad][:, None] < score[~bad]).mean()
    return float(lower + (score[bad][:, None] == score[~bad]).mean() / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("voicestream/models/speech"))
    options = parser.parse_args()
    names = alternatives(acoustic_model().definition)
    zero = {"mean": np.zeros(MEASURES, np.float32), "scale": np.ones(MEASURES, np.float32)}
    usual = usual_leads([], names)
    blank = Pronunciation({**zero, "weight": zero["mean"], "offset": zero["mean"][:1], **usual}, 0.0, names)
    aligner = Aligner(acoustic_model(), lexicon(), blank)
    people = rated(options.data / "pronunciation", aligner)
    trained, tested = controlled(aligner, tested=False), controlled(aligner, tested=True)
    print(len(people), "rated phones,", len(trained), "and", len(tested), "synthetic ones", flush=True)

    speakers = sorted({one.speaker for one in people})
    score = np.empty(len(people))
    for speaker in speakers:
        own = np.array([one.speaker == speaker for one in people])
        model = learnt([one for one in people if one.speaker != speaker], trained, names)
        score[own] = model.score([one.evidence for one in people if one.speaker == speaker])
    rating = np.array([one.rating for one in people])
    phone_auc = auc(score, rating < 1)
    correlation = float(np.corrcoef(score, rating)[0, 1])
    for speaker in speakers:
        own = np.array([one.speaker == speaker for one in people])
        bad = rating[own] < 1
        print(f"{speaker} AUC {auc(score[own], bad) if bad.any() else float('nan'):.3f}, {bad.sum()} of {own.sum()} rated under 1")
    print(f"held-out speakers: AUC {phone_auc:.3f}, r {correlation:.3f}", flush=True)

    final = learnt(people, trained, names)
    right = [suspicion(one.evidence, final.lead(one.evidence), names) for one in trained if not one.wrong]
    threshold = round(float(np.quantile(right, 1 - FALSE_ALARMS)), 2)
    judge = Pronunciation(final.arrays, threshold, names)
    flagged, alarms, named = [], [], []
    for pair in dict.fromkeys(one.pair for one in tested):
        verdicts = [(one.wrong, judge.verdict(one.evidence)) for one in tested if one.pair == pair]
        hits = [verdict.said is not None for wrong, verdict in verdicts if wrong]
        false = [verdict.said is not None for wrong, verdict in verdicts if not wrong]
        right_name = [verdict.said == pair.said for wrong, verdict in verdicts if wrong]
        flagged += hits
        alarms += false
        named += right_name
        print(f"{pair.expected} {pair.said} flagged {np.mean(hits):.2f} alarms {np.mean(false):.2f} named {np.mean(right_name):.2f}")
    print(f"all: flagged {np.mean(flagged):.3f}, false alarms {np.mean(alarms):.3f}, named {np.mean(named):.3f}")

    data = write_weights(final.arrays)
    known = "speechocean762, speaker left out of training"
    held = "espeak-ng, words and voices left out of training"
    card = Card(
        name="pronunciation", version="1", kind="pronunciation", rate_hz=16000, dimension=MEASURES, sha256=sha256_of(data),
        licence="Apache-2.0", threshold=threshold,
        calibration="score: expected rating of experts, 0..100; "
        f"threshold: deviations of a lead, {FALSE_ALARMS:.0%} of right synthetic sounds",
        trained_on=f"{len(people)} phones of {len(speakers)} speakers of speechocean762 rated by five experts, {len(trained)} sounds by "
        f"espeak-ng; heard by CMU Sphinx en-us (BSD; SHA-256 of its files {JOINT_SHA256[:16]})",
        measured=(
            Measurement(known, f"{int((rating < 1).sum())} of {len(people)} phones rated under 1", "AUC", round(phone_auc, 3)),
            Measurement(known, "all phones", "Pearson r", round(correlation, 3)),
            Measurement(held, f"{len(flagged)} exchanged sounds", "flagged %", round(100 * float(np.mean(flagged)), 1)),
            Measurement(held, f"{len(alarms)} right sounds", "flagged %", round(100 * float(np.mean(alarms)), 1)),
            Measurement(held, f"{len(named)} exchanged sounds", "named right %", round(100 * float(np.mean(named)), 1)),
        ),
        limits="It misses more than a third of exchanged sounds, above all D for DH, EH for AE and R for L. Four rated speakers of one "
        "first language, 22 of the 25 badly rated phones by one: differences of 0.1 mean nothing. Synthetic mistakes are cleaner than "
        "people's. US English; a British or Indian accent is scored as if it were a mistake",
    )  # fmt: skip
    (options.out / "pronunciation.safetensors").write_bytes(data)
    (options.out / "pronunciation.json").write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
