"""Train letters to sounds: scripts/train_spelling.py [--out FOLDER] [--rounds N].

On the dictionary inside the installed pocketsphinx; every tenth word, chosen by a hash, is held out and measured. First
each letter is aligned with none, one or two phones by expectation maximisation, then the network and its table of
transitions learn together, as a conditional random field, by Adam.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.edit_distance import edit_distance
from voicestream.models.card import Card, Measurement
from voicestream.models.speech import package
from voicestream.models.speech.spelling import LETTERS, REACH, WIDTH, Spelling, windows
from voicestream.models.weights import Array, sha256_of, write_weights

HIDDEN, RARE = 256, 40
Word = tuple[str, tuple[str, ...]]


def words() -> list[Word]:
    """Words of letters alone, first pronunciation each."""
    found = []
    for line in package.model_file(package.DICTIONARY).decode("utf-8").splitlines():
        word, *phones = line.split()
        if set(word) <= set(LETTERS) and 1 < len(word) <= 30:
            found.append((word, tuple(phones)))
    return found


def held_out(word: str) -> bool:
    return hashlib.sha256(word.encode()).digest()[0] < 26


def aligned(pairs: list[Word], rounds: int = 5) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Which phones each letter stands for; words that cannot be cut into none, one or two per letter are left out."""
    price: dict[tuple[str, tuple[str, ...]], float] = {}
    found = []
    for _ in range(rounds):
        counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        found = []
        for word, phones in pairs:
            cuts = cut(word, phones, price)
            if cuts is not None:
                counts.update(zip(word, cuts, strict=True))
                found.append((word, cuts))
        letters = Counter(word_letter for (word_letter, _), n in counts.items() for _ in range(n))
        price = {key: -float(np.log(n / letters[key[0]])) for key, n in counts.items()}
    return found


def cut(word: str, phones: tuple[str, ...], price: dict[tuple[str, tuple[str, ...]], float]) -> list[tuple[str, ...]] | None:
    """The cheapest way to share the phones among the letters."""
    vowel = set("aeiouy'")
    best = {0: (0.0, None)}  # phones used: cost, way back
    rows = [best]
    for letter in word:
        following: dict[int, tuple[float, int | None]] = {}
        for used, (cost, _) in rows[-1].items():
            for count in (0, 1, 2):
                if used + count > len(phones):
                    break
                part = phones[used : used + count]
                if price:
                    step = price.get((letter, part), 12.0)
                else:  # the first guess: one each, vowels to vowels
                    step = (1.0, 0.0, 3.0)[count] + (count > 0 and (part[0][0] in "AEIOU") != (letter in vowel)) * 2.0
                if used + count not in following or cost + step < following[used + count][0]:
                    following[used + count] = (cost + step, used)
        rows.append(following)
    if len(phones) not in rows[-1]:
        return None
    at, cuts = len(phones), []
    for row in reversed(rows[1:]):
        before = row[at][1]
        assert before is not None
        cuts.append(phones[before:at])
        at = before
    return cuts[::-1]


class Trainer:
    """The network and its gradients, over words of one length at a time."""

    def __init__(self, choices: int, rng: np.random.Generator) -> None:
        inputs = (2 * REACH + 1) * WIDTH
        self.arrays: dict[str, Array] = {
            "first": rng.normal(0, 0.15, (inputs, HIDDEN)).astype(np.float32), "bias": np.zeros(HIDDEN, np.float32),
            "second": rng.normal(0, 0.06, (HIDDEN, choices)).astype(np.float32), "offset": np.zeros(choices, np.float32),
            "follow": np.zeros((choices + 1, choices), np.float32),
        }  # fmt: skip
        self._moments = {name: (np.zeros_like(array), np.zeros_like(array)) for name, array in self.arrays.items()}
        self._steps = 0

    def step(self, seen: NDArray[np.int64], wanted: NDArray[np.int64], rate: float) -> float:
        """seen (words, letters, 11), wanted (words, letters): one step of Adam; gives the loss per word."""
        arrays, (count, length) = self.arrays, wanted.shape
        hidden = arrays["first"][seen.reshape(-1, seen.shape[2])].sum(axis=1) + arrays["bias"]
        np.maximum(hidden, 0, out=hidden)
        scores = (hidden @ arrays["second"] + arrays["offset"]).reshape(count, length, -1)
        follow = arrays["follow"]
        moves = np.exp(follow[:-1] - follow[:-1].max())
        top = float(follow[:-1].max())
        forward, backward = np.empty_like(scores), np.zeros_like(scores)
        forward[:, 0] = scores[:, 0] + follow[-1]
        for t in range(1, length):
            high = forward[:, t - 1].max(axis=1, keepdims=True)
            forward[:, t] = np.log(np.exp(forward[:, t - 1] - high) @ moves + 1e-30) + high + top + scores[:, t]
        for t in range(length - 2, -1, -1):
            after = backward[:, t + 1] + scores[:, t + 1]
            high = after.max(axis=1, keepdims=True)
            backward[:, t] = np.log(np.exp(after - high) @ moves.T + 1e-30) + high + top
        high = forward[:, -1].max(axis=1)
        total = np.log(np.exp(forward[:, -1] - high[:, None]).sum(axis=1)) + high
        at, row = np.arange(count)[:, None], np.arange(length)[None]
        gradient = np.exp(forward + backward - total[:, None, None])
        d_follow = np.zeros_like(follow)
        d_follow[-1] = gradient[:, 0].sum(axis=0)
        for t in range(1, length):
            before = np.exp(forward[:, t - 1] - forward[:, t - 1].max(axis=1, keepdims=True))
            after = backward[:, t] + scores[:, t]
            shift = forward[:, t - 1].max(axis=1, keepdims=True) + top - total[:, None]
            d_follow[:-1] += (before.T @ np.exp(np.minimum(after + shift, 60))) * moves
        np.subtract.at(d_follow, (wanted[:, :-1], wanted[:, 1:]), 1)
        np.subtract.at(d_follow[-1], wanted[:, 0], 1)
        gold = scores[at, row, wanted].sum() + follow[wanted[:, :-1], wanted[:, 1:]].sum() + follow[-1, wanted[:, 0]].sum()
        gradient[at, row, wanted] -= 1
        flat = gradient.reshape(count * length, -1).astype(np.float32) / count
        d_hidden = (flat @ arrays["second"].T) * (hidden > 0)
        d_first = np.zeros_like(arrays["first"])
        rows = seen.reshape(-1, seen.shape[2])
        for place in range(rows.shape[1]):  # a place has few rows of its own: sums by a product of indicators
            own = rows[:, place] - place * WIDTH
            indicator = np.zeros((len(own), WIDTH), np.float32)
            indicator[np.arange(len(own)), own] = 1
            d_first[place * WIDTH : (place + 1) * WIDTH] = indicator.T @ d_hidden
        self._adam(
            {"first": d_first, "bias": d_hidden.sum(0), "second": hidden.T @ flat, "offset": flat.sum(0), "follow": d_follow / count}, rate
        )
        return float(total.sum() - gold) / count

    def _adam(self, gradients: dict[str, Array], rate: float) -> None:
        self._steps += 1
        for name, gradient in gradients.items():
            mean, square = self._moments[name]
            mean += 0.1 * (gradient - mean)
            square += 0.002 * (gradient**2 - square)
            bias = np.sqrt(1 - 0.998**self._steps) / (1 - 0.9**self._steps)
            self.arrays[name] -= (rate * bias * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)


