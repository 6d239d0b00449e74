"""Every setting of the server: one frozen, typed object, complete and checked before anything starts.

Where a value comes from is the business of `setting_source.py`; what it means stands here, beside it.
Limits and their defaults: the table of limits in the README is printed from this class and tested against it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

if TYPE_CHECKING:
    from voicestream.sessions.quality import Gate

KIB, MIB = 1024, 1024 * 1024

# Names the vendor's installations use for a model. "TD" (text-dependent) is served by the same text-independent model.
VENDOR_CONFIGURATIONS = ("mic-v1", "mic-v2", "noctua", "TI-mic", "TD-mic", "TI-tel", "TI-universal")
DEFAULT_MODEL = "mfcc"


def _from_commas(value: object) -> object:
    """`a, b` (environment, flag) -> ("a", "b"); a TOML array passes through."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _from_pairs(value: object) -> object:
    """`a=x, b=y` (environment, flag) -> {"a": "x", "b": "y"}; a TOML table passes through."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(separator for _, separator, _ in pairs):
        raise ValueError("expected name=model, name=model")
    return {name.strip(): model.strip() for name, _, model in pairs}


Names = Annotated[tuple[str, ...], BeforeValidator(_from_commas)]
Table = Annotated[dict[str, str], BeforeValidator(_from_pairs)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Bytes = Annotated[int, Field(ge=1 * KIB, le=1024 * MIB)]


class Settings(BaseModel):
    """What the server was told to do; `Settings()` is the defaults alone, `setting_source.load` the real ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # ---- listening
    host: str = Field(default="0.0.0.0", min_length=1, description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65_535, description="the one port; 0 takes a free one")
    tls_cert: Path | None = Field(default=None, description="PEM certificate chain; with `tls_key` the port speaks TLS")
    tls_key: Path | None = Field(default=None, description="PEM private key of `tls_cert`")
    allow_cors: bool = Field(default=False, description="answer `Access-Control-Allow-Origin: *` and preflights")
    allowed_origins: Names = Field(default=(), description="origins a WebSocket may come from; empty: any")

    # ---- IDVoice services
    component_verify: bool = Field(default=True, description="voice templates and verification; off: 404")
    component_media: bool = Field(default=True, description="endpoints, summaries, signal quality; off: 404")
    component_liveness: bool = Field(default=True, description="is a voice a living one; off: 404")
    component_template_converter: bool = Field(default=False, description="the template converter; off: 404")
    three_parameter_value: Literal["context", "window"] = Field(
        default="context", description="meaning of the third parameter of `/voice_verify_stream` when no fourth follows"
    )
    window_hop_s: float = Field(default=1.0, ge=0.1, le=60, allow_inf_nan=False, description="time between verified windows")
    summary_frames: int = Field(
        default=20_000, ge=0, le=1_000_000, description="30 ms frames listed in a summary; older ones are only counted"
    )
    pending_answers: Count = Field(default=100_000, description="unread answers of one stream before it is closed (1013)")
    vad: Literal["energy", "compact", "silero"] = Field(
        default="energy", description="what tells speech from noise: by energy, a small network, or silero (an extra, twenty times as dear)"
    )
    min_speech_s: float = Field(default=1.0, ge=0.5, le=60, allow_inf_nan=False, description="net speech a template needs")
    min_level_dbfs: float = Field(default=-55.0, ge=-100, le=0, allow_inf_nan=False, description="level its speech needs")
    max_clipped: float = Field(default=0.05, ge=0, le=1, allow_inf_nan=False, description="share of its speech that may be cut off")
    min_snr_db: float = Field(default=3.0, ge=-10, le=60, allow_inf_nan=False, description="how far its speech must be above the noise")
    min_voice: float = Field(
        default=0.25, ge=0, le=1, allow_inf_nan=False, description="share of its sound that must be a person's and not music or tones"
    )
    model: str = Field(default=DEFAULT_MODEL, min_length=1, description="speaker model; its own name or a name of `configurations`")
    configurations: Table = Field(
        default=dict.fromkeys(VENDOR_CONFIGURATIONS, DEFAULT_MODEL),
        description="names of models a request may ask for, and the model each means",
    )

    data_folder: Path | None = Field(
        default=None, description="folder of installed models, calibrations, clients and keys; empty: voicestream in the user's data folder"
    )
    calibration: str | None = Field(
        default=None, description="calibration of `voicestream calibrate` for the active model; empty: the model's own"
    )

    # ---- das-Peak services
    component_daspeak: bool = Field(default=True, description="das-Peak: access tokens, sessions of calls, credentials; off: 404")
    public_url: str | None = Field(default=None, description="URL by which clients reach this server; empty: localhost and the port")
    token_s: int = Field(default=3_600, ge=60, le=86_400, description="life of an access token in seconds")
    call_vad: Literal["energy", "compact", "silero"] = Field(
        default="compact", description="which detector tells how much voice a call has: compact knows music on hold, energy costs least"
    )
    call_audio_s: float = Field(
        default=5.0, gt=0, le=60, allow_inf_nan=False, description="net speech gathered of a call where its client does not say"
    )
    authenticity_threshold: float = Field(
        default=0.5, ge=0, le=1, allow_inf_nan=False, description="authenticity below which a voice is a spoof, where a client does not say"
    )
    call_stream_s: Seconds = Field(default=30.0, description="time for a session's audio stream to come; beyond: error-consumer-not-ready")
    call_sessions: Count = Field(default=2_000, description="sessions at once; beyond: error-consumer-not-ready")
    verification_attempts: int = Field(
        default=5,
        ge=0,
        le=1_000,
        description="rejected das-Peak verifications and comparisons of one credential in ten minutes; 0: any number",
    )
    call_start_s: Seconds = Field(default=5.0, description="time for the start, or open, of a call's audio stream; beyond: closed")
    call_hold_s: Seconds = Field(default=5.0, description="time, and audio, that a stream is held for whoever asks for its call")
    call_idle_s: Seconds = Field(default=30.0, description="time without audio or a sign of life in a call's stream; beyond: closed")
    audiohook_refusal: Literal["before", "open"] = Field(
        default="before", description="an AudioHook client is refused before the upgrade (401), or in answer to its open (disconnect)"
    )
    audiohook_unknown_call: Literal["pause", "disconnect"] = Field(
        default="pause", description="what an AudioHook client is told when nobody has asked for its call in `call_hold_s`"
    )
    audiohook_after_result: Literal["disconnect", "pause"] = Field(
        default="disconnect", description="what an AudioHook client is told when there is voice enough"
    )
    rest_sessions: Count = Field(default=64, description="unfinished REST sessions of one client; beyond: 429")
    rest_readable_s: Seconds = Field(default=3_600.0, description="time a finished REST session can be read; beyond: 404")
    daspeak_collected_audio: Literal["always", "result", "never"] = Field(
        default="always", description="which Socket.IO events have a second argument, the collected voice or null"
    )
    daspeak_payload: Literal["object", "text"] = Field(default="object", description="Socket.IO payloads as objects or as JSON text")
    socketio_token: Literal["connect", "handshake"] = Field(
        default="connect", description="where an access token is missed: at CONNECT (invalid token), or in the handshake (401)"
    )
    socketio_leave_s: Seconds = Field(default=5.0, description="time from a session's end to our DISCONNECT of its namespace")
    daspeak_min_speech_s: float = Field(
        default=3.0, ge=0.5, le=29, allow_inf_nan=False, description="net speech that das-Peak's back end wants of a recording"
    )
    daspeak_candidates: int = Field(default=1_000, ge=1, le=100_000, description="credentials among which one request may identify a voice")

    # ---- speech assessment
    component_assessment: bool = Field(default=True, description="assessment of speech for ELSA's clients; off: 404")
    assessment_plans: Annotated[tuple[Literal["standard", "premium"], ...], BeforeValidator(_from_commas)] = Field(
        default=("standard", "premium"), description="plans that clients may ask for; others: 403, not_authorized_plan"
    )
    assessment_s: Seconds = Field(default=120.0, description="time for a result after the last audio; beyond: failed, timeout")
    assessments: Count = Field(default=40, description="assessments under way; beyond: failed, busy")
    assessment_workers: int = Field(default=2, ge=1, le=64, description="processes that assess, of 0.4 GB each")
    assessment_warm: bool = Field(default=True, description="start them with the server, and not with the first who speaks")
    assessment_work_s: Seconds = Field(default=60.0, description="time of one for a piece of work; beyond: ended, and replaced")
    assessment_silence_s: float = Field(
        default=4.0, ge=1, le=30, allow_inf_nan=False, description="silence after enough speech that ends a stream by itself"
    )
    assessment_audio: bool = Field(default=True, description="keep recordings under links beside their results")
    assessment_keep_s: float = Field(
        default=86_400.0, ge=60, le=31_536_000, allow_inf_nan=False, description="time that results and recordings can be read; beyond: 404"
    )
    assessment_results: Count = Field(default=5_000, description="results kept of one tenant; beyond: the oldest go")

    # ---- templates
    template_key: SecretStr | None = Field(
        default=None, description="32 bytes in hex or base64: templates and credentials are sealed with it (AES-256-GCM)"
    )
    template_key_file: Path | None = Field(default=None, description="file that holds the key instead")

    # ---- limits: connections and requests
    connections: Count = Field(default=2_000, description="open connections; beyond: 503")
    connections_per_address: Count = Field(default=64, description="open connections of one address; beyond: 503")
    tls_handshake_s: Seconds = Field(default=5.0, description="time for the TLS handshake")
    request_head_s: Seconds = Field(default=5.0, description="time for a whole request head")
    request_head_bytes: Bytes = Field(default=16 * KIB, description="size of a request head; beyond: 431")
    headers: Count = Field(default=64, description="header lines of a request; beyond: 431")
    header_bytes: Bytes = Field(default=8 * KIB, description="size of one header line; beyond: 431")
    json_body_bytes: Bytes = Field(default=64 * KIB, description="size of a JSON request body; beyond: 413")
    audio_body_bytes: Bytes = Field(default=50 * MIB, description="size of an audio upload; beyond: 413")
    body_s: Seconds = Field(default=60.0, description="time for a whole request body; beyond: 408")
    upload_audio_s: Seconds = Field(default=1_800.0, description="length of an uploaded recording; beyond: 413")

    # ---- limits: streams
    message_bytes: Bytes = Field(default=1 * MIB, description="size of a binary WebSocket message; beyond: 1009")
    text_bytes: Bytes = Field(default=64 * KIB, description="size of a text WebSocket message; beyond: 1009")
    fragments: Count = Field(default=64, description="fragments of one message; beyond: 1008")
    outbox_bytes: Bytes = Field(default=256 * KIB, description="bytes that wait for a slow reader's socket")
    write_s: Seconds = Field(default=10.0, description="time for one write to a slow reader; beyond: closed")
    ping_s: Seconds = Field(default=20.0, description="time between our pings")
    pong_s: Seconds = Field(default=20.0, description="time a peer has to answer a ping; beyond: 1011")
    idle_s: Seconds = Field(default=30.0, description="time without a message; beyond: 1008")
    session_s: Seconds = Field(default=3_600.0, description="length of a session; beyond: 1008")
    session_audio_s: Seconds = Field(default=1_800.0, description="audio in a session; beyond: 1008")
    drain_s: Seconds = Field(default=30.0, description="time for goodbyes after SIGTERM")

    # ---- limits: Socket.IO
    engineio_ping_s: Seconds = Field(default=25.0, description="time from an Engine.IO pong to the next ping; clients are told")
    engineio_timeout_s: Seconds = Field(default=20.0, description="time for an Engine.IO pong; beyond: closed; clients are told")
    socketio_connections: Count = Field(default=2_000, description="Socket.IO connections, polling ones too; beyond: 503")

    # ---- work
    job_threads: int = Field(default=2, ge=1, le=256, description="threads per model for heavy work")
    job_wait_s: Seconds = Field(default=2.0, description="time heavy work may wait for a thread; beyond: 503 or 1013")

    # ---- running
    log_format: Literal["auto", "json", "console"] = Field(default="auto", description="auto: console on a terminal, else JSON lines")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level that is logged")
    echo: bool = Field(default=False, description="offer `/echo` to a WebSocket conformance tester; never in production")

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        """A TOML `connections = true` would otherwise mean one connection."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation in (int, float):
            raise ValueError("expected a number")
        return value

    @field_validator("calibration")
    @classmethod
    def _empty_is_none(cls, name: str | None) -> str | None:
        """`--calibration ""` takes back what a file or the environment names."""
        return name or None

    @field_validator("public_url")
    @classmethod
    def _is_a_base(cls, url: str | None) -> str | None:
        if url and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", url.rstrip("/")):
            raise ValueError("expected https://HOST or https://HOST:PORT")
        return url.rstrip("/") if url else None

    @field_validator("template_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            decode_key(key.get_secret_value())
        return key

    def model_of(self, configuration: str) -> str | None:
        """The model a request means by `configuration`: a name of the table, or the active model's own; None: unknown."""
        return self.configurations.get(configuration, self.model if configuration == self.model else None)

    @property
    def issuer(self) -> str:
        """The URL of this server, without a slash at its end: who issues access tokens."""
        return self.public_url or f"{'https' if self.tls_cert else 'http'}://localhost:{self.port}"

    def websocket_url(self, path: str) -> str | None:
        """The URL of one of our WebSocket paths as peers were told it; None without `public_url`, for a peer's word does not count."""
        return f"ws{self.public_url.removeprefix('http')}{path}" if self.public_url else None

    def data_path(self) -> Path:
        """The data folder, there or not: the setting, else as the XDG base directory specification has it."""
        if self.data_folder is not None:
            return self.data_folder
        given = Path(os.environ.get("XDG_DATA_HOME", ""))
        return (given if given.is_absolute() else Path.home() / ".local" / "share") / "voicestream"

    @property
    def gate(self) -> Gate:
        """What a recording must reach to become a template."""
        from voicestream.sessions.quality import Gate  # brings numba: not for those who only read settings

        return Gate(self.min_speech_s, self.min_level_dbfs, self.max_clipped, self.min_snr_db, self.min_voice)

    def sealing_key(self) -> bytes | None:
        """The 32 bytes templates are sealed with, from `template_key` or `template_key_file`; None: not sealed."""
        if self.template_key is not None:
            return decode_key(self.template_key.get_secret_value())
        return decode_key(self.template_key_file.read_text("ascii")) if self.template_key_file is not None else None


def decode_key(text: str) -> bytes:
    """64 hex digits or the base64 of 32 bytes -> the 32 bytes; ValueError, which never repeats the text, for anything else."""
    text = text.strip()
    try:
        key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 32:
        raise ValueError("expected 32 bytes as 64 hex digits or as base64")
    return key
