"""`voicestream client assess`: how well is this English spoken?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from voicestream import errors
from voicestream.cli.client_flag import ApiKey, File, Json, Mic, Realtime
from voicestream.cli.flag import DEFAULT_URL, Url
from voicestream.cli.terminal import fail


def assess(
    file: File = None,
    mic: Mic = False,
    text: Annotated[str | None, typer.Option(metavar="SENTENCE", help="What is to be said; without it speech is free.")] = None,
    via: Annotated[Literal["ws", "http"], typer.Option(help="A stream, or one request.")] = "ws",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="A page with the report, and the recording in it.")] = None,
    plan: Annotated[Literal["standard", "premium"], typer.Option(help="Premium takes longer recordings.")] = "standard",
    token: Annotated[str, typer.Option(metavar="TOKEN", help="Lets us in; others on this machine may see it, unlike a file.")] = "",
    api_key_file: ApiKey = None,
    realtime: Realtime = False,
    json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """How well is this English spoken? Scores from 0 to 100, the words and sounds that were not right, pace and pauses.

    The token is an API key (`voicestream keys add`) or the vendor's: from --apikey-file, VOICESTREAM_APIKEY or --token.
    Exit code 0 when there is an assessment, 2 when there is none.

    Examples:

      voicestream client assess talk.wav --html talk.html

      voicestream client assess --mic --text "I went to the market yesterday"

      voicestream client assess talk.mp3 --via http --json | jq .speakers
    """
    if mic == (file is not None):
        raise typer.BadParameter("give one of FILE and --mic")
    if text is not None and not text.strip():
        raise typer.BadParameter("--text has no words")
    if realtime and (mic or via == "http"):
        raise typer.BadParameter("--realtime is for a file that is streamed")
    if html is not None and (html.is_dir() or not os.access(html if html.exists() else html.parent, os.W_OK)):
        fail(errors.UNWRITABLE_FILE, str(html))
    from voicestream.cli.assessment.asking import Wish, ask, listen
    from voicestream.cli.assessment.report import report
    from voicestream.cli.recording import read_recording
    from voicestream.cli.secret import API_KEY, read_secret

    key = token or read_secret(api_key_file, API_KEY)
    wish = Wish(url, f"ELSA {key}" if key else "", via, plan, text)
    if file is None:
        report("microphone", listen(wish, json), html, json)
    else:
        report("speech" if str(file) == "-" else file.name, ask(wish, read_recording(file), realtime, json), html, json)
