"""How often the transcriber errs: scripts/measure_transcript.py DATA_FOLDER [SHARED_FOLDER].

Word error rate, insertions, deletions and substitutions over words of the text, without case and punctuation, of
  - learners: `eval/pronunciation` of the shared folder, 30 sentences of 4 speakers whose first language is Mandarin
  - a native speaker on the telephone: the English prompts of Debian's asterisk-core-sounds-en-wav of four words and more, 8 kHz
and the processor time per second of speech, on one thread.
"""

import argparse
import csv
import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from voicestream.dsp.resample import Resampler
from voicestream.models.speech.transcriber import LONGEST_S, RATE_HZ, load

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
FEWEST_WORDS = 4


class Clip(NamedTuple):
    text: str
    samples: NDArray[np.float32]


def learners(shared: Path) -> Iterator[Clip]:
    folder = shared / "eval" / "pronunciation"
    with (folder / "scores.tsv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            yield Clip(row["text"], read(folder / row["speaker"] / f"{row['id']}.flac"))


def prompts() -> Iterator[Clip]:
    for line in gzip.decompress(PROMPT_TEXTS.read_bytes()).decode("utf-8", "replace").splitlines():
        name, _, text = line.partition(": ")
        path = PROMPTS / f"{name}.wav"
        if not line.startswith(";") and not re.search(r"[\[\]<>()0-9]", text) and len(words(text)) >= FEWEST_WORDS and path.is_file():
            yield Clip(text, read(path))


def read(path: Path) -> NDArray[np.float32]:
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz == RATE_HZ:
        return samples
    resampler = Resampler(rate_hz, RATE_HZ)
    return np.concatenate((resampler.feed(samples), resampler.flush()))


def words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.casefold().replace("’", "'")).split()


def errors(wanted: list[str], found: list[str]) -> int:
    """Levenshtein distance in words."""
    row = list(range(len(found) + 1))
    for at, word in enumerate(wanted, 1):
        before, row[0] = row[0], at
        for column, other in enumerate(found, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (word != other))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_folder", type=Path)
    parser.add_argument("shared", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared")
    options = parser.parse_args()
    transcriber = load(options.data_folder)
    for name, clips in (("learners", learners(options.shared)), ("telephone prompts", prompts())):
        wrong = total = 0
        heard_s = spent_s = 0.0
        for text, samples in clips:
            if len(samples) > LONGEST_S * RATE_HZ:
                continue
            began = time.process_time()
            transcript = transcriber.transcribe(samples)
            spent_s += time.process_time() - began
            heard_s += len(samples) / RATE_HZ
            wrong += errors(words(text), words(transcript.text))
            total += len(words(text))
        print(f"{name}: {100 * wrong / total:.1f} % of {total} words wrong, {spent_s / heard_s:.4f} s of CPU per second of {heard_s:.0f}")


if __name__ == "__main__":
    main()
