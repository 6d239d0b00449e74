"""What was said: samples in, words with how sure the network is of each.

samples ─► encoder: a row of 288 numbers per 24 ms ─► decoder: one token after another ─► the likeliest text ─► words

The decoder is asked once per token and remembers by being handed back the keys and values it gave before. `WIDTH` texts are
followed side by side (beam search), since the likeliest next token often begins a text that turns out unlikely. Word times
are not the network's business: the aligner finds them. `scripts/measure_transcript.py` measures how often it errs.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import TRANSCRIBER_MISSING, PeerError
from voicestream.models.speech.moonshine import BUNDLE, DECODER, ENCODER, TOKENS
from voicestream.models.speech.token import END, START, begins_word, is_text, read_tokens, spell

Samples: TypeAlias = NDArray[np.float32]

RATE_HZ: Final = 16000
SHORTEST_S: Final = 1.0  # a shorter piece is followed by silence: the network was trained on longer ones
LONGEST_S: Final = 30.0  # of one call; beyond it the network was not trained
WIDTH: Final = 2  # texts followed at once: of learners 38.0 % of the words go wrong, with one 39.7 %, for a quarter more time
_TOKENS_PER_S: Final = 6.5  # that its makers allow: a network caught in a loop must end
_HEADS, _HEAD_WIDTH = 8, 36


class SpokenWord(NamedTuple):
    """One word as it is written, with its punctuation. confidence: 0..1, of the token the network was least sure of."""

    text: str
    confidence: float


class Transcript(NamedTuple):
    """Words in order; `text` is them with spaces between."""

    words: tuple[SpokenWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class _Text(NamedTuple):
    """Tokens so far, and the natural logarithm of each one's probability; END is counted and not kept."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.log_probabilities)

    @property
    def mean(self) -> float:
        """By which texts of different length are compared."""
        return self.total / len(self.log_probabilities)


class Transcriber:
    """The network, loaded once; calls may come from several threads."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Files as `moonshine.BUNDLE` names them; PeerError VS2165 when onnxruntime is not installed."""
        self._table = read_tokens(files[TOKENS])
        self._encoder = _session(files[ENCODER])
        self._decoder = _session(files[DECODER])
        names = [output.name for output in self._decoder.get_outputs()]
        self._first = [name for name in names if name != "logits"]  # the encoder's keys and values are told once
        self._later = [name for name in self._first if ".decoder." in name]

    def transcribe(self, samples: Samples) -> Transcript:
        """Samples (n,) float32 in -1..1 at 16 kHz, at most 30 s -> words; none when the network hears none."""
        if len(samples) > LONGEST_S * RATE_HZ:
            raise ValueError(f"{len(samples) / RATE_HZ:.1f} s in one piece")
        text = self._decode(samples)
        return _words(text.tokens, text.log_probabilities[: len(text.tokens)], self._table)

    def _decode(self, samples: Samples) -> _Text:
        """The text whose tokens are likeliest on average, of those that were followed to their end."""
        heard = np.zeros((1, max(len(samples), int(SHORTEST_S * RATE_HZ))), np.float32)
        heard[0, : len(samples)] = samples
        mask = np.ones(heard.shape, np.int64)  # of samples; the decoder thins it out to its own rows
        (rows,) = self._encoder.run(None, {"input_values": heard, "attention_mask": mask})
        told: dict[str, Any] = {"encoder_attention_mask": mask, "encoder_hidden_states": rows}
        told |= {_past(name): np.zeros((1, _HEADS, 0, _HEAD_WIDTH), np.float32) for name in self._first}
        under_way, ended = [_Text((), ())], list[_Text]()
        for step in range(1 + int(_TOKENS_PER_S * heard.shape[1] / RATE_HZ)):
            names = self._later if step else self._first
            last = [text.tokens[-1:] or (START,) for text in under_way]
            told |= {"input_ids": np.array(last, np.int64), "use_cache_branch": np.array([step > 0])}
            logits, *memory = self._decoder.run(["logits", *names], told)
            told |= zip(map(_past, names), memory, strict=True)
            under_way, parents, finished = _continued(under_way, logits[:, -1])
            ended += finished
            if len(ended) >= WIDTH:
                break
            self._follow(told, parents)
        return max(ended or under_way, key=lambda text: text.mean)

    def _follow(self, told: dict[str, Any], parents: Sequence[int]) -> None:
        """Hand each text the memory of the one that it goes on from; what was heard is the same for all."""
        if parents == list(range(len(told["encoder_hidden_states"]))):
            return
        own = {_past(name) for name in self._later}
        for name in ("encoder_attention_mask", "encoder_hidden_states", *map(_past, self._first)):
            if name in own or len(told[name]) != len(parents):
                told[name] = told[name][parents]


def _past(present: str) -> str:
    return present.replace("present", "past_key_values")


def _continued(texts: Sequence[_Text], logits: NDArray[np.float32]) -> tuple[list[_Text], list[int], list[_Text]]:
    """The `WIDTH` likeliest texts by the logits (texts, tokens) of what comes next, the place of each one's parent, and texts that end."""
    top = logits.max(axis=1, keepdims=True)
    log_probabilities = logits - top - np.log(np.exp(logits - top, dtype=np.float64).sum(axis=1, keepdims=True))
    best = np.argpartition(-log_probabilities, WIDTH, axis=1)[:, : WIDTH + 1]  # one of them may be the end
    choices = [
        (text.total + log_probabilities[place, token], place, int(token)) for place, text in enumerate(texts) for token in best[place]
    ]
    under_way, parents, ended = list[_Text](), list[int](), list[_Text]()
    for _, place, token in sorted(choices, reverse=True):
        tokens, so_far = texts[place]
        known = (*so_far, float(log_probabilities[place, token]))
        if token == END:
            ended.append(_Text(tokens, known))
            continue
        under_way.append(_Text((*tokens, token), known))
        parents.append(place)
        if len(under_way) == WIDTH:
            break
    return under_way, parents, ended


def _words(tokens: Sequence[int], log_probabilities: Sequence[float], table: Sequence[bytes]) -> Transcript:
    pieces: list[list[int]] = []
    worst: list[float] = []
    for token, log_probability in zip(tokens, log_probabilities, strict=True):
        if not is_text(token, table):
            continue
        if begins_word(token, table) or not pieces:
            pieces.append([])
            worst.append(0.0)
        pieces[-1].append(token)
        worst[-1] = min(worst[-1], log_probability)
    spelt = ((spell(piece, table), float(np.exp(low))) for piece, low in zip(pieces, worst, strict=True))
    # A piece may hold a space inside, and one of signs alone is no word but belongs to nobody.
    return Transcript(tuple(SpokenWord(word, sure) for text, sure in spelt for word in text.split() if any(map(str.isalnum, word))))


def _session(model: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise PeerError(TRANSCRIBER_MISSING, "onnxruntime") from None
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def load(data_folder: Path | None) -> Transcriber:
    """The transcriber installed in a data folder, read once; PeerError VS3040, VS3041 or VS2165."""
    return Transcriber(BUNDLE.installed(data_folder))
