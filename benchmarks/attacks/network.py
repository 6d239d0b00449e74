"""Attacks by time and by silence: whoever is slow, deaf or gone is let go at a deadline, quietly."""

from collections.abc import Iterable

from benchmarks.attacks.peer import BINARY, TEXT, Attack, Target, connected, frame, opening, streaming

_REQUEST = b"POST /speech_summary_engine/get_speech_summary_from_samples?sample_rate=8000 HTTP/1.1\r\nHost: x\r\n"
_OCTETS = _REQUEST + b"Content-Type: application/octet-stream\r\n"


def _singly(data: bytes) -> tuple[bytes, ...]:
    return tuple(bytes((byte,)) for byte in data)


def _slow_words(name: str, first: bytes, rest: Iterable[bytes], allowed: tuple[str, ...], code: str) -> Attack:
    """`first` at once, then byte after byte."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(first)
            await peer.drip(rest, target)
            return await peer.http()

    return Attack(f"slow: {name}", run, allowed, code, slow=True)


def _slow_frames(name: str, first: bytes, rest: Iterable[bytes], ending: str, code: str) -> Attack:
    async def run(target: Target) -> str:
        async with streaming(target) as peer:
            await peer.say(first)
            await peer.drip(rest, target)
            return await peer.ending()

    return Attack(f"slow: {name}", run, (ending,), code, slow=True)


async def _silent(target: Target) -> str:
    async with connected(target) as peer:
        return await peer.cut()


async def _half_open(target: Target) -> str:
    """Upgrades and then neither speaks nor answers pings, as a peer whose cable was pulled."""
    async with streaming(target) as peer:
        return await peer.ending()


async def _deaf(target: Target) -> str:
    """Sends audio and never reads: answers pile up where they cost least, and then it is let go."""
    async with streaming(target, receive_bytes=4096) as peer:
        await peer.say(b"".join(frame(BINARY, bytes(960)) for _ in range(2000)))
        return await peer.cut_unread(target)


async def _deaf_flood(target: Target) -> str:
    """More unread answers than are kept."""
    async with streaming(target, receive_bytes=4096) as peer:
        await peer.say(frame(BINARY) * 120_000)
        return await peer.cut_unread(target)


def _resets(name: str, data: bytes) -> Attack:
    """A storm of connections, each reset in the middle of `data`."""

    async def run(target: Target) -> str:
        for _ in range(20):
            async with connected(target) as peer:
                await peer.say(data)
                peer.reset()
        return "done"

    return Attack(f"reset: {name}", run, ("done",))


def _ends(name: str, data: bytes, allowed: tuple[str, ...]) -> Attack:
    """FIN behind `data`."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.say(data)
            await peer.finish_sending()
            return await peer.cut()

    return Attack(f"end of stream: {name}", run, allowed)


_STREAM = opening("/speech_summary_stream") + frame(TEXT, b"16000") + frame(BINARY, bytes(3200))
_STAGES = {
    "nothing": b"", "half a head": b"GET / HT", "upgrade": opening("/voice_verify_stream"),
    "half a frame": _STREAM + frame(BINARY, bytes(100), claim=1000), "stream": _STREAM,
    "half a body": _OCTETS + b"Content-Length: 100\r\n\r\nabc",
}  # fmt: skip

ATTACKS = [
    Attack("slow: nothing at all", _silent, ("cut",), slow=True),
    _slow_words("request head", b"GET /healthz HTTP/1.1\r\nX: ", _singly(b"y" * 500), ("http 408",), "VS1103"),
    _slow_words("upgrade head", opening("/speech_summary_stream")[:-2], _singly(b"X: " + b"y" * 500), ("http 408",), "VS1103"),
    _slow_words("body", _OCTETS + b"Content-Length: 1000\r\n\r\n", _singly(bytes(500)), ("http 408", "http 408, kept"), "VS1408"),
    _slow_words(
        "chunked body",
        _OCTETS + b"Transfer-Encoding: chunked\r\n\r\n",
        _singly(b"2\r\nab\r\n" * 100),
        ("http 408", "http 408, kept"),
        "VS1408",
    ),
    _slow_frames("frame header", b"", _singly(frame(BINARY, bytes(500), claim=70_000)), "close 1008", "VS1207"),
    _slow_frames("payload", frame(BINARY, claim=1000), _singly(bytes(500)), "close 1008", "VS1207"),
    _slow_frames("fragments", frame(BINARY, b"", final=False), [frame(0, b"\0", final=False)] * 60, "close 1008", "VS1207"),
    Attack("half-open", _half_open, ("close 1011", "close 1008"), "VS1", slow=True),
    Attack("never reads", _deaf, ("cut",), "VS1126", slow=True),
    Attack("never reads, sends without end", _deaf_flood, ("cut",), "VS1", slow=True),
    *(_resets(name, data) for name, data in _STAGES.items()),
    *(_ends(name, data, ("cut",)) for name, data in _STAGES.items()),
]
