"""`voicestream client`: stream a file or the microphone to a server, and watch its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicestream.cli.assess import assess
from voicestream.cli.client_flag import (
    ApiKey,
    Authenticity,
    CallId,
    ClientId,
    ClientSecret,
    Duration,
    File,
    HookSecret,
    Json,
    Mic,
    ModelHash,
    Opus,
    OwnCallId,
    Realtime,
    SaveAudio,
    Speed,
    Via,
)
from voicestream.cli.flag import DEFAULT_URL, Url
from voicestream.cli.terminal import fail_with
from voicestream.errors import PeerError

client = typer.Typer(
    name="client",
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="Stream speech to a server.",
    help="""Stream a file or the microphone to a server and watch its answers.

    IDVoice: endpoint, summary, verify --template. das-Peak: register, verify --credential, and twilio or audiohook for the audio side
    alone. ELSA: assess. They work with any server of their protocol, the vendor's as well; --url or VOICESTREAM_URL says which.

    das-Peak asks for a client id and its secret (`voicestream clients add`) and an API key (`voicestream keys add`). They come from files
    or the environment: VOICESTREAM_CLIENT_ID, VOICESTREAM_CLIENT_SECRET, VOICESTREAM_APIKEY.
    """,
)


@client.command(short_help="Tell when utterances end.")
def endpoint(
    file: File = None,
    mic: Mic = False,
    opus: Opus = False,
    realtime: Realtime = False,
    json: Json = False,
    url: Url = DEFAULT_URL,
    min_speech_ms: Annotated[int, typer.Option(help="Speech an utterance needs.")] = 300,
    max_silence_ms: Annotated[int, typer.Option(help="Silence that ends it.")] = 500,
) -> None:
    """Tell when utterances end.

    Example: voicestream client endpoint talk.wav --realtime
    """
    from voicestream.cli.idvoice import stream
    from voicestream.cli.view import EndpointView

    wanted = [str(min_speech_ms), str(max_silence_ms)]
    stream("/speech_endpoint_detector", lambda rate: [*wanted, rate], EndpointView(), file, mic, opus, realtime, json, url)


@client.command(short_help="Tell how much speech there is.")
def summary(
    file: File = None, mic: Mic = False, opus: Opus = False, realtime: Realtime = False, json: Json = False, url: Url = DEFAULT_URL
) -> None:
    """Tell how much speech there is.

    Example: voicestream client summary --mic
    """
    from voicestream.cli.idvoice import stream
    from voicestream.cli.view import SummaryView

    stream("/speech_summary_stream", lambda rate: [rate], SummaryView(), file, mic, opus, realtime, json, url)


@client.command(short_help="Register a voice (das-Peak).")
def register(
    file: File = None,
    mic: Mic = False,
    via: Via = "twilio",
    save_credential: Annotated[
        Path | None, typer.Option("--save-credential", "-o", metavar="FILE", help="Where the credential goes; else it is printed.")
    ] = None,
    save_audio: SaveAudio = None,
    duration_s: Duration = 5.0,
    authenticity: Authenticity = None,
    model_hash: ModelHash = None,
    client_id: ClientId = "",
    client_secret_file: ClientSecret = None,
    api_key_file: ApiKey = None,
    hook_secret_file: HookSecret = None,
    call_id: CallId = None,
    speed: Speed = 1.0,
    json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Register a voice through das-Peak: exit code 0 when it is approved, 1 when it is rejected, 2 when there is no result.

    Examples:

      voicestream client register me.wav -o me.credential

      voicestream client register --mic --via audiohook -o me.credential

      voicestream client register --call-id CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e -o me.credential    # the call comes from elsewhere
    """
    from voicestream.cli.daspeak import Access, Keep, Speech, session
    from voicestream.cli.daspeak_request import Request

    speech = Speech(file, mic, speed)
    call = speech.call_id(call_id)
    request = Request("register", via, call, duration_s, authenticity_threshold=authenticity, model_hash=model_hash)
    access = Access(url, client_id, client_secret_file, api_key_file, hook_secret_file)
    session(request, speech, access, Keep(save_credential, save_audio), json)


