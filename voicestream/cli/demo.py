"""`voicestream demo`: a server of its own, recorded people, all endpoints, and what a user would see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from voicestream import errors
from voicestream.cli.flag import InstallSpeech
from voicestream.cli.terminal import NEGATIVE, console, fail, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from rich.table import Table

    from voicestream.cli.prompt import Speaker
    from voicestream.cli.view import View
    from voicestream.server.config import Settings
    from voicestream.sessions.vocabulary import Encoding

_SAME, _OTHER = 0.9, 0.1  # the probability of a voice's owner is above, of anybody else below
_WELL_READ = 70.0  # the score of a native speaker is above
_TOLD_APART = 4  # so many voices at least
_CODECS: tuple[Encoding, ...] = ("pcm16", "opus")


def demo(speech: InstallSpeech = False) -> None:
    """Play recorded speech of several people through all endpoints of a server on a free port.

    Exit code 1 unless at least four voices are known (above 0.9) and told from each other (below 0.1).
    """
    import trio

    from voicestream.cli.prompt import speakers
    from voicestream.server import logs
    from voicestream.server.config import Settings

    people = speakers()
    if len(people) < 2:
        fail(errors.NO_RECORDINGS)
    installed = Settings()
    if speech:
        from voicestream.cli.speech import install_speech

        install_speech(installed)
    logs.configure("console", "warning")
    shown = _Shown()
    try:
        with TemporaryDirectory(prefix="voicestream-") as folder:  # its clients and results are nobody's
            if (models := installed.data_path() / "models").is_dir():
                Path(folder, "models").symlink_to(models)
            trio.run(_with_server, Settings(host="127.0.0.1", port=0, data_folder=Path(folder), assessment_workers=1), people, shown)
    except PeerError as error:
        fail_with(error)
    if shown.failures:
        console().print(f"\n{errors.DEMO_FAILED.code} {errors.DEMO_FAILED.sentence}:", style="bold red")
        for failure in shown.failures:
            console().print(f"  {failure}", markup=False)
        raise SystemExit(NEGATIVE)
    console().print("\nAll endpoints did what they should.", style="bold green")


@dataclass
class _Shown:
    """What did not come out as it should, told at the end."""

    failures: list[str] = field(default_factory=list)
    error: PeerError | None = None

    def expect(self, condition: bool, failure: str) -> None:
        if not condition:
            self.failures.append(failure)


async def _with_server(settings: Settings, people: list[Speaker], shown: _Shown) -> None:
    import time

    import trio

    from voicestream.server.app import serve
    from voicestream.store.api_key import add_key
    from voicestream.store.database import FILE_NAME, Database

    with closing(Database(settings.data_path() / FILE_NAME)) as database:
        _, key = add_key(database, "demo", "demo", time.time())
    async with trio.open_nursery() as nursery:
        ports: list[int] = await nursery.start(serve, settings)
        url = f"http://127.0.0.1:{ports[0]}"
        console().print(
            f"A server on {url}, and {len(people)} people: {', '.join(f'{person.name} ({person.language})' for person in people)}."
        )
        try:
            await _tour(url, people, shown)
            await _assessments(url, key, settings, shown)
        except PeerError as error:  # kept, not raised: a nursery would wrap it
            shown.error = error
        nursery.cancel_scope.cancel()
    if shown.error is not None:
        raise shown.error


async def _tour(url: str, people: list[Speaker], shown: _Shown) -> None:
    await _endpoints(url, people, shown)
    await _summaries(url, people, shown)
    templates = await _templates(url, people)
    for codec in _CODECS:
        await _verifications(url, people, templates, codec, shown)


async def _endpoints(url: str, people: list[Speaker], shown: _Shown) -> None:
    from voicestream.cli.view import EndpointView

    table = _table(
        "/speech_endpoint_detector: when does an utterance end (500 ms of silence)?",
        "speaker",
        "audio",
        *(f"ends, s ({codec})" for codec in _CODECS),
    )
    for person in people:
        said = []
        for codec in _CODECS:
            view = EndpointView()
            await _play(url, "/speech_endpoint_detector", lambda rate: ["300", "500", rate], person, codec, view)
            said.append(" ".join(f"{end_s:.1f}" for end_s in view.ends_s))
            shown.expect(len(view.ends_s) > 0, f"{person.name}, {codec}: no endpoint was found")
        table.add_row(f"{person.name} ({person.language})", f"{person.test.duration_s:.1f} s", *said)
    console().print(table)


async def _summaries(url: str, people: list[Speaker], shown: _Shown) -> None:
    from voicestream.cli.view import SummaryView

    table = _table("/speech_summary_stream: how much of it is speech?", "speaker", *(f"speech, background ({codec})" for codec in _CODECS))
    for person in people:
        said = []
        for codec in _CODECS:
            view = SummaryView()
            await _play(url, "/speech_summary_stream", lambda rate: [rate], person, codec, view)
            said.append(f"{view.speech_s:.1f} s, {view.background_s:.1f} s")
            shown.expect(0.3 < view.speech_share < 1.0, f"{person.name}, {codec}: {view.speech_share:.0%} speech is not believable")
        table.add_row(person.name, *said)
    console().print(table)


async def _templates(url: str, people: list[Speaker]) -> list[str]:
    import trio

    from voicestream.cli.http import create_template

    table = _table("/voice_template_factory: a template of each voice, over HTTP", "speaker", "enrolled with", "template")
    templates = []
    for person in people:
        pcm = person.enrol.samples.astype("<i2").tobytes()
        template = await trio.to_thread.run_sync(create_template, url, pcm, person.enrol.rate_hz)
        table.add_row(person.name, f"{person.enrol.duration_s:.1f} s", f"{template[:28]}… ({len(template)} characters)")
        templates.append(template)
    console().print(table)
    return templates


async def _verifications(url: str, people: list[Speaker], templates: list[str], codec: Encoding, shown: _Shown) -> None:
    from voicestream.cli.view import VerifyView

    path = "/voice_verify_stream" + ("_opus" if codec == "opus" else "")
    table = _table(f"{path}: whose voice is it? (probability; a column is a template)", "who speaks", *(person.name for person in people))
    mistakes: dict[tuple[str, str], float] = {}  # (who speaks, whose template) -> a probability on the wrong side
    for person in people:
        cells = []
        for owner, template in zip(people, templates, strict=True):
            view = VerifyView()
            await _play(url, "/voice_verify_stream", partial(_verification, template), person, codec, view)
            same = owner is person
            right = view.windows > 0 and (view.probability > _SAME if same else view.probability < _OTHER)
            if not right:
                mistakes[person.name, owner.name] = view.probability
            cells.append(f"[{'bold green' if same and right else 'dim' if right else 'bold red'}]{view.probability:.4f}[/]")
        table.add_row(person.name, *cells)
    out = console()
    out.print(table)
    told = told_apart([person.name for person in people], set(mistakes))
    out.print(f"{len(told)} of {len(people)} voices are known (above {_SAME}) and told from each other (below {_OTHER}).", style="bold")
    if len(told) < min(_TOLD_APART, len(people)):
        shown.failures += [f"{codec}, {who} against {owner}: {probability:.3f}" for (who, owner), probability in mistakes.items()]


def told_apart(names: list[str], mistakes: set[tuple[str, str]]) -> tuple[str, ...]:
    """The largest group of names in which no (speaker, owner of the template) is a mistake."""
    groups = (group for size in range(len(names), 0, -1) for group in combinations(names, size))
    return next((group for group in groups if mistakes.isdisjoint(product(group, group))), ())


def _verification(template: str, rate: str) -> list[str]:
    return [template, rate, "20", "3"]


async def _assessments(url: str, key: str, settings: Settings, shown: _Shown) -> None:
    from voicestream.cli.assessment.reading import read_out
    from voicestream.cli.prompt import spoken_sentence
    from voicestream.server.assessor import own_assessor

    spoken = spoken_sentence()
    if own_assessor(settings) is None or spoken is None:
        console().print("\nSpeech assessment is not installed: `voicestream models install moonshine`, and the extra `speech`.")
        return
    recording, words = spoken
    table = _table("/api/v2/ws/score_audio: how well is a sentence read (0 to 100)?", "to be said", "pronunciation", "fluency", "left out")
    for sentence, missing in ((words, []), (words.replace("only", "only happy"), ["happy"])):
        finding = await read_out(url, key, sentence, recording)
        scores = {score.name: score.value for score in finding.scores}
        left_out = [word.text for word in finding.words if word.skipped]
        table.add_row(sentence, *(_figure(scores.get(name)) for name in ("pronunciation", "fluency")), " ".join(left_out))
        shown.expect((scores.get("pronunciation") or 0.0) > _WELL_READ, f"{sentence!r}: pronunciation {scores.get('pronunciation')}")
        shown.expect(left_out == missing, f"{sentence!r}: left out {left_out}")
    console().print(table)


def _figure(score: float | None) -> str:
    return "–" if score is None else f"{score:.1f}"


async def _play(url: str, path: str, parameters: Callable[[str], list[str]], person: Speaker, codec: Encoding, view: View) -> None:
    from voicestream.cli.recording import MESSAGE_S
    from voicestream.cli.stream import converse, paced

    heard = 0

    def hear(answer: str, _message: bytes) -> None:
        nonlocal heard
        heard += 1
        view.hear(answer, heard * MESSAGE_S[codec])

    messages = paced(person.test.messages(codec), None)
    await converse(url, path + ("_opus" if codec == "opus" else ""), parameters(str(person.test.rate_hz)), messages, hear)


def _table(title: str, *columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console().print(f"\n{title}", style="bold", markup=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, show_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column)
    return table
