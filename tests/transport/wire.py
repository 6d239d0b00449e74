"""What a WebSocket client puts on the wire, right or wrong, written byte by byte from RFC 6455 section 5.2."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"\x37\xfa\x21\x3d"  # of the examples in section 5.7

OPENING = (
    b"GET %s HTTP/1.1\r\nHost: voice.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


def opening(path: str = "/talk", *headers: str) -> bytes:
    """A good upgrade request, with `headers` added."""
    return OPENING % (path.encode(), b"".join(header.encode() + b"\r\n" for header in headers))


def masked(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    mask: bool = True,
    length_bytes: int | None = None,
    length: int | None = None,
) -> bytes:
    """One client frame. length_bytes 0, 2 or 8: its form, shortest when None; length: what the header claims."""
    claimed = len(payload) if length is None else length
    if length_bytes is None:
        length_bytes = 0 if claimed < 126 else 2 if claimed < 65536 else 8
    short = {0: claimed, 2: 126, 8: 127}[length_bytes]
    head = bytes(((0x80 if final else 0) | reserved << 4 | opcode, (0x80 if mask else 0) | short))
    head += claimed.to_bytes(length_bytes, "big") if length_bytes else b""
    if not mask:
        return head + payload
    return head + KEY + bytes(byte ^ KEY[i % 4] for i, byte in enumerate(payload))


def closing(code: int, reason: bytes = b"") -> bytes:
    return masked(CLOSE, code.to_bytes(2, "big") + reason)


def split(stream: bytes) -> list[tuple[int, bytes]]:
    """A server's whole frames as (opcode, payload); they must be final, unmasked and in their shortest form."""
    frames = []
    while stream:
        assert stream[0] & 0xF0 == 0x80
        size, begin = stream[1], 2
        if size > 125:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(stream[2:begin], "big")
            assert size > (125 if begin == 4 else 65535)
        assert begin + size <= len(stream), "a frame is cut off"
        frames.append((stream[0] & 0x0F, stream[begin : begin + size]))
        stream = stream[begin + size :]
    return frames


def close_code(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "big")
