"""Moonshine tiny for English: the transcriber's network, its package and its card.

N. Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024,
https://github.com/moonshine-ai/moonshine. Of the package, whose later versions carry no weights, three files are kept;
its native code is neither installed nor run.
"""

from typing import Final

from voicestream.models.bundle import Bundle, Member
from voicestream.models.card import Card, Measurement

_ASSETS: Final = "moonshine_voice/assets/tiny-en"

ENCODER: Final = "encoder.ort"
DECODER: Final = "decoder.ort"
TOKENS: Final = "tokenizer.bin"

BUNDLE: Final = Bundle(
    model="moonshine", package="moonshine-voice", version="0.1.0", wheel_mb=56,
    members={
        ENCODER: Member(f"{_ASSETS}/encoder_model.ort", 13_281_600, "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"),
        DECODER: Member(
            f"{_ASSETS}/decoder_model_merged.ort", 30_412_256, "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"
        ),
        TOKENS: Member(f"{_ASSETS}/tokenizer.bin", 249_974, "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"),
    },
    licence="MIT",
)  # fmt: skip

CARD: Final = Card(
    name="moonshine",
    version="tiny-en",
    kind="transcript",
    rate_hz=16000,
    dimension=0,
    sha256=BUNDLE.sha256,
    licence=BUNDLE.licence,
    threshold=0.0,
    calibration="none: a word is as sure as the least probable of its tokens",
    trained_on="some 200,000 hours of English from the web, by its makers; not published",
    measured=(
        Measurement("pronunciation (30 sentences, 4 speakers whose first language is Mandarin)", "in one piece", "word error %", 37.6),
        Measurement("the same", "as a stream", "word error %", 40.3),
        Measurement("speechocean762, 279 clips of 93 such speakers", "in one piece", "word error %", 39.1),
        Measurement("the same", "as a stream", "word error %", 39.4),
        Measurement("31 such speakers, clips joined to 30 s", "in one piece", "word error %", 32.7),
        Measurement("the same", "as a stream", "word error %", 32.3),
        Measurement("English prompts of asterisk-core-sounds (one native speaker, 1690 words)", "8 kHz, in one piece", "word error %", 6.2),
        Measurement("the same prompts", "8 kHz, as a stream", "word error %", 5.9),
        Measurement("the same prompts, joined to 30 s", "8 kHz, as a stream", "word error %", 4.1),
        Measurement("the same prompts", "one core of a busy machine", "CPU s per s", 0.033),
    ),
    limits=("of learners two to three words in five are wrong, more of those who halt; English only; may invent words where nobody speaks"),
)
