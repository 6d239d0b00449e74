"""The page: whole in itself, safe against what servers write, and the drawing in it true to time."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.cli.assessment.golden import FREE, SENTENCE
from tests.cli.people import RATE_HZ, say
from voicestream.cli.assessment.answer import read_result
from voicestream.cli.assessment.drawing import draw
from voicestream.cli.assessment.finding import Finding, Utterance, Word
from voicestream.cli.assessment.page import page
from voicestream.cli.assessment.sound import mp3, pitch
from voicestream.cli.recording import Recording
from voicestream.dsp.pcm import to_int16

NO_PITCH = np.empty(0, np.float32)


def recording(seconds: float) -> Recording:
    return Recording(to_int16(say(1, 1, seconds)), RATE_HZ)


def spoken(*words: Word) -> Finding:
    return Finding((), (Utterance(words),))


def rows(drawing: str) -> list[ElementTree.Element]:
    """The drawing's rows, without the hatching; it is XML."""
    return [row for row in ElementTree.fromstring(f"<x>{drawing}</x>") if row.get("class") == "row"]


def find(row: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [element for element in row.iter() if (element.get("class") or "").split(" ")[0] == kind]


class Structure(HTMLParser):
    """Tags that stay open, and every address of the page."""

    VOID = ("meta", "br", "path", "rect")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> Iterator[str]:
        return (value for _, given, value in self.attributes if given == name)


@pytest.fixture(scope="module")
def html() -> str:
    return page("talk.wav", read_result(FREE), recording(2.4))


def test_the_page_needs_nothing_else(html: str) -> None:
    structure = Structure(html)
    assert structure.open == []
    assert all(source.startswith("data:audio/mpeg;base64,") for source in structure.values("src"))
    assert not list(structure.values("href"))
    assert re.findall(r"(?:https?:|//)[\w.]+", re.sub(r"<script>.*</script>|data:\S+", "", html, flags=re.DOTALL)) == []


def test_the_policy_allows_this_script_and_no_other(html: str) -> None:
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_every_word_is_reachable_and_described_by_its_sounds(html: str) -> None:
    structure = Structure(html)
    described = list(structure.values("aria-describedby"))
    assert len(described) == 5
    assert set(described) <= set(structure.values("id"))
    assert "ɹ→l<small>12</small>" in html


def hostile(told: object) -> object:
    """The same answer with markup in every text."""
    match told:
        case dict():
            return {name: hostile(value) for name, value in told.items()}
        case list():
            return [hostile(value) for value in told]
        case str():
            return f"<img src=x>\"'</script>{told}"
    return told


@pytest.mark.parametrize("told", [FREE, {"utterance": [SENTENCE["utterance"][0] | {"inserted_words": ["and"]}]}])
def test_what_a_server_writes_is_text(told: object) -> None:
    structure = Structure(page("<b>.wav", read_result(hostile(told)), recording(2.4)))
    assert "img" not in {tag for tag, _, _ in structure.attributes}
    assert structure.open == []


def test_an_assessment_without_words_is_a_page_too() -> None:
    assert "No words." in page("x", Finding((), ()), Recording(np.zeros(0, np.int16), 8000))


def test_the_recording_can_be_heard() -> None:
    from voicestream.codecs.containers import decode_file

    sound = recording(2.4)
    samples, rate_hz = decode_file(mp3(sound))
    assert rate_hz == 16_000
    assert len(samples) / rate_hz == pytest.approx(2.4, abs=0.1)


def test_pitch_is_that_of_the_voice() -> None:
    time_s = np.arange(8000) / 8000
    buzz = sum(np.cos(2 * np.pi * 140 * k * time_s) / k for k in range(1, 8))
    assert np.nanmedian(pitch(Recording((4000 * buzz).astype(np.int16), 8000))) == pytest.approx(140, rel=0.02)


# ---- the drawing


def test_times_are_places() -> None:
    words = [Word("a", 90.0, "good", span_s=(1.0, 2.0)), Word("b", 30.0, "poor", span_s=(3.0, 3.5))]
    (row,) = rows(draw(replace(spoken(*words), told_pauses=((2.0, 3.0),)), recording(4.0), NO_PITCH))
    (pause,) = find(row, "pause")
    ticks = {text.text: float(text.get("x") or "nan") for text in find(row, "time")}
    assert list(ticks) == ["0 s", "1 s", "2 s", "3 s", "4 s"]
    assert float(pause.get("x") or "nan") == pytest.approx(ticks["2 s"], abs=0.1)
    assert float(pause.get("width") or "nan") == pytest.approx(ticks["3 s"] - ticks["2 s"], abs=0.1)
    assert [length.text for length in find(row, "length")] == ["1.0 s"]
    names = {text.text: float(text.get("x") or "nan") for group in find(row, "spoken") for text in group.iter("text")}
    assert names["a"] == pytest.approx((ticks["1 s"] + ticks["2 s"]) / 2, abs=0.1)


def test_a_long_recording_is_read_in_rows_that_break_between_words() -> None:
    words = [Word(f"w{number}", 90.0, "good", span_s=(0.7 * number, 0.7 * number + 0.6)) for number in range(40)]
    drawn = rows(draw(spoken(*words), recording(28.0), NO_PITCH))
    assert len(drawn) == 4
    names = [text.text for row in drawn for group in find(row, "spoken") for text in group.iter("text")]
    assert names == [word.text for word in words]  # each once
    assert sum(len(find(row, "under")) for row in drawn) == len(words)  # and none in two rows
    assert [len(find(row, "wave")) for row in drawn] == [1] * 4


def test_a_row_does_not_break_where_words_overlap() -> None:
    spans_s = [(8.0, 9.5), (9.2, 9.6), (9.8, 11.0)]
    words = [Word("w", 90.0, "good", span_s=span_s) for span_s in spans_s]
    first, _ = rows(draw(spoken(*words), recording(18.0), NO_PITCH))
    assert (first.get("aria-label") or "").startswith("0.0 to 9.7 seconds: 2 words")


def test_a_word_over_the_end_of_a_row_is_named_once() -> None:
    drawn = rows(draw(spoken(Word("long", 90.0, "good", span_s=(1.0, 19.0))), recording(20.0), NO_PITCH))
    assert len(drawn) == 3
    assert [len(find(row, "under")) for row in drawn] == [1, 1, 1]
    assert sum(len(find(row, "spoken")) for row in drawn) == 1


def test_words_close_together_stand_above_each_other() -> None:
    words = [Word("unfortunately", 90.0, "good", span_s=(0.1 * number, 0.1 * number + 0.09)) for number in range(3)]
    (row,) = rows(draw(spoken(*words), recording(8.0), NO_PITCH))
    texts = [text for group in find(row, "spoken") for text in group.iter("text")]
    assert len({text.get("y") for text in texts}) == 3


def test_pitch_is_drawn_where_there_is_voice_and_high_is_up() -> None:
    pitch_hz = np.full(400, np.nan, np.float32)
    pitch_hz[50:150], pitch_hz[200:300], pitch_hz[350:351] = 100.0, 200.0, 150.0
    (row,) = rows(draw(spoken(), recording(4.0), pitch_hz))
    low, high = (re.findall(r"[\d.]+ ([\d.]+)", line.get("d") or "") for line in find(row, "pitch"))
    assert len(low) == len(high) == 100
    assert min(map(float, low)) > max(map(float, high))
    assert [text.text for text in find(row, "hz")]


def test_the_waveform_is_as_loud_as_the_recording() -> None:
    samples = np.zeros(8000, np.int16)
    samples[4000:] = 20_000
    samples[6000] = -20_000
    (row,) = rows(draw(spoken(), Recording(samples, 8000), NO_PITCH))
    heights = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", find(row, "wave")[0].get("d") or "")]
    top = heights[: len(heights) // 2]
    assert {round(height) for height in top[:200]} == {48}  # the middle
    assert {round(height) for height in top[-200:]} == {2}
    assert max(heights) == pytest.approx(94.0)


@pytest.mark.parametrize("seconds", [0.001, 0.02, 1.0, 7.9, 10.1, 61.0])
def test_any_length_is_drawn_without_a_gap(seconds: float) -> None:
    drawing = draw(spoken(), recording(seconds), NO_PITCH)
    spans = [(row.get("aria-label") or "").split(" seconds")[0].split(" to ") for row in rows(drawing)]
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert float(spans[-1][1]) == pytest.approx(seconds, abs=0.06)
    assert "nan" not in drawing
