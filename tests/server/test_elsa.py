"""ELSA's streams as a whole: door, dialect, listening, recognition and links, on a virtual clock."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.assessment.fake_assessor import FakeAssessor, assessed
from tests.assessment.house import AT, CONFIG, END, FREE, SCRIPTED, START, Samples, house, packets, rest, say, told, wav
from tests.transport.live import HOST
from voicestream import errors
from voicestream.errors import ASSESSMENT_LATE, PeerError
from voicestream.protocols import elsa_scripted

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
        assert [run.sentences for run in visited.assessor.runs] == [("pizza party",)] * 2
        assert visited.outcomes() == {"success": 2}


async def test_the_sentence_that_was_said_wins(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(said="two")) as visited:
        async with visited.visit(elsa_scripted.ALIAS) as websocket:
            for message in (START.replace('"pizza party"', '["one","two","three"]'), wav(voice), END):
                await websocket.send_message(message)
            told_last = [await told(websocket) for _ in range(4)][-1]
        utterance = told_last["data"]["utterance"][0]
        assert (utterance["sentence"], utterance["sentence_id"]) == ("two", 1)
        assert [run.samples.tobytes() for run in visited.assessor.runs] == [voice.tobytes()]  # recognised once


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


async def test_the_server_finishes_when_the_sentence_is_said(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(SCRIPTED) as websocket:
            await websocket.send_message(START)
            await websocket.send_message(wav(np.concatenate((voice[:40000], np.zeros(16000 * 6, np.int16)))))
            texts = [await told(websocket) for _ in range(5)]
        assert [text["type"] for text in texts[2:]] == ["ELSA:audioACK", "ELSA:stopped_listening", "ELSA:decoding_result"]
        assert texts[-1]["data"]["total_time"] < 8.0
        assert "partial_error" not in texts[-1]["data"]


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


@pytest.mark.parametrize("path, first, last", [(FREE, CONFIG, "failed"), (SCRIPTED, START, "ELSA:error")])
async def test_a_stream_in_which_audio_trickles_gives_its_place_back(
    tmp_path: Path, path: str, first: str, last: str, autojump_clock: MockClock
) -> None:
    with house(tmp_path, FakeAssessor(places=1)) as visited:
        began = trio.current_time()
        async with visited.visit(path) as websocket:
            await websocket.send_message(first)
            for _ in range(3):
                await trio.sleep(29.0)
                await websocket.send_message(wav(np.zeros(160, np.int16)))
            while (text := await told(websocket)).get("status", text.get("type")) != last:
                pass
        assert trio.current_time() - began == pytest.approx(90.0, abs=0.1)
        assert visited.assessor.going_on == []


async def test_recognition_that_takes_for_ever_is_given_up(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(wait_s=1000.0)) as visited:
        began = trio.current_time()
        texts, code = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1], code) == ({"status": "failed", "reason": "timeout"}, 1000)
        assert trio.current_time() - began == pytest.approx(120.0, abs=0.1)
        assert visited.outcomes() == {"failed": 1}


@pytest.mark.parametrize("path, opening", [(FREE, CONFIG), (SCRIPTED, START)])
async def test_a_stream_that_is_configured_twice_has_failed(tmp_path: Path, path: str, opening: str, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        await say(visited, opening, opening, path=path)
        assert visited.outcomes() == {"failed": 1}


async def test_what_was_given_up_is_not_told_to_the_next_stream(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(wait_s=130.0)) as visited:
        async with visited.visit(SCRIPTED) as websocket:
            for message in (START, wav(voice), END):
                await websocket.send_message(message)
            texts = [await told(websocket) for _ in range(4)]
            assert texts[-1] == {"type": "ELSA:error", "message": ASSESSMENT_LATE.sentence}
            await websocket.send_message(START)
            assert (await told(websocket))["type"] == "ELSA:start_stream_result"
            await trio.sleep(20.0)  # the first would be ready by now
            await websocket.send_message(wav(voice[:8000]))
            assert (await told(websocket))["type"] == "ELSA:audioACK"
        assert visited.assessor.runs[0].cancelled


@pytest.mark.parametrize(
    "fault, reason",
    [
        (errors.OVERLOADED, "busy"), (errors.ASSESSMENT_BUSY, "busy"), (errors.WORKER_SLOW, "timeout"),
        (errors.TOO_LONG_TO_ALIGN, "audio_too_long"), (errors.WORKER_DIED, "server_error"), (errors.WORKER_DEFECT, "server_error"),
        (errors.WORKER_MISSING, "server_error"), (errors.TRANSCRIBER_MISSING, "server_error"), (errors.INTERNAL, "server_error"),
    ],
)  # fmt: skip
async def test_recognition_that_fails_is_told(tmp_path: Path, voice: Samples, fault: Any, reason: str, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(error=PeerError(fault))) as visited:
        texts, code = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1], code) == ({"status": "failed", "reason": reason}, 1000)


async def test_a_mistake_of_our_own_is_told_and_logged(tmp_path: Path, voice: Samples, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(error=RuntimeError("ours"))) as visited, capture_logs() as entries:
        texts, code = await say(visited, CONFIG, wav(voice), END)
        assert (texts[-1], code) == ({"status": "failed", "reason": "server_error"}, 1000)
        assert [(entry["event"], entry["log_level"]) for entry in entries] == [("assessment failed", "error")]
        assert visited.outcomes() == {"failed": 1}


async def test_who_finds_nobody_to_recognise_is_told_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path, FakeAssessor(places=0)) as visited:
        texts, code = await say(visited, CONFIG)
        assert (texts[-1], code) == ({"status": "failed", "reason": "busy"}, 1000)
        assert visited.outcomes() == {"failed": 1}


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


def test_the_rule_of_the_fake_depends_on_every_sample() -> None:
    one = np.full(16000, 1000, np.int16)
    other = one.copy()
    other[-1] = 9000
    assert assessed(one, None) != assessed(other, None)
