"""ELSA's streams as a whole: door, dialect, listening, recognition and links, on a virtual clock."""

import io
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
from numpy.typing import NDArray
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from tests.assessment.fake_assessor import FakeAssessor, assessed
from tests.assessment.house import AT, CONFIG, END, HOST, House, house, rest, told
from tests.clients.speech import people
from voicestream.cli.prompt import FOLDER
from voicestream.errors import INTERNAL, OVERLOADED, PeerError
from voicestream.protocols import elsa, elsa_scripted
from voicestream.server.job_runner import JobRunner
from voicestream.server.metrics import Metrics

FREE, SCRIPTED = elsa.PATH, elsa_scripted.PATH
START = '{"type":"ELSA:start_stream","data":{"stream_info":{"api_plan":"standard","sentence":"pizza party"}}}'
Samples = NDArray[np.int16]


@pytest.fixture(scope="module")
def voice() -> Samples:
    """(n,) int16 at 16 kHz: 4 s of somebody who speaks."""
    found = people()
    if not found:
        pytest.skip(f"no recorded people in {FOLDER}: scripts/test installs them")
    return np.asarray(found[0].at("test", 16000)[: 16000 * 4])


def wav(samples: Samples, rate_hz: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, "PCM_16", format="WAV")
    return file.getvalue()


def packets(samples: Samples) -> list[bytes]:
    """As the official clients cut a file: each half second with a header of its own."""
    return [wav(samples[begin : begin + 8000]) for begin in range(0, len(samples), 8000)]


async def say(visited: House, *messages: str | bytes, path: str = FREE) -> tuple[list[dict[str, Any]], int]:
    """Say all of it at once, then read to the end."""
    async with visited.visit(path) as websocket:
        with suppress(ConnectionClosed):  # we may have heard enough
            for message in messages:
                await websocket.send_message(message)
        return await rest(websocket)


# ---- the exchange


async def test_a_stream_from_its_configuration_to_its_links(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(wait_s=3.0)) as visited:
        async with visited.visit(FREE) as websocket:
            await websocket.send_message(CONFIG)
            processing = await told(websocket)
            assert (processing["status"], processing["stream_id"][:2]) == ("processing", "s-")
            for packet in packets(voice):
                await websocket.send_message(packet)
            await websocket.send_message(END)
            assert await told(websocket) == {"status": "processing", "message": "Finished receiving audio"}
            began = trio.current_time()
            ((success,), code) = await rest(websocket)
        assert (success["status"], code, trio.current_time() - began) == ("success", 1000, 3.0)
        (run,) = visited.assessor.runs
        assert run.samples.tobytes() == voice.tobytes()  # no header is heard, no sample is missing
        link = success["result_link"].removeprefix(f"http://{HOST}/api/v1/results/")
        recording = success["audio_link"].removeprefix(f"http://{HOST}/api/v1/audios/")
        kept = visited.results.result(link, AT)
        assert kept is not None
        assert b'"transcript":"w' in kept
        kept_wav = visited.results.audio(recording, AT)
        assert kept_wav is not None
        assert np.array_equal(soundfile.read(io.BytesIO(kept_wav), dtype="int16")[0], voice)
        assert visited.outcomes() == {"success": 1}


