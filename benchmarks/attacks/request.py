"""Attacks on HTTP: heads that two readers could read differently, and bodies that are not what they say."""

import io
import struct
import wave

from benchmarks.attacks.peer import Attack, Target, connected, opening

_HOST = b"Host: voice.example\r\n"
_SAMPLES = "/speech_summary_engine/get_speech_summary_from_samples?sample_rate=8000"
_FILE = "/speech_summary_engine/get_speech_summary_from_file"
_MATCH = "/voice_template_matcher/match_voice_templates"
_OCTETS, _JSON = b"Content-Type: application/octet-stream\r\n", b"Content-Type: application/json\r\n"
_FORM = b"Content-Type: multipart/form-data; boundary=xyz\r\n"


def _ask(name: str, data: bytes, answer: str, code: str, *more: str) -> Attack:
    """`data`, and the status it is answered with."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(data)
            return await peer.http()

    return Attack(f"http: {name}", run, (answer, *more), code)


def _let_go(name: str, data: bytes, status: int, code: str) -> Attack:
    """Refused before its body was read: it must not be waited for."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(data)
            return f"{await peer.http()}, {await peer.cut()}"

    return Attack(f"http: {name}", run, (f"http {status}, kept, cut", "reset, cut"), code)


def _post(path: str, headers: bytes, body: bytes, claim: int | None = None) -> bytes:
    length = len(body) if claim is None else claim
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path.encode(), _HOST, headers, length, body)


def _posted(name: str, path: str, headers: bytes, body: bytes, status: int, code: str) -> Attack:
    return _ask(name, _post(path, headers, body), f"http {status}", code, f"http {status}, kept")


def _part(content: bytes, filename: str = "a.wav") -> bytes:
    return b'--xyz\r\nContent-Disposition: form-data; name="audio_file"; filename="%b"\r\n\r\n%b\r\n--xyz--\r\n' % (
        filename.encode(),
        content,
    )


def _wav(**lies: int) -> bytes:
    """A short WAV whose header lies: field -> value."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(1600))
    data = bytearray(file.getvalue())
    for name, value in lies.items():
        place, form = {"riff_size": (4, "<I"), "channels": (22, "<H"), "rate": (24, "<I"), "bits": (34, "<H"), "data_size": (40, "<I")}[
            name
        ]
        struct.pack_into(form, data, place, value)
    return bytes(data)


def _kept(name: str, data: bytes, answer: str, *more: str) -> Attack:
    """`data` as the second request of a connection whose first was good; hypercorn refuses these, without a number.

    It may also hang up behind the first answer, when that came before it had looked for the end of the request.
    """

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(b"GET /core/get_expiration_date HTTP/1.1\r\n" + _HOST + b"\r\n")
            first = await peer.head()
            await peer.swallow(first)
            await peer.say(data)
            return await peer.http()

    return Attack(f"http, second request: {name}", run, (answer, "end", *more))


def _cut_off(name: str, data: bytes) -> Attack:
    """`data`, then the end of the stream, where more was promised."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(data)
            await peer.finish_sending()
            return await peer.cut()

    return Attack(f"http: {name}", run, ("cut",))


def _get(*lines: bytes, path: bytes = b"/healthz") -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % path, b"Host: voice.example", *lines, b"", b""])


