"""Flags that several commands of `voicestream client` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

File: TypeAlias = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Audio in any container; - is standard input.")]
Mic: TypeAlias = Annotated[bool, typer.Option("--mic", help="The microphone instead of a file; Ctrl-C ends.")]
Opus: TypeAlias = Annotated[bool, typer.Option("--opus", help="Send Opus packets instead of PCM16.")]
Realtime: TypeAlias = Annotated[bool, typer.Option("--realtime", help="Send a file at the speed of speech.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the server's answers as they are, one a line.")]

Via: TypeAlias = Annotated[Literal["twilio", "audiohook"], typer.Option(help="How the audio travels.")]
ClientId: TypeAlias = Annotated[str, typer.Option(envvar="VOICESTREAM_CLIENT_ID", metavar="ID", help="Who asks for the access token.")]
ClientSecret: TypeAlias = Annotated[
    Path | None, typer.Option("--client-secret-file", metavar="FILE", help="Its secret; else VOICESTREAM_CLIENT_SECRET.")
]
ApiKey: TypeAlias = Annotated[
    Path | None, typer.Option("--apikey-file", metavar="FILE", help="The key that lets audio in; else VOICESTREAM_APIKEY.")
]
HookSecret: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--audiohook-secret-file", metavar="FILE", help="Base64 secret that signs the request; else VOICESTREAM_AUDIOHOOK_SECRET."
    ),
]
CallId: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="The call's id; without FILE and --mic somebody else sends its audio.")
]
OwnCallId: TypeAlias = Annotated[str, typer.Option("--call-id", metavar="ID", help="The call that the session asks for.")]
Speed: TypeAlias = Annotated[
    float, typer.Option(min=0, metavar="FACTOR", help="Of a file, as a multiple of speech; 0: as fast as it is taken.")
]
Duration: TypeAlias = Annotated[float, typer.Option("--duration", metavar="SECONDS", help="How much voice is wanted.")]
Authenticity: TypeAlias = Annotated[
    float | None, typer.Option("--authenticity", metavar="0..1", help="Less is taken for synthetic; by default the server decides.")
]
ModelHash: TypeAlias = Annotated[str | None, typer.Option("--model-hash", metavar="HASH", help="Of a model; by default the server's own.")]
SaveAudio: TypeAlias = Annotated[
    Path | None, typer.Option("--save-audio", metavar="FILE", help="Where the collected voice goes, if the server hands it back.")
]