async def test_a_given_sentence_and_another_behind_it(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(SCRIPTED) as websocket:
            assert await told(websocket) == {"type": "ELSA:wsConnect"}
            for _ in range(2):
                await websocket.send_message(START)
                assert (await told(websocket))["type"] == "ELSA:start_stream_result"
                await websocket.send_message(wav(voice))
                await websocket.send_message(END)
                assert (await told(websocket))["type"] == "ELSA:audioACK"
                result = await told(websocket)
                assert result["data"]["utterance"][0]["sentence"] == "pizza party"
                assert await told(websocket) == {"type": "ELSA:ready"}
        assert [run.sentence for run in visited.assessor.runs] == ["pizza party"] * 2
        assert visited.outcomes() == {"success": 2}


async def test_the_sentence_that_was_said_wins(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(said="two")) as visited:
        async with visited.visit(elsa_scripted.ALIAS) as websocket:
            for message in (START.replace('"pizza party"', '["one","two","three"]'), wav(voice), END):
                await websocket.send_message(message)
            told_last = [await told(websocket) for _ in range(4)][-1]
        assert told_last["data"]["utterance"][0]["sentence"] == "two"
        assert [run.heard[0].tobytes() for run in visited.assessor.runs] == [voice.tobytes()] * 3


async def test_links_alone_and_no_audio_kept(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, assessment_audio=False) as visited:
        texts, _ = await say(visited, '{"api_plan":"standard"}', wav(voice), END)
        assert set(texts[-1]) == {"status", "result_link", "audio_link", "partial_error"}
        assert (texts[-1]["audio_link"], texts[-1]["partial_error"]) == ("", "too_short")


async def test_links_are_the_public_urls_where_there_is_one(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, public_url="https://speech.example") as visited:
        texts, _ = await say(visited, CONFIG, wav(voice), END)
        assert texts[-1]["result_link"].startswith("https://speech.example/api/v1/results/")


async def test_the_server_finishes_when_the_speaker_has(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    quiet = np.zeros(16000 * 5, np.int16)
    with house(tmp_path) as visited:
        texts, code = await say(visited, CONFIG, *packets(np.concatenate((voice, voice, quiet, voice))), END, END, b"late")
        assert [text["status"] for text in texts] == ["processing", "processing", "success"]
        assert code == 1000
        (run,) = visited.assessor.runs
        assert 2 * len(voice) + 16000 * 3.5 <= len(run.samples) <= 2 * len(voice) + len(quiet)


async def test_what_is_too_long_is_cut_and_scored(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    long = np.concatenate([voice] * 16)  # 64 s
    with house(tmp_path) as visited:
        texts, _ = await say(visited, CONFIG, *packets(long), END)
        assert (texts[-1]["status"], texts[-1]["partial_error"]) == ("success", "too_long")
        assert len(visited.assessor.runs[0].samples) == 16000 * 60


async def test_a_poor_recording_is_told_before_its_result(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    clipped = np.clip(20 * voice.astype(np.int32), -16000, 16000).astype(np.int16)
    with house(tmp_path) as visited:
        texts, _ = await say(visited, CONFIG, wav(clipped), END)
        assert texts[2] == {"status": "bad_quality", "reason": "clipped"}
        assert (texts[3]["status"], texts[3]["recording_quality"], texts[3]["assessment_quality"]) == ("success", "clipped", "low")


# ---- bad input (issue 5), each with its status

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
        assert (texts[-1]["status"], texts[-1].get("partial_error", texts[-1].get("reason"))) in (
            ("success", "too_short"), ("failed", "no_audio"),
        )  # fmt: skip


@pytest.mark.parametrize("size", [700, 16_044, 70_000])
async def test_packets_may_be_cut_anywhere(tmp_path: Path, voice: Samples, size: int) -> None:
    data = wav(voice)
    with house(tmp_path, runner=JobRunner(2, 5.0, Metrics("0", {}))) as visited:  # large packets go to threads
        texts, _ = await say(visited, CONFIG, *[data[begin : begin + size] for begin in range(0, len(data), size)], END)
        assert texts[-1]["status"] == "success"
        assert visited.assessor.runs[0].samples.tobytes() == voice.tobytes()


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


# ---- time, trouble, and those who leave


async def test_a_stream_that_stalls_is_scored_when_there_is_enough(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        began = trio.current_time()
        texts, _ = await say(visited, CONFIG, wav(voice))
        assert [text["status"] for text in texts] == ["processing", "processing", "success"]
        assert trio.current_time() - began == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize("messages, patience_s", [((), 10.0), ((CONFIG,), 30.0), ((CONFIG, wav(np.zeros(16000, np.int16))), 30.0)])
async def test_a_stream_that_stalls_without_speech_fails(
    tmp_path: Path, messages: tuple[str | bytes, ...], patience_s: float, autojump_clock: MockClock
) -> None:
    with house(tmp_path) as visited:
        began = trio.current_time()
        texts, code = await say(visited, *messages)
        assert (texts[-1], code) == ({"status": "failed", "reason": "timeout"}, 1000)
        assert trio.current_time() - began == pytest.approx(patience_s, abs=0.1)


async def test_recognition_that_takes_for_ever_is_given_up(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(wait_s=1000.0)) as visited:
        began = trio.current_time()
        texts, code = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1], code) == ({"status": "failed", "reason": "timeout"}, 1000)
        assert trio.current_time() - began == pytest.approx(120.0, abs=0.1)


@pytest.mark.parametrize("fault, reason", [(OVERLOADED, "busy"), (INTERNAL, "server_error")])
async def test_recognition_that_fails_is_told(tmp_path: Path, voice: Samples, fault: Any, reason: str, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(error=PeerError(fault))) as visited:
        texts, code = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1], code) == ({"status": "failed", "reason": reason}, 1000)


async def test_who_finds_nobody_to_recognise_is_told_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(places=0)) as visited:
        texts, code = await say(visited, CONFIG)
        assert (texts[-1], code) == ({"status": "failed", "reason": "busy"}, 1000)
        assert visited.outcomes() == {"failed": 1}


