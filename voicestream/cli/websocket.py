"""A WebSocket to a server, for every command that has one: who is refused is told why, as a numbered error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from trio_websocket import ConnectionRejected, DisconnectionTimeout, HandshakeError, WebSocketConnection, open_websocket_url

from voicestream import errors
from voicestream.cli.http import reason
from voicestream.errors import PeerError

_CLOSING_S = 5.0


@asynccontextmanager
async def open_websocket(
    url: str, headers: Mapping[str, str] | None = None, *, what: str = "", message_bytes: int, closing_s: float = _CLOSING_S
) -> AsyncIterator[WebSocketConnection]:
    """A WebSocket at `url`, closed with the block; `what` was refused is said first. A server that is slow to close is left behind.

    PeerError VS1021 where no server answers, VS1022 with the server's reason where it refuses.
    """
    fields = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    try:
        async with open_websocket_url(url, extra_headers=fields, max_message_size=message_bytes, disconnect_timeout=closing_s) as websocket:
            yield websocket
    except ConnectionRejected as rejection:
        why = f"{what} was refused with " if what else ""
        raise PeerError(errors.UNEXPECTED_ANSWER, f"{why}HTTP {rejection.status_code}{reason(rejection.body or b'')}") from rejection
    except DisconnectionTimeout:  # what was to be said is said; a failure of the block would have gone first
        pass
    except (HandshakeError, OSError) as error:
        raise PeerError(errors.UNREACHABLE, type(error).__name__) from error
