"""What may go wrong with the audio of a stream (issue 5), each with its status."""

import io
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from tests.assessment.house import CONFIG, END, FREE, SCRIPTED, START, Here, Samples, T, house, packets, rest, say, told, wav
from voicestream.server.job_runner import JobRunner
from voicestream.server.metrics import Metrics

MUSIC = (9000 * np.sign(np.sin(2 * np.pi * 440 * np.arange(16000 * 4) / 16000))).astype(np.int16)
REFUSED = [{"status": "processing", "message": "Finished receiving audio"}, {"status": "bad_quality", "reason": "no_speech"},
           {"status": "failed", "reason": "no_audio"}]  # fmt: skip


@pytest.mark.parametrize("samples", [np.zeros(16000 * 4, np.int16), MUSIC], ids=["silence", "music"])
async def test_where_nobody_speaks_there_is_no_score(tmp_path: Path, samples: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        texts, code = await say(visited, CONFIG, *packets(samples), END)
        assert (texts[1:], code, visited.outcomes()) == (REFUSED, 1000, {"failed": 1})


async def test_a_sentence_that_nobody_said(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(SCRIPTED) as websocket:
            for message in (START, wav(np.zeros(16000, np.int16)), END):
                await websocket.send_message(message)
            texts = [await told(websocket) for _ in range(6)]
        assert [text["type"][5:] for text in texts] == [
            "wsConnect", "start_stream_result", "audioACK", "warning", "decoding_result", "ready",
        ]  # fmt: skip
        assert texts[4]["data"]["utterance"][0]["attempt_type"] == "UNSPOKEN"


async def test_half_a_second_of_speech_is_scored_as_too_short(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    loudest = int(np.argmax(np.convolve(np.abs(voice.astype(float)), np.ones(8000), "valid")))
    with house(tmp_path) as visited:
        texts, _ = await say(visited, CONFIG, wav(voice[loudest : loudest + 8000]), END)
        assert (texts[-1]["status"], texts[-1]["partial_error"], texts[-1]["recording_quality"]) == ("success", "too_short", "ok")


@pytest.mark.parametrize("size", [700, 16_044, 70_000])
async def test_packets_may_be_cut_anywhere(tmp_path: Path, voice: Samples, size: int) -> None:
    data = wav(voice)
    with house(tmp_path, runner=JobRunner(2, 5.0, Metrics("0", {}))) as visited:  # large packets go to threads
        texts, _ = await say(visited, CONFIG, *[data[begin : begin + size] for begin in range(0, len(data), size)], END)
        assert texts[-1]["status"] == "success"
        assert visited.assessor.runs[0].samples.tobytes() == voice.tobytes()


class Threads(Here):
    """Counts what would have gone to a thread."""

    count = 0

    async def run(self, work: Callable[[], T], model: str) -> T:
        self.count += 1
        return await super().run(work, model)


@pytest.mark.parametrize("kind, threads", [("WAV", 0), ("OGG", 4)])
async def test_compressed_packets_are_heard_in_threads_however_small(
    tmp_path: Path, voice: Samples, kind: str, threads: int, autojump_clock: MockClock
) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(16000 * 55, np.int16) if kind == "OGG" else voice[:8000], 16000, format=kind)
    data, runner = file.getvalue(), Threads()
    with house(tmp_path, runner=runner) as visited:
        async with visited.visit(FREE) as websocket:
            await websocket.send_message(CONFIG)
            for at in range(4):
                await websocket.send_message(data[at * len(data) // 4 : (at + 1) * len(data) // 4])
            await wait_all_tasks_blocked()
        assert len(data) < 20_000
        assert runner.count == threads


async def test_a_header_that_lies_loses_nothing(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    for size in (0, 100, 0xFFFFFFFF):
        data = bytearray(wav(voice))
        data[40:44] = size.to_bytes(4, "little")
        with house(tmp_path) as visited:
            texts, _ = await say(visited, CONFIG, bytes(data[:50_000]), bytes(data[50_000:100_000]), bytes(data[100_000:]), END)
            assert texts[-1]["status"] == "success"
            assert visited.assessor.runs[0].samples.tobytes() == voice.tobytes()


@pytest.mark.parametrize("first", [bytes(16000), b"OggS" + bytes(100), wav(MUSIC).replace(b"fmt ", b"oops")])
async def test_what_is_no_audio_fails(tmp_path: Path, first: bytes, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        texts, code = await say(visited, CONFIG, first, first, END)
        assert (texts[-1], code) == ({"status": "failed", "reason": "unsupported_format"}, 1000)
        assert visited.outcomes() == {"failed": 1}


async def test_an_end_without_audio_fails(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        texts, code = await say(visited, CONFIG, END, END)
        assert (texts[-1], code) == ({"status": "failed", "reason": "no_audio"}, 1000)


@pytest.mark.parametrize("messages", [(b"audio",), (END,), ('{"api_plan":"gold"}',), (CONFIG, CONFIG)])
async def test_out_of_order_fails(tmp_path: Path, messages: tuple[str | bytes, ...], autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        texts, code = await say(visited, *messages)
        assert (texts[-1], code) == ({"status": "failed", "reason": "invalid_config"}, 1000)


async def test_a_packet_of_thirty_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with house(tmp_path) as visited, trio.fail_after(60):
        async with visited.visit(FREE) as websocket:
            await websocket.send_message(CONFIG)
            await told(websocket)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(_push, websocket, bytes(30 << 20)))
                assert (await rest(websocket))[1] == 1009
                nursery.cancel_scope.cancel()


async def _push(websocket: Any, message: bytes) -> None:
    with suppress(ConnectionClosed, trio.BrokenResourceError):
        await websocket.send_message(message)
