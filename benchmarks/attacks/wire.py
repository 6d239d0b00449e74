"""Attacks with WebSocket frames, on a stream that awaits audio: each ends with the close code of RFC 6455."""

from collections.abc import Iterable, Iterator

from benchmarks.attacks.peer import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, Attack, Target, connected, frame, streaming

_SILENCE = frame(BINARY, bytes(640))


def _frames(name: str, data: bytes, ending: str, code: str) -> Attack:
    """These bytes, and the connection ends so."""

    async def run(target: Target) -> str:
        async with streaming(target) as peer:
            await peer.say(data)
            return await peer.ending()

    return Attack(f"frame: {name}", run, (ending,), code)


def _borne(name: str, pieces: Iterable[bytes], answers: int = 0) -> Attack:
    """Odd but legal: `answers` summaries come, and the stream goes on."""

    async def run(target: Target) -> str:
        async with streaming(target) as peer:
            for piece in pieces:
                await peer.say(piece)
            await peer.answers(answers)
            await peer.say(_SILENCE)
            last = await peer.answers(1)
            return "answered" if last.startswith("{") else last

    return Attack(f"frame: {name}", run, ("answered",))


def _early(name: str, data: bytes, ending: str, code: str) -> Attack:
    """`data` in the same segment as the upgrade's head."""

    async def run(target: Target) -> str:
        async with connected(target) as peer:
            await peer.upgrade("/speech_summary_stream", early=data)
            return await peer.answers(1)

    return Attack(f"behind the head: {name}", run, (ending,), code)


async def _deflate(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade("/speech_summary_stream", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        await peer.say(frame(TEXT, b"\x32\x34\x33\x30\x00\x02\x00", reserved=RSV1))
        return await peer.ending()


async def _opus_garbage(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade("/speech_summary_stream_opus")
        await peer.say(frame(TEXT, b"16000") + frame(BINARY, b"\xff" * 600) * 2 + frame(BINARY))
        return (await peer.answers(4))[:13]


async def _opus_too_long(target: Target) -> str:
    async with connected(target) as peer:
        await peer.upgrade("/speech_summary_stream_opus")
        await peer.say(frame(TEXT, b"16000") + frame(BINARY, bytes(100_000)) + frame(BINARY))
        return (await peer.answers(3))[:9]


def _never_ending(size: int) -> Iterator[bytes]:
    yield frame(BINARY, bytes(size), final=False)
    for _ in range(200):
        yield frame(CONTINUATION, bytes(size), final=False)


def _fragments(sizes: Iterable[int]) -> bytes:
    *others, last = sizes
    opcodes = [BINARY, *[CONTINUATION] * len(others)]
    pieces = [frame(opcode, bytes(size), final=False) for opcode, size in zip(opcodes, others, strict=False)]
    return b"".join(pieces) + frame(CONTINUATION, bytes(last))


ATTACKS = [
    _frames("unmasked", frame(BINARY, bytes(640), mask=False), "close 1002", "VS1121"),
    _frames("reserved bits", frame(BINARY, bytes(640), reserved=RSV1), "close 1002", "VS1121"),
    _frames("unknown opcode", frame(3, bytes(640)), "close 1002", "VS1121"),
    _frames("unknown control opcode", frame(11), "close 1002", "VS1121"),
    _frames("long ping", frame(PING, bytes(126)), "close 1002", "VS1121"),
    _frames("fragmented ping", frame(PING, b"?", final=False), "close 1002", "VS1121"),
    _frames("length in a long form", b"\x82\xfe\x00\x05" + bytes(9), "close 1002", "VS1121"),
    _frames("length of 2^63", b"\x82\xff\x80" + bytes(11), "close 1002", "VS1121"),
    _frames("length of 2^63 - 1", b"\x82\xff\x7f" + b"\xff" * 11, "close 1009", "VS1123"),
    _frames("continuation of nothing", frame(CONTINUATION, bytes(640)), "close 1002", "VS1121"),
    _frames("message inside a message", frame(BINARY, bytes(2), final=False) + _SILENCE, "close 1002", "VS1121"),
    _frames("bad UTF-8", frame(TEXT, b"16000\xff"), "close 1007", "VS1122"),
    _frames("bad UTF-8 across fragments", frame(TEXT, b"\xc3", final=False) + frame(CONTINUATION, b"("), "close 1007", "VS1122"),
    _frames("surrogate", frame(TEXT, b"\xed\xa0\x80"), "close 1007", "VS1122"),
    _frames("16 MiB", frame(BINARY, bytes(16 << 20)), "close 1009", "VS1123"),
    _frames("16 MiB, header alone", frame(BINARY, claim=16 << 20), "close 1009", "VS1123"),
    _frames("100 KiB of text", frame(TEXT, b"1" * 100_000), "close 1009", "VS1123"),
    _frames("2 MiB in fragments", b"".join(_never_ending(64 * 1024)), "close 1009", "VS1123"),
    _frames("never-ending fragments", b"".join(_never_ending(640)), "close 1008", "VS1124"),
    _frames("never-ending 1-byte fragments", b"".join(_never_ending(1)), "close 1008", "VS1124"),
    _frames("never-ending empty fragments", b"".join(_never_ending(0)), "close 1008", "VS1124"),
    _frames("ping flood", frame(PING, bytes(125)) * 5000, "close 1008", "VS1124"),
    _frames("close with half a code", frame(CLOSE, b"\x03"), "close 1002", "VS1121"),
    _frames("close with code 1005", frame(CLOSE, b"\x03\xed"), "close 1002", "VS1121"),
    _frames("close with code 0", frame(CLOSE, b"\0\0"), "close 1002", "VS1121"),
    _frames("close with bad UTF-8", frame(CLOSE, b"\x03\xe8\xff"), "close 1007", "VS1122"),
    _frames("noise", bytes(range(255, 127, -1)) * 40, "close 1002", "VS1121"),
    _borne("odd bytes", [frame(BINARY, bytes(641))] * 3, 3),
    _borne("zero bytes", [frame(BINARY)] * 100, 100),
    _borne("one byte a message", [frame(BINARY, b"\1")] * 500, 500),
    _borne("5000 one-byte messages at once", [frame(BINARY, b"\1") * 5000], 5000),
    _borne("1 MiB", [frame(BINARY, bytes(1 << 20))], 1),
    _borne("64 one-byte fragments", [_fragments([1] * 64)], 1),
    _borne("byte by byte", [bytes((byte,)) for byte in _SILENCE], 1),
    _borne("pings between fragments", [frame(BINARY, b"\0", final=False) + frame(PING) + frame(CONTINUATION, b"\0")], 1),
    _borne("20,000 unasked pongs", [frame(PONG, bytes(125)) * 20_000]),
    Attack("frame: deflate offered, then used", _deflate, ("close 1002",), "VS1121"),
    Attack("frame: Opus garbage", _opus_garbage, ("200 500 500 {",), "VS2020"),
    Attack("frame: Opus packet too long", _opus_too_long, ("200 500 {",), "VS2021"),
    _early("a stray line end", b"\r\n", "close 1002", "VS1121"),
    _early("a second request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "close 1002", "VS1121"),
    _early("a legal frame", frame(TEXT, b"16000"), "200", ""),
]
