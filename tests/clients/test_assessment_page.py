"""The page of an assessment in a browser, from a file: nothing is refused by its policy, words can be heard, sounds read by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Page, expect

from tests.cli.assessment.golden import FREE
from tests.cli.people import RATE_HZ, say
from tests.clients import chromium
from voicestream.cli.assessment.answer import read_result
from voicestream.cli.assessment.page import page
from voicestream.cli.recording import Recording
from voicestream.dsp.pcm import to_int16

if not chromium.PATH.exists():
    pytest.skip("no Chromium", allow_module_level=True)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "talk.html").write_text(page("talk.wav", read_result(FREE), Recording(to_int16(say(1, 1, 2.4)), RATE_HZ)))
    complaints: list[str] = []
    with chromium.browsers(None) as (browser,):
        view = browser.new_page()
        view.on("console", lambda message: complaints.append(message.text))
        view.on("pageerror", lambda error: complaints.append(str(error)))
        view.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
        view.goto((tmp_path / "talk.html").as_uri())
        yield view
    assert complaints == []


def test_sounds_of_a_word_come_by_pointer_and_by_keyboard_and_go_with_escape(opened: Page) -> None:
    word = opened.get_by_role("button", name="market")
    sounds = opened.locator(f"#{word.get_attribute('aria-describedby')}")
    expect(sounds).to_be_hidden()
    word.hover()
    expect(sounds).to_be_visible()
    expect(sounds).to_contain_text("ɹ→l")
    opened.keyboard.press("Escape")
    expect(sounds).to_be_hidden()
    opened.mouse.move(0, 0)
    for _ in range(5):
        opened.keyboard.press("Tab")
    expect(word).to_be_focused()
    expect(sounds).to_be_visible()


def test_a_word_is_played_from_its_start_to_its_end(opened: Page) -> None:
    opened.get_by_role("button", name="market").click()
    expect(opened.locator(".playing")).to_have_count(2)  # in the text, and in the drawing
    expect(opened.locator(".playing")).to_have_count(0, timeout=60_000)
    at_s, paused = opened.evaluate("[document.querySelector('audio').currentTime, document.querySelector('audio').paused]")
    assert paused
    assert at_s >= 2.04


def test_words_and_drawing_fit_narrow_screens(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 700})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(opened: Page, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3) for the words in each of their colours."""
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    colours = opened.evaluate(
        """['good', 'fair', 'poor'].map((band) => getComputedStyle(document.querySelector(`.word.${band} .text`)).color)
           .concat(getComputedStyle(document.querySelector('.quiet')).color, getComputedStyle(document.body).backgroundColor)"""
    )
    *inks, paper = (luminance([int(part) for part in colour[4:-1].split(",")]) for colour in colours)
    for ink in inks:
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5


def luminance(rgb: list[int]) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    red, green, blue = (part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
