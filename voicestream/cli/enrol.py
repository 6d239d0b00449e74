"""`voicestream enrol`: remember a voice in a template, without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicestream import errors
from voicestream.cli.flag import ConfigFile, Model, Pairs, read_settings
from voicestream.cli.terminal import fail, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.models.speaker.model import SpeakerModel
    from voicestream.server.config import Settings
    from voicestream.sessions.enrolment import Enrolment


def enrol(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings of one person, any container; - is standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="TEMPLATE", help="Where the template goes; - is standard output.")],
    model_name: Model = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Make one voice template of one or more recordings of a person: 10 s of speech or more is good.

    The file holds the text that servers take and give; with the setting template_key it is sealed.

    Example: voicestream enrol monday.wav friday.m4a -o me.template
    """
    from voicestream.protocols.template_text import template_text
    from voicestream.sessions.enrolment import merge
    from voicestream.store.templates import pack

    settings = read_settings(config, pairs, model=model_name).settings
    model = chosen_model(settings)
    enrolled = [enrolment_of(file, model, settings) for file in files]
    template = merge([one.template for one in enrolled])
    text = template_text(pack(template, settings.sealing_key()))
    if str(output) == "-":
        print(text)
    else:
        try:
            output.write_text(text + "\n", encoding="ascii")
        except OSError as error:
            fail(errors.UNWRITABLE_FILE, f"{output}: {error.strerror}")
    for file, (one, quality) in zip(files, enrolled, strict=True):
        heard = f"speech {one.net_speech_s:.1f} s, level {quality.level_dbfs:.0f} dBFS, {quality.snr_db:.0f} dB above the noise"
        print(f"{file}: {heard}, {quality.clipped:.1%} clipped", file=sys.stderr)


def chosen_model(settings: Settings) -> SpeakerModel:
    """The model the settings name; ends the command with the numbered reason when its weights are not there or not sound."""
    from voicestream.server.voice import active_model

    try:
        return active_model(settings)
    except PeerError as error:
        fail_with(error)


def enrolment_of(file: Path, model: SpeakerModel, settings: Settings) -> Enrolment:
    """The voice in one recording; ends the command with the numbered reason when the recording is not good enough."""
    from voicestream.cli.recording import read_recording
    from voicestream.models.registry import vad_front
    from voicestream.sessions.enrolment import enrol as enrol_voice

    recording = read_recording(file)
    try:
        return enrol_voice((recording.rate_hz, recording.messages("pcm16")), model, settings.gate, vad_front(settings.vad))
    except PeerError as error:
        fail_with(error)
