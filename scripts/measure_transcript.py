"""How often the transcriber errs: python -m scripts.measure_transcript DATA_FOLDER [SHARED_FOLDER].

Word error rate over words of the text, without case and punctuation, in one piece and cut as a stream is, of
  - learners: `eval/pronunciation` of the shared folder, 30 sentences of 4 speakers whose first language is Mandarin
  - a native speaker on the telephone: the English prompts of Debian's asterisk-core-sounds-en-wav of four words and more, 8 kHz
  - those prompts one after another, in recordings of up to 30 s
  - with --texts: the learners of `eval/background`, three clips of each, and all of theirs one after another; the file has a
    line for each clip, its name and what is said, as `train/text` and `test/text` of jimbozhang/speechocean762 do
and the processor time per second of speech, on one thread.
"""

import argparse
import csv
import gzip
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from scripts.assessment.stream import streamed
from scripts.edit_distance import edit_distance
from voicestream.dsp.pcm import to_float
from voicestream.dsp.resample import Resampler
from voicestream.models.speech.transcriber import LONGEST_S, RATE_HZ, load

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
FEWEST_WORDS = 4
CLIPS_EACH = 3
PAUSES_S = (0.3, 0.6, 1.2)  # between clips of a recording, in turn


Samples = NDArray[np.float32]


class Clip(NamedTuple):
    text: str
    samples: Samples


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


def read(path: Path) -> Samples:
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz == RATE_HZ:
        return samples
    resampler = Resampler(rate_hz, RATE_HZ)
    return np.concatenate((resampler.feed(samples), resampler.flush()))


def others(shared: Path, texts: Path) -> Iterator[list[Clip]]:
    """Clips of learners, speaker by speaker."""
    told = dict(line.split("\t", 1) for line in texts.read_text(encoding="utf-8").splitlines())
    for folder in sorted((shared / "eval" / "background" / "speechocean762").iterdir()):
        yield [Clip(told[path.stem], read(path)) for path in sorted(folder.glob("*.flac"))]


def joined(clips: Iterable[Clip]) -> Iterator[Clip]:
    """Recordings of as many clips, with pauses after them, as there is room for."""
    texts, parts, room = list[str](), list[Samples](), LONGEST_S
    for clip in clips:
        pause = np.zeros(int(PAUSES_S[len(texts) % len(PAUSES_S)] * RATE_HZ), np.float32)
        length_s = (len(clip.samples) + len(pause)) / RATE_HZ
        if length_s > room and texts:
            yield Clip(" ".join(texts), np.concatenate(parts))
            texts, parts, room = [], [], LONGEST_S
        if length_s <= room:
            texts.append(clip.text)
            parts += [clip.samples, pause]
            room -= length_s
    if texts:
        yield Clip(" ".join(texts), np.concatenate(parts))


def pieces(samples: Samples) -> list[Samples]:
    """Those that a recording is cut into while it comes in."""
    _, segments = streamed(np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16))
    return [to_float(segment.samples) for segment in segments]


def words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.casefold().replace("’", "'")).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_folder", type=Path)
    parser.add_argument("shared", type=Path, nargs="?", default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--texts", type=Path, help="what the clips of other learners say")
    options = parser.parse_args()
    transcriber = load(options.data_folder)
    heard = {"learners": list(learners(options.shared)), "telephone prompts": list(prompts())}
    heard["prompts, joined"] = list(joined(heard["telephone prompts"]))
    if options.texts is not None:
        speakers = list(others(options.shared, options.texts))
        heard["other learners"] = [clip for clips in speakers for clip in clips[:CLIPS_EACH]]
        heard["other learners, joined"] = [clip for clips in speakers[::CLIPS_EACH] for clip in [*joined(clips)][:1]]
    for name, clips in heard.items():
        for way, cut in (("in one piece", lambda samples: [samples]), ("as a stream", pieces)):
            wrong = total = 0
            heard_s = spent_s = 0.0
            for text, samples in clips:
                if len(samples) > LONGEST_S * RATE_HZ:
                    continue
                parts = cut(samples)
                began = time.process_time()
                found = [word for part in parts for word in words(transcriber.transcribe(part).text)]
                spent_s += time.process_time() - began
                heard_s += len(samples) / RATE_HZ
                wrong += edit_distance(words(text), found)
                total += len(words(text))
            print(
                f"{name}, {way}: {100 * wrong / total:.1f} % of {total} words wrong, "
                f"{spent_s / heard_s:.4f} s of CPU per second of {heard_s:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
