"""Calls as telephone networks bring them: a caller who speaks a sixth of the time, spelled as Twilio spells it.

prompts ─► turns between long pauses ─► mu-law ─► media messages, masked, ready to be sent
                                           └─► Collection ─► which message completes which status
"""

import base64
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.call_wire import text_frame
from voicestream.cli.prompt import speakers
from voicestream.dsp import g711
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.call import Inquiry
from voicestream.sessions.collection import Collection

RATE_HZ = 8000
MESSAGE_SAMPLES = 160
INTERVAL_S = MESSAGE_SAMPLES / RATE_HZ

_TURN_S = (1.2, 2.4)  # of speech, from one pause to the next
_PAUSE_S = (5.0, 16.0)  # in which the other side speaks
_HISS = 8.0  # standard deviation of a quiet line, int16: -72 dBFS
_STREAM = "MZ00112233445566778899aabbccddeeff"


@dataclass(frozen=True, eq=False)
class Script:
    """One call: its media messages, in order, as masked frames; `marks[k]`: index of the message that completes status k + 1."""

    frames: list[bytes]
    mulaw: bytes
    marks: list[int]
    ends: bool  # the last mark is enough: the server ends the stream there


def start_text(call_id: str) -> str:
    """The message `start` of a call."""
    media = {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1}
    account = "AC0123456789abcdef0123456789abcdef"
    start = {"accountSid": account, "streamSid": _STREAM, "callSid": call_id, "tracks": ["inbound"], "mediaFormat": media}
    return _spelled({"event": "start", "sequenceNumber": "1", "start": start | {"customParameters": {}}, "streamSid": _STREAM})


def scripts(count: int, seconds: float, wanted_s: float, make_front: MakeFront) -> list[Script]:
    """`count` calls of other people, words and pauses, each `seconds` long, as sessions that want `wanted_s` of voice hear them."""
    people = [np.concatenate((one.enrol.samples, one.test.samples)) for one in speakers()]
    if not people:
        raise LookupError("no recorded speech: apt-get install asterisk-core-sounds-en-wav")
    return [_script(_call(people[number % len(people)], seconds, number), wanted_s, make_front) for number in range(count)]


def _call(speech: NDArray[np.int16], seconds: float, seed: int) -> bytes:
    """`seconds` of mu-law: pieces of `speech`, from another place for every seed, with pauses between."""
    rng = np.random.default_rng(seed)
    length = round(seconds * RATE_HZ) // MESSAGE_SAMPLES * MESSAGE_SAMPLES
    line = rng.normal(0, _HISS, length)
    at, taken = round(rng.uniform(0.2, 2) * RATE_HZ), int(rng.integers(len(speech)))
    while at < length:
        turn = np.take(speech, np.arange(taken, taken + round(rng.uniform(*_TURN_S) * RATE_HZ)), mode="wrap")[: length - at]
        line[at : at + len(turn)] += turn
        taken += len(turn)
        at += len(turn) + round(rng.uniform(*_PAUSE_S) * RATE_HZ)
    return g711.mulaw_compress(np.clip(line, -32768, 32767).astype(np.int16))


def _script(mulaw: bytes, wanted_s: float, make_front: MakeFront) -> Script:
    messages = [mulaw[start : start + MESSAGE_SAMPLES] for start in range(0, len(mulaw), MESSAGE_SAMPLES)]
    collection = Collection(Inquiry("", "twilio", "mulaw", RATE_HZ, wanted_s, b"", 0.0), make_front)
    marks = [index for index, message in enumerate(messages) for _ in collection.feed(message)]
    return Script([_media_frame(index, message) for index, message in enumerate(messages)], mulaw, marks, collection.complete)


def _media_frame(index: int, payload: bytes) -> bytes:
    media = {"track": "inbound", "chunk": str(index + 1), "timestamp": str(index * 20), "payload": base64.b64encode(payload).decode()}
    return text_frame(_spelled({"event": "media", "sequenceNumber": str(index + 2), "media": media, "streamSid": _STREAM}))


def _spelled(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))
