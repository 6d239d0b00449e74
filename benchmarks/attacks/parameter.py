"""Attacks on the text parameters: each is answered "500", the connection goes on, and a good one is still taken."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from zlib import crc32

from benchmarks.attacks.peer import BINARY, TEXT, Attack, Peer, Target, connected, frame

_ENDPOINTING = ("500", "300", "16000")
_PATHS = {
    "endpointing": "/speech_endpoint_detector",
    "summary": "/speech_summary_stream",
    "summary opus": "/speech_summary_stream_opus",
    "verify": "/voice_verify_stream",
}


async def _ask(peer: Peer, text: str) -> str:
    await peer.say(frame(TEXT, text.encode()))
    return await peer.answers(1)


def _refused(name: str, service: str, before: tuple[str, ...], text: str, good: str, code: str) -> Attack:
    """`text` after the good parameters `before`: 500; `good` in its place: 200."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.upgrade(_PATHS[service])
            for parameter in before:
                await _ask(peer, parameter or target.template)
            return f"{await _ask(peer, text)} {await _ask(peer, good or target.template)}"

    return Attack(f"{service}: {name}", run, ("500 200",), code)


def _bad_template(name: str, spoil: Callable[[str], str], code: str) -> Attack:
    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.upgrade(_PATHS["verify"])
            return f"{await _ask(peer, spoil(target.template))} {await _ask(peer, target.template)}"

    return Attack(f"template: {name}", run, ("500 200",), code)


def _changed(template: str, at: int, *, sum_again: bool) -> str:
    """The template with one bit of the byte at `at` flipped; `sum_again`: and a checksum that fits."""
    data = bytearray(b64decode(template))
    data[at] ^= 0x10
    if sum_again:
        data[-4:] = crc32(data[:-4]).to_bytes(4, "little")
    return b64encode(data).decode()


async def _binary_first(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade(_PATHS["endpointing"])
        await peer.say(frame(BINARY, bytes(960)))
        early = await peer.answers(1)
        return " ".join([early, *[await _ask(peer, text) for text in _ENDPOINTING]])


async def _text_after(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade(_PATHS["endpointing"])
        for text in _ENDPOINTING:
            await _ask(peer, text)
        surplus = await _ask(peer, "16000")
        await peer.say(frame(BINARY, bytes(960)))
        audio = await peer.answers(1)
        late = await _ask(peer, "16000")
        await peer.say(frame(BINARY, bytes(960)))
        return f"{surplus} {audio} {late} {await peer.answers(1)}"


async def _huge_template(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade(_PATHS["verify"])
        await peer.say(frame(TEXT, b"", claim=100 << 20))
        for _ in range(64):  # it may go on sending: nobody keeps it
            await peer.say(bytes(1 << 20))
        return await peer.ending()


_NOT_WHOLE = {
    "empty": "", "words": "loud", "other digits": "١٦٠٠٠", "full width digits": "１６０００", "exponent": "1e9", "line feed": "16000\n",
    "space": " 16000", "sign": "+16000", "negative": "-1", "decimals": "16000.0", "hexadecimal": "0x3e80", "underscore": "16_000",
    "superscript": "16000²", "ten digits": "1600000000", "ten thousand digits": "9" * 10_000, "JSON": '{"rate":16000}', "NUL": "16000\0",
}  # fmt: skip

ATTACKS = [
    *(_refused(f"rate, {name}", "summary", (), text, "16000", "VS1202") for name, text in _NOT_WHOLE.items()),
    _refused("rate nobody has", "summary", (), "16001", "16000", "VS1202"),
    _refused("rate of no Opus decoder", "summary opus", (), "44100", "48000", "VS1202"),
    *(_refused(f"duration, {name}", "endpointing", (), text, "500", "VS1201") for name, text in _NOT_WHOLE.items()),
    _refused("duration too long", "endpointing", ("500",), "600001", "600000", "VS1201"),
    _refused("context in words", "verify", ("", "16000"), "NaN", "10", "VS1203"),
    _refused("context without end", "verify", ("", "16000"), "1e9", "10", "VS1203"),
    _refused("context too short", "verify", ("", "16000"), "0.4", "10", "VS1203"),
    _refused("window longer than context", "verify", ("", "16000", "3"), "10", "3", "VS1204"),
    _refused("window with a line feed", "verify", ("", "16000", "3"), "3\n", "3", "VS1204"),
    _bad_template("empty", lambda template: "", "VS3021"),
    _bad_template("not base64", lambda template: "*" + template[1:], "VS3021"),
    _bad_template("white space inside", lambda template: template[:40] + "\n" + template[40:], "VS3021"),
    _bad_template("other letters", lambda template: "Я" * len(template), "VS3021"),
    _bad_template("without padding", lambda template: (template + "AA==").rstrip("="), "VS3021"),
    _bad_template("four layers of quotes", lambda template: '""""' + template + '""""', "VS3021"),
    _bad_template("truncated", lambda template: template[: len(template) // 8 * 4], "VS30"),
    _bad_template("bit flipped in the vector", lambda template: _changed(template, 80, sum_again=False), "VS3006"),
    _bad_template("of another model", lambda template: _changed(template, 24, sum_again=True), "VS3007"),
    _bad_template("of another product", lambda template: b64encode(b"<vt3.14>" + bytes(200)).decode(), "VS3022"),
    _bad_template("pickle", lambda template: b64encode(b"\x80\x04cos\nsystem\n(S'true'\ntR.").decode(), "VS30"),
    _bad_template("60 KiB", lambda template: "A" * 60 * 1024, "VS30"),
    Attack("template: 100 MB", _huge_template, ("close 1009",), "VS1123"),
    Attack("audio before the parameters", _binary_first, ("500 200 200 200",), "VS1205"),
    Attack("text after the parameters and after audio", _text_after, ("500 false 500 false",), "VS1206"),
]
