"""A file or the microphone to a server and its assessment back, with what moves on the screen meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import trio

from voicestream.cli.assessment.conversation import Speech, converse
from voicestream.cli.assessment.talk import FreeTalk, Plan, SentenceTalk
from voicestream.cli.assessment.upload import followed, upload
from voicestream.cli.display import AssessmentDisplay
from voicestream.cli.interrupt import run
from voicestream.cli.microphone import RATE_HZ, microphone
from voicestream.cli.recording import Recording
from voicestream.cli.stream import paced
from voicestream.codecs.wav import write_wav

Via: TypeAlias = Literal["ws", "http"]

_PACKET_S: Final = 0.5  # as the official client cuts its files


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of which server. authorization: the header's value, "" for none; sentence: what is to be said, if given."""

    url: str
    authorization: str
    via: Via
    plan: Plan
    sentence: str | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """A server's answer, and the recording it had."""

    answer: dict[str, Any]
    recording: Recording
    unsent_s: float = 0.0  # of a file: the server had enough before


def ask(wish: Wish, recording: Recording, realtime: bool, as_json: bool) -> Assessed:
    """Assess a recording; ends the command where there is no assessment."""
    if wish.via == "http":
        return Assessed(_upload(wish, recording, as_json), recording)
    size = round(recording.rate_hz * _PACKET_S)
    pcm = (recording.samples[start : start + size].astype("<i2").tobytes() for start in range(0, len(recording.samples), size))
    packets = paced(pcm, _PACKET_S if realtime else None)
    assessed = _stream(wish, packets, recording.rate_hz, recording.duration_s, as_json)
    return Assessed(assessed.answer, assessed.recording, recording.duration_s - assessed.recording.duration_s)


def listen(wish: Wish, as_json: bool) -> Assessed:
    """Assess what somebody says into the microphone, until Ctrl-C or the server has enough."""
    if wish.via == "ws":
        return _stream(wish, microphone(), RATE_HZ, None, as_json)
    display = AssessmentDisplay(RATE_HZ, None, as_json)
    said = bytearray()
    hang_up = trio.Event()
    run(partial(_record, hang_up, said, display), display.progress, hang_up)
    recording = _recording(said, RATE_HZ)
    return Assessed(_upload(wish, recording, as_json), recording)


def _stream(wish: Wish, packets: AsyncGenerator[bytes], rate_hz: int, total_s: float | None, as_json: bool) -> Assessed:
    display = AssessmentDisplay(rate_hz, total_s, as_json)
    talk = FreeTalk(wish.plan) if wish.sentence is None else SentenceTalk(wish.sentence, wish.plan)
    said = bytearray()
    hang_up = trio.Event()

    def sent(pcm: bytes) -> None:
        said.extend(pcm)
        display.say(pcm)

    async def converse_and_follow() -> dict[str, Any]:
        speech = Speech(_until_over(packets, display.wait), rate_hz, hang_up, sent)
        told = await converse(wish.url, wish.authorization, talk, speech, display.tell)
        return await _follow(wish, told, as_json)

    return Assessed(run(converse_and_follow, display.progress, hang_up), _recording(said, rate_hz))


def _upload(wish: Wish, recording: Recording, as_json: bool) -> dict[str, Any]:
    display = AssessmentDisplay(recording.rate_hz, recording.duration_s, as_json)
    give_up = trio.Event()
    give_up.set()  # there is nothing to hang up

    async def send_and_follow() -> dict[str, Any]:
        pcm = recording.samples.astype("<i2").tobytes()
        display.say(pcm)
        display.wait()
        send = partial(upload, wish.url, wish.authorization, write_wav(pcm, recording.rate_hz), wish.plan, wish.sentence)
        told = await trio.to_thread.run_sync(send, abandon_on_cancel=True)
        if as_json:
            print(json.dumps(told))
        return await _follow(wish, told, as_json)

    return run(send_and_follow, display.progress, give_up)


async def _follow(wish: Wish, told: dict[str, Any], as_json: bool) -> dict[str, Any]:
    whole = await trio.to_thread.run_sync(followed, told, wish.url, wish.authorization, abandon_on_cancel=True)
    if as_json and whole is not told:
        print(json.dumps(whole))
    return whole


async def _record(hang_up: trio.Event, said: bytearray, display: AssessmentDisplay) -> bool:
    """The microphone into `said` until `hang_up`."""
    async with aclosing(microphone()) as messages:
        async for message in messages:
            said.extend(message)
            display.say(message)
            if hang_up.is_set():
                break
    return True


async def _until_over(packets: AsyncGenerator[bytes], over: Callable[[], None]) -> AsyncGenerator[bytes]:
    """The packets; `over` is called when no more of them is wanted, or there is none."""
    try:
        async with aclosing(packets):
            async for packet in packets:
                yield packet
    finally:
        over()


def _recording(pcm: bytearray, rate_hz: int) -> Recording:
    return Recording(np.frombuffer(bytes(pcm), "<i2").astype(np.int16), rate_hz)