_SMUGGLED = b"GET /core/get_build_info HTTP/1.1\r\nHost: voice.example\r\n\r\n"
_TWO_LENGTHS = _post(_SAMPLES, _OCTETS + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n" + _SMUGGLED)
_CHUNKED = b"POST %b HTTP/1.1\r\n%b%bTransfer-Encoding: chunked\r\n\r\n" % (_SAMPLES.encode(), _HOST, _OCTETS)

ATTACKS = [
    _ask("TLS to the plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "http 400", "VS1101"),
    _ask("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http 400", "VS1104"),
    _ask("no host", b"GET / HTTP/1.1\r\n\r\n", "http 400", "VS1101"),
    _ask("folded line", _get(b"X: a", b" b"), "http 400", "VS1101"),
    _ask("bare line feeds", _get(b"X: a").replace(b"\r", b""), "http 400", "VS1101"),
    _ask("space before the colon", _get(b"Content-Length : 5"), "http 400", "VS1101"),
    _ask("NUL in a header", _get(b"X: \0"), "http 400", "VS1101"),
    _ask("length and chunks", _TWO_LENGTHS, "http 400", "VS1101"),
    _ask("two lengths", _post(_SAMPLES, _OCTETS + b"Content-Length: 9\r\n", b"abc"), "http 400", "VS1101"),
    _ask("chunked twice", _get(b"Transfer-Encoding: chunked, chunked"), "http 400", "VS1101"),
    _ask("gzip as transfer", _get(b"Transfer-Encoding: gzip, chunked"), "http 400", "VS1101"),
    _ask("negative length", _post(_SAMPLES, _OCTETS, b"", claim=-1), "http 400", "VS1101"),
    _ask("17 KiB head", _get(b"X: " + b"y" * 17_000), "http 431", "VS1102"),
    _ask("100 headers", _get(*[b"X: y"] * 100), "http 431", "VS1102"),
    _ask("target without end", b"GET /" + b"a" * (1 << 20), "http 431", "VS1102"),
    _ask("upgrade to nowhere", opening("/nowhere"), "http 404", "VS1108"),
    _ask("upgrade of version 8", opening("/speech_summary_stream").replace(b"n: 13", b"n: 8"), "http 426", "VS1106"),
    _ask("upgrade by POST", opening("/speech_summary_stream").replace(b"GET", b"POST"), "http 400", "VS1105"),
    _ask("upgrade with a body", opening("/speech_summary_stream", "Content-Length: 5") + b"abcde", "http 400", "VS1105"),
    _ask("WebSocket path without upgrade", _get(path=b"/speech_summary_stream"), "http 426", "VS1107"),
    _kept("upgrade", opening("/speech_summary_stream"), "http 426"),
    _kept("upgrade and stray bytes", opening("/speech_summary_stream") + b"\x82\x05stray\n", "http 426", "http 400"),
    _kept("length and chunks", _TWO_LENGTHS, "http 400"),
    _kept("no HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", "http 400"),
    _kept("head without end", b"GET /" + b"a" * (1 << 20), "http 400", "http 431"),
    _posted("no body", _SAMPLES, _OCTETS, b"", 400, "VS1407"),
    _posted("odd byte count", _SAMPLES, _OCTETS, bytes(1601), 400, "VS2006"),
    _posted("text for samples", _SAMPLES, b"Content-Type: text/html\r\n", b"<html>", 415, "VS1415"),
    _posted("rate in other digits", _SAMPLES.replace("8000", "%D9%A8%D9%A0%D9%A0%D9%A0"), _OCTETS, bytes(160), 400, "VS1402"),
    _posted("path through the roof", "/../../etc/passwd", _OCTETS, b"", 404, "VS1404"),
    _let_go("10 GB by its own word", _post(_SAMPLES, _OCTETS, b"", claim=10**10), 413, "VS1413"),
    _let_go("body to nowhere", _post("/nowhere", _OCTETS, b"abc", claim=1000), 404, "VS1404"),
    _let_go("60 MiB", _post(_SAMPLES, _OCTETS, bytes(60 << 20)), 413, "VS1413"),
    _let_go("1 MiB of JSON", _post(_MATCH, _JSON, b'{"template1":"' + b"A" * (1 << 20)), 413, "VS1413"),
    _posted("JSON nested 30,000 deep", _MATCH, _JSON, b"[" * 30_000, 400, "VS1406"),
    _posted("JSON of the wrong shape", _MATCH, _JSON, b'{"template1":1,"template2":[]}', 400, "VS1406"),
    _posted("two bad templates", _MATCH, _JSON, b'{"template1":"AAAA","template2":"AAAA"}', 400, "VS30"),
    _posted("no form", _FILE, b"Content-Type: multipart/form-data\r\n", b"abc", 400, "VS1409"),
    _posted("form without the part", _FILE, _FORM, _part(_wav()).replace(b"audio_file", b"image_file"), 400, "VS1403"),
    _posted("form without its end", _FILE, _FORM, _part(_wav())[:-10], 400, "VS1409"),
    _posted("1000 parts", _FILE, _FORM, _part(b"").removesuffix(b"--xyz--\r\n") * 1000, 413, "VS1413"),
    _posted("text called WAV", _FILE, _FORM, _part(b"not a sound at all" * 20), 415, "VS2002"),
    _posted("program called WAV", _FILE, _FORM, _part(b"\x7fELF" + bytes(range(256)) * 8), 415, "VS2002"),
    _posted("WAV of 65535 channels", _FILE, _FORM, _part(_wav(channels=65535)), 400, "VS20"),
    _posted("WAV of 4 GHz", _FILE, _FORM, _part(_wav(rate=2**32 - 1)), 400, "VS20"),
    _posted("WAV of no rate", _FILE, _FORM, _part(_wav(rate=0)), 400, "VS20"),
    _posted("WAV cut in its header", _FILE, _FORM, _part(_wav()[:30]), 400, "VS20"),
    _posted("WAV that says 4 GiB", _FILE, _FORM, _part(_wav(riff_size=2**32 - 1, data_size=2**32 - 1)), 200, ""),
    _cut_off("body shorter than its length", _post(_SAMPLES, _OCTETS, bytes(100), claim=100_000)),
    _cut_off("chunks without their end", _CHUNKED + b"fff\r\nabc"),
    _ask("bad chunk size", _CHUNKED + b"-1\r\nabc\r\n", "http 400", "", "end", "reset"),
]  # fmt: skip
