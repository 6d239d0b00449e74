"""Binary attachments: bytes anywhere in the data of a packet travel as messages of their own behind it.

    ["upload", {"audio": b"..."}]  ──►  ["upload", {"audio": {"_placeholder": true, "num": 0}}] and the bytes

Numbered depth first, keys in their order (socketio.md section 7).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from voicestream.errors import SOCKET_PACKET, PeerError

Value: TypeAlias = "bool | int | float | str | bytes | Sequence[Value] | Mapping[str, Value] | None"  # JSON, and bytes


def take_apart(value: Value, attachments: list[bytes]) -> Value:
    """Give `value` with placeholders for its bytes, which are added to `attachments`."""
    if isinstance(value, bytes):
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, (list, tuple)):
        return [take_apart(part, attachments) for part in value]
    if isinstance(value, Mapping):
        return {key: take_apart(part, attachments) for key, part in value.items()}
    return value


def put_together(value: Value, attachments: Sequence[bytes]) -> Value:
    """Give `value` with its placeholders replaced; PeerError for one that names no attachment."""
    if isinstance(value, list):
        return [put_together(part, attachments) for part in value]
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return attachments[_index(value.get("num"), len(attachments))]
        return {key: put_together(part, attachments) for key, part in value.items()}
    return value


def check_placeholders(value: Value, count: int) -> None:
    """Refuse a packet at its text, before `count` attachments are waited for."""
    put_together(value, [b""] * count)


def _index(num: Value, count: int) -> int:
    if type(num) is not int or not 0 <= num < count:
        raise PeerError(SOCKET_PACKET, "placeholder")
    return num