def errors(spelling: Spelling, pairs: list[Word], dictionary: dict[str, set[tuple[str, ...]]]) -> tuple[float, float]:
    """Words said otherwise than any of their pronunciations, and phones wrong, each in percent."""
    wrong = edits = phones = 0
    for word, said in pairs:
        made = spelling.pronounce(word)
        wrong += made not in dictionary[word]
        edits += min(edit_distance(made, one) for one in dictionary[word])
        phones += len(said)
    return 100 * wrong / len(pairs), 100 * edits / phones


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("voicestream/models/speech"))
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    rng = np.random.default_rng(5)
    everything = words()
    dictionary: dict[str, set[tuple[str, ...]]] = {}
    for line in package.model_file(package.DICTIONARY).decode("utf-8").splitlines():
        word, *phones = line.split()
        dictionary.setdefault(word.split("(")[0], set()).add(tuple(phones))
    known = aligned([pair for pair in everything if not held_out(pair[0])])
    counts = Counter(choice for _, cuts in known for choice in cuts)
    choices = tuple(choice for choice, n in counts.most_common() if n >= RARE)
    number = {choice: index for index, choice in enumerate(choices)}
    by_length: dict[int, list[tuple[str, list[int]]]] = {}
    for word, cuts in known:
        if all(choice in number for choice in cuts):
            by_length.setdefault(len(word), []).append((word, [number[choice] for choice in cuts]))
    print(len(known), "words aligned,", len(choices), "choices", flush=True)
    trainer = Trainer(len(choices), rng)
    tested = [pair for pair in everything if held_out(pair[0])]
    for turn in range(options.rounds):
        batches = []
        for group in by_length.values():
            order = rng.permutation(len(group))
            batches += [[group[i] for i in order[at : at + 256]] for at in range(0, len(group), 256)]
        rng.shuffle(batches)  # type: ignore[arg-type]
        rate = 0.003 * (1 - turn / options.rounds) + 0.0001
        loss = 0.0
        for batch in batches:
            seen = np.stack([windows(word) for word, _ in batch])
            loss += trainer.step(seen, np.array([wanted for _, wanted in batch]), rate)
        sample = errors(Spelling(trainer.arrays, choices), tested[::10], dictionary)
        print(turn, round(loss / len(batches), 3), "word error {:.1f} %, phone error {:.1f} %".format(*sample), flush=True)
    kept = {name: array.astype(np.float16) for name, array in trainer.arrays.items()}
    final = Spelling({name: array.astype(np.float32) for name, array in kept.items()}, choices)
    word_error, phone_error = errors(final, tested, dictionary)
    data = write_weights(kept)
    condition = f"{len(tested)} held-out words"
    card = Card(
        name="spelling", version="1", kind="pronunciation", rate_hz=0, dimension=len(choices), sha256=sha256_of(data), licence="Apache-2.0",
        threshold=0.0, calibration="none", trained_on="the US English dictionary of pocketsphinx 5.1.1 (BSD), nine words in ten",
        measured=(
            Measurement("dictionary of pocketsphinx", condition, "word error %", round(word_error, 1)),
            Measurement("dictionary of pocketsphinx", condition, "phone error %", round(phone_error, 1)),
        ),
        limits="names and loan words are said as English would; abbreviations are said as words",
    )  # fmt: skip
    (options.out / "spelling.safetensors").write_bytes(data)
    (options.out / "spelling.txt").write_text("\n".join(" ".join(choice) for choice in choices), "utf-8")
    (options.out / "spelling.json").write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(card.measured)


if __name__ == "__main__":
    main()
