"""Summaries and signal-to-noise ratio over HTTP."""

import httpx
import numpy as np
import pytest

from tests.http.recording import pcm16, speech, wav

SUMMARY = "/speech_summary_engine/get_speech_summary"
VOICE = speech(4)


async def summary(client: httpx.AsyncClient, samples: np.ndarray, rate_hz: int) -> dict[str, object]:
    answer = await client.post(f"{SUMMARY}_from_samples?sample_rate={rate_hz}", content=pcm16(samples))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("rate_hz", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000])
async def test_every_whole_frame_is_labelled_at_every_rate(client: httpx.AsyncClient, rate_hz: int) -> None:
    told = await summary(client, speech(3.1, rate_hz), rate_hz)
    count = round(3.1 * rate_hz)
    assert len(told["vad_result"]["frames"]) == 100 * count // (3 * rate_hz)  # type: ignore[index]
    assert told["total_length"] == float(np.float32(count / rate_hz))
    assert sum(told["vad_result"]["frames"]) > 40  # type: ignore[index]


async def test_the_published_figures_of_a_silent_file(client: httpx.AsyncClient) -> None:
    told = await summary(client, np.zeros(210_152, np.float32), 16000)
    assert told["background_length"] == 13.109999656677246
    assert told["total_length"] == 13.134499549865723
    assert told["speech_signal_length"] == 0.0
    assert [event["is_voice"] for event in told["speech_events"]] == [False]  # type: ignore[index, attr-defined]


async def test_the_shape_and_spelling_of_a_summary(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{SUMMARY}_from_file", files={"audio_file": wav(VOICE)})
    told = answer.json()
    assert list(told) == ["background_length", "speech_signal_length", "total_length", "vad_result", "speech_events"]
    assert " " not in answer.text
    events = told["speech_events"]
    starts = [event["audio_interval"]["start_sample"] for event in events]
    ends = [event["audio_interval"]["end_sample"] for event in events]
    assert starts == [0, *ends[:-1]]
    assert ends[-1] == len(told["vad_result"]["frames"]) * 480


async def test_a_file_and_its_samples_give_one_summary(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{SUMMARY}_from_file", files={"wav_file": wav(VOICE)})
    assert answer.json() == await summary(client, VOICE, 16000)


async def test_a_wav_file_posted_as_samples_is_read_with_its_own_rate(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{SUMMARY}_from_samples?sample_rate=48000", content=wav(VOICE))
    assert answer.json() == await summary(client, VOICE, 16000)


async def test_stereo_is_averaged(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{SUMMARY}_from_file", files={"audio_file": wav(np.stack([VOICE, VOICE], axis=1))})
    assert answer.json() == await summary(client, VOICE, 16000)


@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_16"), ("AIFF", "PCM_16"), ("WAV", "ULAW"), ("OGG", "VORBIS")])
async def test_other_containers(client: httpx.AsyncClient, container: str, subtype: str) -> None:
    file = wav(VOICE, container=container, subtype=subtype)
    answer = await client.post(f"{SUMMARY}_from_file", files={"audio_file": ("x", file, "application/x-whatever")})
    assert answer.status_code == 200
    plain = await summary(client, VOICE, 16000)
    assert abs(answer.json()["speech_signal_length"] - plain["speech_signal_length"]) < 0.2  # type: ignore[operator]


async def test_noise_lowers_the_ratio(client: httpx.AsyncClient) -> None:
    noise = np.random.default_rng(3).standard_normal(len(VOICE)).astype(np.float32)
    clean = await client.post("/snr_computer/compute_with_samples?sample_rate=16000", content=pcm16(VOICE))
    noisy = await client.post("/snr_computer/compute_with_file", files={"audio_file": wav(VOICE + 0.01 * noise)})
    assert isinstance(clean.json(), float)
    assert clean.json() > noisy.json() + 6