@client.command(short_help="Compare a voice with a template (IDVoice) or a credential (das-Peak).")
def verify(
    context: typer.Context,
    file: File = None,
    mic: Mic = False,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="IDVoice: a template, of `voicestream enrol` or the server.")
    ] = None,
    enrol: Annotated[Path | None, typer.Option(metavar="FILE", help="IDVoice: speech to make the template of, on the server.")] = None,
    credential: Annotated[Path | None, typer.Option(metavar="FILE", help="das-Peak: a credential, of `client register`.")] = None,
    opus: Opus = False,
    realtime: Realtime = False,
    context_s: Annotated[str, typer.Option("--context", metavar="SECONDS", help="How much is remembered.")] = "10",
    window_s: Annotated[str, typer.Option("--window", metavar="SECONDS", help="How much is compared at a time.")] = "3",
    via: Via = "twilio",
    save_audio: SaveAudio = None,
    duration_s: Duration = 5.0,
    similarity: Annotated[
        float | None, typer.Option("--similarity", metavar="0..1", help="Less is another voice; by default the server decides.")
    ] = None,
    authenticity: Authenticity = None,
    model_hash: ModelHash = None,
    client_id: ClientId = "",
    client_secret_file: ClientSecret = None,
    api_key_file: ApiKey = None,
    hook_secret_file: HookSecret = None,
    call_id: CallId = None,
    speed: Speed = 1.0,
    json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Is it the voice? Exit code 0 when it is, 1 when it is another, 2 when there is no answer.

    What the voice is compared with says how: a template through IDVoice, a credential through das-Peak. --opus to --window are
    IDVoice's, --via to --speed das-Peak's.

    Examples:

      voicestream client verify who.wav --template me.template

      voicestream client verify --mic --enrol me.wav

      voicestream client verify who.wav --credential me.credential --via audiohook
    """
    if sum(given is not None for given in (template, enrol, credential)) != 1:
        raise typer.BadParameter("give one of --template, --enrol and --credential")
    if credential is None:
        _refuse(context, _DASPEAK, "is for --credential")
        _verify_by_template(template, enrol, context_s, window_s, file, mic, opus, realtime, json, url)
        return
    _refuse(context, _IDVOICE, "is not for --credential")
    from voicestream.cli.daspeak import Access, Keep, Speech, session
    from voicestream.cli.daspeak_request import Request
    from voicestream.cli.recording import read_bytes

    known = read_bytes(credential).decode("ascii", "replace").strip()
    speech = Speech(file, mic, speed)
    request = Request("verify", via, speech.call_id(call_id), duration_s, known, authenticity, similarity, model_hash)
    access = Access(url, client_id, client_secret_file, api_key_file, hook_secret_file)
    session(request, speech, access, Keep(audio=save_audio), json)


@client.command(short_help="The audio side alone, as Twilio sends it.")
def twilio(
    call_id: OwnCallId,
    file: File = None,
    mic: Mic = False,
    api_key_file: ApiKey = None,
    speed: Speed = 1.0,
    url: Url = DEFAULT_URL,
) -> None:
    """The audio side alone, as a Twilio Media Stream: for a session that another client asks for.

    Example: voicestream client twilio talk.wav --call-id CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e
    """
    from voicestream.cli.daspeak import Access, Speech, audio_side

    audio_side("twilio", call_id, Speech(file, mic, speed), Access(url, api_key_file=api_key_file))


@client.command(short_help="The audio side alone, as Genesys sends it.")
def audiohook(
    call_id: OwnCallId,
    file: File = None,
    mic: Mic = False,
    api_key_file: ApiKey = None,
    hook_secret_file: HookSecret = None,
    speed: Speed = 1.0,
    url: Url = DEFAULT_URL,
) -> None:
    """The audio side alone, as a Genesys AudioHook session: for a session that another client asks for.

    The conversation id is --call-id where that is a UUID, else it is told in customConfig.

    Example: voicestream client audiohook talk.wav --call-id 888806c3-3391-4d73-bb86-e5874e6ed5b4
    """
    from voicestream.cli.daspeak import Access, Speech, audio_side

    access = Access(url, api_key_file=api_key_file, hook_secret_file=hook_secret_file)
    audio_side("audiohook", call_id, Speech(file, mic, speed), access)


client.command(short_help="How well is this English spoken (ELSA)?")(assess)


_IDVOICE = {"opus": "--opus", "realtime": "--realtime", "context_s": "--context", "window_s": "--window"}
_DASPEAK = {
    "via": "--via",
    "save_audio": "--save-audio",
    "duration_s": "--duration",
    "similarity": "--similarity",
    "authenticity": "--authenticity",
    "model_hash": "--model-hash",
    "call_id": "--call-id",
    "speed": "--speed",
}


def _refuse(context: typer.Context, flags: dict[str, str], why: str) -> None:
    """A flag without effect is a misunderstanding."""
    for name, flag in flags.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{flag} {why}")


def _verify_by_template(
    template: Path | None,
    enrol: Path | None,
    context_s: str,
    window_s: str,
    file: Path | None,
    mic: bool,
    opus: bool,
    realtime: bool,
    json: bool,
    url: str,
) -> None:
    from voicestream.cli.http import create_template
    from voicestream.cli.idvoice import stream
    from voicestream.cli.recording import read_bytes, read_recording
    from voicestream.cli.view import VerifyView

    if template is not None:
        text = read_bytes(template).decode("ascii", "replace").strip()
    else:
        assert enrol is not None
        speech = read_recording(enrol)
        try:
            text = create_template(url, speech.samples.astype("<i2").tobytes(), speech.rate_hz)
        except PeerError as error:
            fail_with(error)
    wanted = (context_s, window_s)
    stream("/voice_verify_stream", lambda rate: [text, rate, *wanted], VerifyView(), file, mic, opus, realtime, json, url)
