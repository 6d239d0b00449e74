"""An assessment as one HTML page that needs nothing else: the recording, its drawing, style and script are in it.

Everything a server wrote is escaped, and the page's own policy lets nothing be loaded or run but what is here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from voicestream.cli.assessment.drawing import draw
from voicestream.cli.assessment.finding import LEVELS, Confusion, Finding, Score, Sound, Word
from voicestream.cli.assessment.printout import pause_facts, spelled
from voicestream.cli.assessment.sound import mp3, pitch
from voicestream.cli.recording import Recording

_HERE: Final = Path(__file__).parent
_MEANING: Final = {"poor": "wrong", "fair": "not quite right", "good": "right", "unknown": "not scored"}
_FLAWED: Final = "right but for a sound"


def page(title: str, finding: Finding, recording: Recording) -> str:
    """The page as text. title: whose or what recording it is."""
    return "".join(_page(title, finding, recording))


def _page(title: str, finding: Finding, recording: Recording) -> Iterator[str]:
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; media-src data:; script-src 'sha256-{digest}'"
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: speech assessment</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{(_HERE / 'page.css').read_text(encoding='utf-8')}</style></head><body>"
    yield f'<h1>{escape(title)}</h1><p class="lead">Speech assessment, {recording.duration_s:.1f} s</p>'
    if finding.sentence:
        yield f"<p>To be said: <q>{escape(finding.sentence)}</q></p>"
    yield from (f'<p class="note">{escape(note)}</p>' for note in finding.notes)
    if finding.scores:
        yield f'<ul class="scores">{"".join(map(_score, finding.scores))}</ul>'
    if finding.doubts_levels:
        yield f'<p class="legend quiet">{LEVELS}</p>'
    yield from _said(finding)
    yield from _seen(finding, recording)
    if finding.confusions:
        yield f'<h2>To practise</h2><div class="wide">{_practice(finding.confusions)}</div>'
    rows = [*finding.facts, *pause_facts(finding)]
    if rows:
        yield "<h2>Figures</h2><dl>"
        yield from (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
        yield "</dl>"
    yield f"<script>{script}</script></body></html>\n"


def _score(score: Score) -> str:
    words = ", ".join(filter(None, (score.decision, score.level)))
    if score.value is None:
        return f'<li class="unknown">{escape(score.name)}<b>–</b><small>not scored</small></li>'
    return (
        f'<li class="{score.band}">{escape(score.name)}<b>{score.value:.1f} <small>of 100</small></b>'
        f'<span class="track"><i style="width:{score.value:.1f}%"></i></span>{f"<small>{escape(words)}</small>" if words else ""}</li>'
    )


def _said(finding: Finding) -> Iterator[str]:
    yield "<h2>What was said</h2>"
    if not finding.utterances:
        yield f"<p>{escape(finding.transcript) or 'No words.'}</p>"
        return
    number = 0
    for utterance in finding.utterances:
        yield f'<div class="utterance"><span class="time">{utterance.clock}</span><div>'
        for word in utterance.words:
            number += 1
            yield _word(word, f"w{number}")
        yield "</div></div>"
    yield '<p class="legend quiet screen">Point at a word, or reach it with the Tab key, for its sounds; click it to hear it.</p>'
    yield '<p class="legend quiet">'
    for band, example, meaning in (("poor", "41", "wrong"), ("fair", "68", "not quite right"), ("good flawed", "", _FLAWED)):
        mark = f'<span class="word {band}"><span class="text">word</span><sup>{example}</sup></span>'
        yield f'<span class="entry">{mark} {meaning}</span> '
    yield '<span class="entry">ɹ→l: l was heard for ɹ</span> <span class="entry">ɹ→∅: ɹ was left out</span></p>'


def _word(word: Word, name: str) -> str:
    text = escape(word.text)
    if word.skipped:
        return f'<span class="word poor"><s class="text">{text}</s><sup>not said</sup></span>'
    score = f"<sup>{word.score:.0f}</sup>" if word.score is not None and word.band in ("fair", "poor") else ""
    place = "" if word.span_s is None else f' data-start="{word.span_s[0]:.3f}" data-end="{word.span_s[1]:.3f}"'
    sounds = "".join(map(_sound, word.sounds))
    hints = "".join(
        f'<span class="hint">{escape(hint)}</span>' for hint in dict.fromkeys(sound.hint for sound in word.sounds if sound.hint)
    )
    flawed = word.band == "good" and word.has_wrong_sound
    kind, meaning = (f"{word.band} flawed", _FLAWED) if flawed else (word.band, _MEANING[word.band])
    whole = "" if word.score is None else f" {word.score:.0f} of 100,"
    tip = f'<span class="sounds" role="tooltip" id="{name}"><span class="quiet">{text}:{whole} {meaning}</span>'
    tip += (f'<span class="row">{sounds}</span>' if sounds else "") + hints + "</span>"
    button = f'<button type="button" class="text" aria-describedby="{name}"{place}>{text}</button>'
    return f'<span class="word {kind}">{button}{score}{tip}</span>'


def _sound(sound: Sound) -> str:
    score = "" if sound.score is None else f"<small>{sound.score:.0f}</small>"
    return f'<span class="sound {sound.band}">{escape(spelled(sound))}{score}</span>'


def _seen(finding: Finding, recording: Recording) -> Iterator[str]:
    drawing = draw(finding, recording, pitch(recording))
    if not drawing:
        return
    yield "<h2>How it was said</h2>"
    pauses = ", pauses hatched" if finding.pauses else ""
    yield f'<p class="quiet">Words over the waveform, <span class="melody">pitch</span> as a line{pauses}.</p>'
    yield f'<div class="wide">{drawing}</div>'
    data = base64.b64encode(mp3(recording)).decode()
    yield f'<audio controls preload="auto" src="data:audio/mpeg;base64,{data}"></audio>'


def _practice(confusions: tuple[Confusion, ...]) -> str:
    rows = "".join(
        f"<tr><td>/{escape(confusion.ipa)}/</td><td>{f'/{escape(confusion.said)}/' if confusion.said else 'nothing'}</td>"
        f"<td>{confusion.count}</td><td>{escape(', '.join(confusion.examples))}</td></tr>"
        for confusion in confusions
    )
    return f"<table><tr><th>sound</th><th>heard instead</th><th>times</th><th>in</th></tr>{rows}</table>"
