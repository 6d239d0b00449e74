"""Feed one target until it fails or has run often enough: python -m tests.fuzz.run TARGET [--executions N]

libFuzzer, through atheris, keeps what reaches new branches of our modules and goes on from there. At the end stand its
figures (exit status 0), or a traceback and the file with the input (status 77).
"""

import argparse
import re
import sys
from pathlib import Path

import atheris

FOLDER = Path("build/fuzz")  # what was found is where the next run begins


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Random bytes for the parsers, led by the branches they reach.")
    parser.add_argument("target", help="which one")
    parser.add_argument("--executions", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0: another one each time")
    parser.add_argument("--input", type=Path, help="run only this file, as a failure left it")
    arguments = parser.parse_args()
    with atheris.instrument_imports(include=["voicestream.protocols", "http_sf"], enable_loader_override=False):
        from tests.fuzz.target import TARGETS  # http_sf too: it is what reads the fields of signatures
    if arguments.target not in TARGETS:
        parser.error(f"no such target: {', '.join(TARGETS)}")
    target = TARGETS[arguments.target]
    if arguments.input:
        target.run(arguments.input.read_bytes())
        return
    folder = FOLDER / arguments.target
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f"{quoted(word)}\n" for word in dictionary(target.seeds, target.words)))
    options = [f"-runs={arguments.executions}", f"-seed={arguments.seed}", f"-dict={words}", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, f"-max_len={target.longest}", "-print_final_stats=1", "-verbosity=0", str(corpus)], target.run)
    atheris.Fuzz()


def dictionary(seeds: list[bytes], words: list[str]) -> list[bytes]:
    """What stands between quotes in the seeds, with its quotes, and the words."""
    found = {part for seed in seeds for part in re.findall(rb'"[^"]*"', seed)}
    return sorted(found | {word.encode() for word in words})


def quoted(word: bytes) -> str:
    """A line of a libFuzzer dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"'


if __name__ == "__main__":
    main()