async def test_of_several_sentences_all_find_somebody_or_none(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(places=1)) as visited:
        async with visited.visit(SCRIPTED) as websocket:
            await websocket.send_message(START.replace('"pizza party"', '["one","two"]'))
            texts = [await told(websocket) for _ in range(3)]
        assert texts[-1] == {"type": "ELSA:error", "message": OVERLOADED.sentence}
        assert [run.cancelled for run in visited.assessor.runs] == [True]


@pytest.mark.parametrize("messages", [(CONFIG,), (CONFIG, END)])
async def test_a_client_that_leaves_is_recognised_no_further(
    tmp_path: Path, voice: Samples, messages: tuple[str, ...], autojump_clock: MockClock
) -> None:
    with house(tmp_path, FakeAssessor(wait_s=50.0)) as visited:
        async with visited.visit(FREE) as websocket:
            await websocket.send_message(messages[0])
            await websocket.send_message(wav(voice))
            for message in messages[1:]:
                await websocket.send_message(message)
            await wait_all_tasks_blocked()
            assert len(visited.assessor.going_on) == 1
        await wait_all_tasks_blocked()
        assert [run.cancelled for run in visited.assessor.runs] == [True]
        assert visited.outcomes() == {"cancelled": 1}
        assert trio.current_time() < 49.0


async def test_in_a_drain_a_result_on_its_way_comes_and_a_stream_is_told(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(wait_s=5.0)) as visited:
        async with visited.visit(FREE) as scored, visited.visit(FREE) as heard:
            for message in (CONFIG, wav(voice), END):
                await scored.send_message(message)
            await heard.send_message(CONFIG)
            await wait_all_tasks_blocked()
            visited.drain()
            texts, code = await rest(heard)
            assert (texts[-1], code) == ({"status": "failed", "reason": "busy"}, 1001)
            texts, code = await rest(scored)
            assert (texts[-1]["status"], code) == ("success", 1000)


async def test_a_disk_that_is_full_costs_the_links_and_not_the_result(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        (tmp_path / "assessments").write_text("no folder")
        texts, _ = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1]["status"], texts[-1]["result_link"], texts[-1]["recording_quality"]) == ("success", "", "ok")
        texts, _ = await say(visited, '{"api_plan":"standard"}', wav(voice), END)
        assert texts[-1] == {"status": "failed", "reason": "server_error"}


# ---- the door


@pytest.mark.parametrize("scheme", ["ELSA", "Elsa", "elsa", "Bearer", "BEARER"])
async def test_the_token_comes_in_several_spellings(tmp_path: Path, scheme: str, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(FREE, ("Authorization", f"{scheme} {visited.key}"), ("Origin", "http://foreign.example")) as websocket:
            await websocket.send_message(CONFIG)
            assert (await told(websocket))["status"] == "processing"


async def refusal(visited: House, path: str, *fields: str) -> bytes:
    """What an upgrade with these header fields is answered."""
    head = [f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    head += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields, "", ""]
    answer = b""
    async with visited.stream() as stream:
        await stream.send_all("\r\n".join(head).encode())
        while data := await stream.receive_some():
            answer += data
    return answer


@pytest.mark.parametrize("path", [FREE, SCRIPTED, elsa_scripted.ALIAS])
async def test_without_a_token_nobody_comes_in(tmp_path: Path, path: str, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        key = visited.key
        for value in ("", "ELSA", "ELSA wrong", f"Basic {key}", key, f"ELSA {key}x", f"ELSA {key} {key}", f"ELSA {key}, ELSA {key}"):
            answer = await refusal(visited, path, f"Authorization: {value}")
            assert answer.startswith(b"HTTP/1.1 401 "), value
        for offer in ("elsa.", "elsa.wrong", f"{key}", f"Elsa.{key}", f'elsa."{key}"'):
            assert (await refusal(visited, path, f"Sec-WebSocket-Protocol: {offer}")).startswith(b"HTTP/1.1 401 "), offer
        assert (await refusal(visited, path)).startswith(b"HTTP/1.1 401 ")


async def test_a_browser_shows_its_token_as_a_subprotocol(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(FREE, subprotocols=["chat", f"elsa.{visited.key}"]) as websocket:
            assert websocket.subprotocol == f"elsa.{visited.key}"
            await websocket.send_message(CONFIG)
            assert (await told(websocket))["status"] == "processing"


async def test_a_refusal_is_told_in_the_familys_own_words(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        head, _, body = (await refusal(visited, FREE, "Authorization: ELSA secret")).partition(b"\r\n\r\n")
        assert b"WWW-Authenticate: ELSA" in head
        assert body == b'{"error": {"code": 2126, "message": "Not authorized", "errors": ["token missing or not good"]}}'


def test_the_rule_of_the_fake_depends_on_every_sample() -> None:
    one = np.full(16000, 1000, np.int16)
    other = one.copy()
    other[-1] = 9000
    assert assessed(one, None) != assessed(other, None)
