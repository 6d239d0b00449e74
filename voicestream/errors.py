"""Every refusal this server can utter: numbered, fixed sentences with a cause and a fix.

A peer is told the code and the sentence, never its own text back. `voicestream errors` and the page
`/errors` print this catalogue. Ranges: VS10xx start, settings and command line, VS11xx transport, VS12xx IDVoice
WebSocket, VS14xx IDVoice HTTP, VS20xx audio, VS30xx models and templates, VS50xx our own faults.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the catalogue."""

    code: str
    sentence: str  # what the peer is told; fixed, no data of the peer's
    cause: str
    fix: str


class PeerError(Exception):
    """The peer sent something we refuse. `detail` holds our own numbers only (`0.42 s found, 2.00 s needed`)."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.code} {fault.sentence}" + (f": {detail}" if detail else ""))
        self.fault = fault
        self.detail = detail


class MisuseError(Exception):
    """Our own code broke its own contract: the connection ends with 1011 and a logged traceback."""


CATALOGUE: dict[str, Fault] = {}


def _fault(code: str, sentence: str, cause: str, fix: str) -> Fault:
    fault = Fault(f"VS{code}", sentence, cause, fix)
    if CATALOGUE.setdefault(fault.code, fault) is not fault:
        raise MisuseError(f"error code {fault.code} is taken")
    return fault


# VS10xx: start, settings and the command line
UNKNOWN_SETTING = _fault(
    "1001", "unknown setting", "a name in the settings file or a flag that no setting has", "`voicestream config` lists all names"
)
WRONG_SETTING = _fault(
    "1002", "wrong value of a setting", "a value of the wrong type or out of its range", "see the table of settings in the README"
)
SETTINGS_FILE = _fault("1003", "settings file cannot be read", "the file is missing or not TOML", "correct the path or the line named")
TLS_FILES = _fault(
    "1004", "TLS certificate and key do not make a pair", "one is missing, unreadable, encrypted or of another pair",
    "set tls_cert and tls_key to the PEM files of one pair, the key without a passphrase",
)  # fmt: skip
TEMPLATE_KEY = _fault(
    "1005", "template key cannot be used", "it is not 32 bytes, cannot be read, or is given twice",
    "make one with `openssl rand -hex 32` and set template_key or template_key_file, not both",
)  # fmt: skip
PORT_TAKEN = _fault(
    "1006", "cannot listen on this address", "another process has the port, or the address is not this machine's",
    "choose another --port or --host, or stop the other process (`ss -ltnp` names it)",
)  # fmt: skip
IGNORED_VARIABLE = _fault(
    "1007", "environment variable without effect", "a misspelt name, or a vendor setting that means nothing here",
    "correct the name or unset it; `voicestream config` lists all names",
)  # fmt: skip
UNKNOWN_CONFIGURATION = _fault(
    "1008", "no model is known by this name; the default is used", "a vendor variable names a configuration that the table lacks",
    "add the name to the setting `configurations`, or correct it",
)  # fmt: skip
FILE_LIMIT = _fault(
    "1009", "too few open files allowed", "the limit of this process is below the setting `connections`",
    "raise it before the start (`ulimit -n 8192`, LimitNOFILE= of systemd) or lower `connections`",
)  # fmt: skip
UNREADABLE_FILE = _fault(
    "1020", "file cannot be read", "it is missing, a folder, or not yours to read", "correct the path or its permissions"
)
UNREACHABLE = _fault(
    "1021", "no answer from the server", "no server is at this URL, or something between drops the connection",
    "start one with `voicestream serve`, or point --url at it",
)  # fmt: skip
UNEXPECTED_ANSWER = _fault(
    "1022", "the server refused or answered outside the protocol", "another kind of server, or a parameter it does not take",
    "the log of the server has the numbered reason",
)  # fmt: skip
NO_MICROPHONE = _fault(
    "1023", "no microphone", "sounddevice or PortAudio is not installed, or the system has no input",
    "install `voicestream[mic]` and libportaudio2, and look at `voicestream doctor`",
)  # fmt: skip
DEMO_FAILED = _fault(
    "1024",
    "the demo did not show what it should",
    "a probability on the wrong side, or a missing answer",
    "run `voicestream doctor`, then report it",
)
NO_RECORDINGS = _fault(
    "1025", "the demo's recordings are not installed", "Debian's Asterisk prompts are missing",
    "`scripts/serve --demo` installs them; by hand: apt-get install asterisk-core-sounds-en-wav asterisk-core-sounds-fr-wav …",
)  # fmt: skip
UNKNOWN_CODE = _fault("1026", "no error has this code", "a misspelt code", "`voicestream errors` lists all of them")

# VS11xx: transport

# VS12xx: IDVoice over WebSocket

# VS14xx: IDVoice over HTTP
BAD_REQUEST = _fault("1400", "bad request", "the request as a whole is malformed", "compare it with the OpenAPI document at /openapi.json")
PARAMETER_MISSING = _fault("1401", "query parameter missing", "a required query parameter is absent", "add it: /swagger-ui.html lists them")
PARAMETER_WRONG = _fault(
    "1402",
    "query parameter not understood",
    "a query parameter is not one of its allowed values, or is given twice",
    "see /swagger-ui.html",
)
PART_MISSING = _fault(
    "1403",
    "file part missing",
    "no form part is called audio_file or wav_file",
    "send the file as part audio_file: curl -F audio_file=@a.wav",
)
NOT_FOUND = _fault(
    "1404", "no such path", "the path is unknown, or its component is switched off", "see /swagger-ui.html for the paths on offer"
)
WRONG_METHOD = _fault("1405", "method not allowed", "the path exists, with another method", "use a method of the Allow header")
BAD_JSON = _fault(
    "1406",
    "JSON body not understood",
    "the body is no JSON, or misses a field, or a field has another type",
    "see /swagger-ui.html for its shape",
)
BODY_EMPTY = _fault("1407", "empty body", "the request carries no audio", "send the audio as the body, or as the file part")
BODY_SLOW = _fault("1408", "body took too long", "the body did not arrive within its time", "send faster, or in smaller pieces")
BAD_FORM = _fault(
    "1409",
    "multipart form not understood",
    "the boundary is missing or the parts are cut off",
    "let the HTTP library write the form: curl -F",
)
UNKNOWN_CONFIGURATION = _fault(
    "1410", "unknown configuration", "this server offers no such configuration", "leave it out, or see `voicestream models`"
)
NO_TEMPLATE = _fault("1412", "no voice template given", "the list to merge is empty", "send at least one template")
BODY_LARGE = _fault(
    "1413", "body too large", "JSON over 64 KiB or audio over 50 MiB", "cut the recording, or send it compressed (FLAC, Opus)"
)
CONTENT_TYPE = _fault(
    "1415",
    "content type not supported",
    "files want multipart/form-data, samples application/octet-stream, templates application/json",
    "set the Content-Type header",
)
NOT_CONVERTIBLE = _fault(
    "1416", "voice template cannot be converted", "no way leads from that model to the default one", "enrol the speaker again"
)
UPGRADE_REQUIRED = _fault("1426", "WebSocket path", "a plain HTTP request to a WebSocket path", "connect with a WebSocket client")
OVERLOADED = _fault("1503", "server busy", "more work is waiting than can be done in time", "try again after the seconds in Retry-After")

# VS20xx: audio
UNREADABLE_AUDIO = _fault(
    "2001", "audio not readable", "the file is damaged or cut off before its first sample", "check that a player plays it"
)
UNKNOWN_FORMAT = _fault(
    "2002",
    "audio format not known",
    "the file is neither WAV, FLAC, AIFF, Ogg, MP3, M4A, WebM, AAC nor AMR",
    "convert it, for example to WAV",
)
NO_AUDIO = _fault("2003", "no audio samples", "the recording has not one sample", "record again")
AUDIO_LONG = _fault("2004", "recording too long", "the decoded recording is longer than 30 minutes", "cut it")
NOT_FINITE = _fault(
    "2005", "audio holds NaN or infinity", "floating-point samples that are no numbers", "repair the tool that wrote the file"
)
ODD_BYTES = _fault("2006", "odd byte count", "PCM16 samples are two bytes each", "check that the samples are 16 bit and complete")
RATE_UNSUPPORTED = _fault(
    "2007",
    "sample rate not supported",
    "rates on offer: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000 Hz",
    "resample the recording to one of them",
)
MANY_CHANNELS = _fault("2008", "too many channels", "more than 8 channels", "mix down to mono")

# VS30xx: models and templates

# VS50xx: our own faults
INTERNAL = _fault("5000", "internal error", "a defect of this server", "look up the traceback in the log and report it")
