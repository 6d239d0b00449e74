"""RFC 6455 for a server as the sections say it, on the whole stream at once: the codec's slow obvious twin."""

from dataclasses import dataclass, field

from voicestream.transport.rfc6455 import MessageLimit


@dataclass
class Outcome:
    """All that a stream leads to."""

    messages: list[str | bytes] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)  # payloads
    peer_close: int | None = None
    failure: int | None = None  # the close code


class _Failed(Exception):
    pass


def read_all(stream: bytes, limit: MessageLimit) -> Outcome:
    """The outcome of `stream`, of which the end may be cut off."""
    outcome = Outcome()
    try:
        _frames(stream, limit, outcome)
    except _Failed as failed:
        outcome.failure = failed.args[0]
    except UnicodeDecodeError:
        outcome.failure = 1007
    return outcome


def _frames(stream: bytes, limit: MessageLimit, outcome: Outcome) -> None:
    parts: list[bytes] = []
    kind = 0  # opcode of the message under way
    while len(stream) >= 2 and outcome.peer_close is None:
        opcode, size, final = stream[0] & 15, stream[1] & 127, bool(stream[0] & 128)
        _refuse(1002, bool(stream[0] & 0x70), stream[1] < 128, opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15))
        _refuse(1002, opcode >= 8 and (size > 125 or not final))
        wide = {126: 2, 127: 8}.get(size, 0)
        if len(stream) < 6 + wide:
            return
        if wide:
            size = int.from_bytes(stream[2 : 2 + wide], "big")
            _refuse(1002, size < (126 if wide == 2 else 65536), size >= 1 << 63)
        _refuse(1009, size > max(limit.text_bytes, limit.binary_bytes))
        if len(stream) < 6 + wide + size:
            return
        key, data = stream[2 + wide : 6 + wide], stream[6 + wide : 6 + wide + size]
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(data))
        stream = stream[6 + wide + size :]
        if opcode == 9:
            outcome.pongs.append(payload)
        elif opcode == 8:
            _close(payload, outcome)
        elif opcode < 3:
            _refuse(1002, (opcode == 0) != bool(kind))
            kind = opcode or kind
            parts.append(payload)
            _refuse(1009, sum(map(len, parts)) > (limit.text_bytes if kind == 1 else limit.binary_bytes))
            _refuse(1008, len(parts) > limit.fragments)
            whole = b"".join(parts)
            if kind == 1:
                _check_so_far(whole, final)
            if final:
                outcome.messages.append(whole.decode() if kind == 1 else whole)
                parts, kind = [], 0


def _close(payload: bytes, outcome: Outcome) -> None:
    code = int.from_bytes(payload[:2], "big") if payload else 1005
    allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, *range(3000, 5000)]
    _refuse(1002, len(payload) == 1, bool(payload) and code not in allowed)
    payload[2:].decode()
    outcome.peer_close = code


def _check_so_far(text: bytes, final: bool) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        if final or error.reason != "unexpected end of data":
            raise


def _refuse(code: int, *faults: bool) -> None:
    if any(faults):
        raise _Failed(code)
