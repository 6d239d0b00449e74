"""Attacks on the doors of the telephone streams, by peers without a key: one answer to every forgery, and nobody's call is touched."""

import json

from benchmarks.attacks.peer import BINARY, TEXT, Attack, Target, connected, frame, opening

_TWILIO, _AUDIOHOOK = "/daspeak-stream/v1/twilio", "/daspeak-stream/v1/audiohook"
_UUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
_IDS = tuple(f"Audiohook-{name}-Id: {_UUID}" for name in ("Organization", "Session", "Correlation"))
_COVERED = '("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" "audiohook-correlation-id" "x-api-key")'
_INPUT = f'{_COVERED};keyid="k";nonce="0123456789012345678901";alg="hmac-sha256";created=1700000000;expires=9999999999'
_MAC = "A" * 43 + "="


def _at_the_door(name: str, path: str, *headers: str, code: str) -> Attack:
    """Refused before the upgrade."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(opening(path, *headers))
            return await peer.http()

    return Attack(f"telephone: {name}", run, ("http 401",), code)


def _behind_it(name: str, opcode: int, payload: bytes, close: int, code: str) -> Attack:
    """A Twilio stream that may still name its key in `start`."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.upgrade(_TWILIO)
            await peer.say(frame(opcode, payload))
            return await peer.ending()

    return Attack(f"telephone: {name}", run, (f"close {close}",), code)


def _forged(name: str, signature_input: str, signature: str = f"sig1=:{_MAC}:") -> Attack:
    fields = ("X-API-KEY: k", f"Signature-Input: {signature_input}", f"Signature: {signature}")
    return _at_the_door(name, _AUDIOHOOK, *_IDS, *fields, code="VS1740")


def _start(**parameters: object) -> bytes:
    return json.dumps({"event": "start", "start": {"callSid": "c", "customParameters": parameters}}).encode()


ATTACKS: list[Attack] = [
    _at_the_door("a guessed key", _TWILIO, "apikey: guessed", code="VS1710"),
    _at_the_door("a huge key", _TWILIO, "apikey: " + "k" * 8000, code="VS1710"),
    _at_the_door("two keys", _TWILIO, "apikey: one", "apikey: two", code="VS1710"),
    _behind_it("a guessed key in start", TEXT, _start(apikey="guessed"), 1008, "VS1710"),
    _behind_it("no key in start", TEXT, _start(), 1008, "VS1710"),
    _behind_it("the key a lone surrogate", TEXT, _start().replace(b"{}", b'{"apikey":"\\ud800"}'), 1007, "VS1701"),
    _behind_it("audio before start", TEXT, b'{"event":"media","media":{"payload":"/////w=="}}', 1007, "VS1704"),
    _behind_it("nested JSON", TEXT, b'{"event":' + b"[" * 30_000, 1007, "VS1701"),
    _behind_it("binary", BINARY, bytes(160), 1003, "VS1703"),
    _at_the_door("no AudioHook key", _AUDIOHOOK, *_IDS, code="VS1740"),
    _at_the_door("an unsigned AudioHook key", _AUDIOHOOK, *_IDS, "X-API-KEY: k", code="VS1740"),
    _forged("a forged signature", f"sig1={_INPUT}"),
    _forged("many labels", ", ".join(f"s{number}=()" for number in range(600))),
    _forged("many components", "sig1=(" + '"x" ' * 1000 + ")"),
    _forged("nested lists", "sig1=" + "(" * 7000),
    _forged("a huge number", "sig1=" + _INPUT.replace("1700000000", "9" * 7000)),
    _forged("a huge signature", f"sig1={_INPUT}", "sig1=:" + "A" * 7000 + ":"),
]
