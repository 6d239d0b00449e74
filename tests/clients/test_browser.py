"""Six endpoints through a page of the vendor's kind in Chromium, whose microphone hears a recorded person: four people, four rates."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page

from tests.clients import chromium
from tests.clients.lockstep import enrol, wav
from tests.clients.speech import Person

PAGE = Path(__file__).resolve().parent / "page"
# Who speaks to which page: four whom the model tells apart in twenty seconds (test_lockstep.py tries all people, with more speech).
NAMES = {8000: "Carlo", 16000: "Ivrvoice", 44100: "Armelle", 48000: "Es-co"}
OPUS_RATES_HZ = (8000, 16000, 48000)
STREAMS = {"endpoint": 3, "summary": 1, "verify": 4, "other 1": 4, "other 2": 4, "other 3": 4}  # and their parameters
WINDOWS = 8  # as many as the 10 s of memory hold
HEARD = f"""() => {{
    const streams = Object.keys(answers).filter((name) => /verify|other/.test(name));
    return streams.length > 0 && streams.every((name) => answers[name].join().split("score").length > {WINDOWS});
}}"""


@dataclass
class Talk:
    """What one page was told: the answers to audio, parsed, by stream."""

    rate_hz: int
    answers: dict[str, list[Any]]

    def probability(self, name: str) -> float:
        """Of the last window."""
        *_, last = (window for windows in self.answers[name] for window in windows)
        return float(last["verify_result"]["probability"])


@pytest.fixture(scope="module")
def talks(port: int, crowd: list[Person], tmp_path_factory: pytest.TempPathFactory) -> list[Talk]:
    """All pages at once, because a microphone takes its time."""
    if not chromium.PATH.exists():
        pytest.skip(f"no {chromium.PATH}: scripts/test installs it")
    speakers = {person.name: person for person in crowd}
    if missing := set(NAMES.values()) - speakers.keys():
        pytest.skip(f"no recordings of {', '.join(sorted(missing))}: scripts/test installs them")
    templates = {name: enrol(port, speakers[name].enrol, 8000) for name in NAMES.values()}
    folder = tmp_path_factory.mktemp("microphone")
    files = [folder / f"{name}.wav" for name in NAMES.values()]
    for file in files:
        file.write_bytes(wav(speakers[file.stem].at("test", 48000), 48000))

    def open_page(browser: BrowserContext, url: str, rate_hz: int) -> Page:
        others = [template for name, template in templates.items() if name != NAMES[rate_hz]]
        query = [("server", f"127.0.0.1:{port}"), ("rate", str(rate_hz)), ("enrol_s", "12"), *(("other", other) for other in others)]
        page = browser.new_page()
        page.goto(f"{url}/?{urlencode(query)}")
        return page

    with chromium.site(PAGE) as url, chromium.browsers(*files) as opened:
        pages = [open_page(browser, url, rate_hz) for browser, rate_hz in zip(opened, NAMES, strict=True)]
        for page in pages:
            page.wait_for_function(HEARD)
        return [Talk(rate_hz, _told(page)) for page, rate_hz in zip(pages, NAMES, strict=True)]


def _told(page: Page) -> dict[str, list[Any]]:
    answers: dict[str, list[str]] = page.evaluate("answers")
    counts = {name: STREAMS[name.removesuffix("_opus")] for name in answers}
    assert all(texts[: counts[name]] == ["200"] * counts[name] for name, texts in answers.items())
    return {name: [json.loads(text) for text in texts[counts[name] :]] for name, texts in answers.items()}


def test_all_endpoints_were_open(talks: list[Talk]) -> None:
    for talk in talks:
        suffixes = ("", "_opus") if talk.rate_hz in OPUS_RATES_HZ else ("",)
        assert set(talk.answers) == {f"{name}{suffix}" for name in STREAMS for suffix in suffixes}


def test_utterances_begin_and_end(talks: list[Talk]) -> None:
    for talk in talks:
        for name in talk.answers.keys() & {"endpoint", "endpoint_opus"}:
            assert set(talk.answers[name]) == {True, False}


def test_every_sample_is_counted_and_most_of_them_are_speech(talks: list[Talk]) -> None:
    for talk in talks:
        for name, message_samples in (("summary", 4096), ("summary_opus", talk.rate_hz // 50)):
            if name in talk.answers:
                summary = talk.answers[name][-1]["current_speech_summary"]
                assert summary["total_length"] == np.float32(len(talk.answers[name]) * message_samples / talk.rate_hz)
                assert 0.4 < summary["speech_signal_length"] / summary["total_length"] < 0.95


def test_the_voice_is_known_and_no_other_is_taken_for_it(talks: list[Talk]) -> None:
    for talk in talks:
        for name in talk.answers:
            if name.startswith("verify"):
                assert talk.probability(name) > 0.9, (talk.rate_hz, name)
            elif name.startswith("other"):
                assert talk.probability(name) < 0.1, (talk.rate_hz, name)
