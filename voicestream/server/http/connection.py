"""quart-trio's handling of one request, with two repairs that hold for 0.12.0."""

from typing import Any
from urllib.parse import urlsplit

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from quart.app import Quart
from quart_trio.asgi import TrioASGIHTTPConnection


class Connection(TrioASGIHTTPConnection):
    """One request and its answer."""

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        scope["path"] = _path(scope["path"])
        super().__init__(app, scope)

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        async def send_whole(message: Any) -> None:
            # The last send also closes a connection that is not kept alive; the disconnect this causes cancels
            # the request, which would be the close itself, and the peer would wait for ever for the end.
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            with trio.CancelScope(shield=last):
                await send(message)

        await super().__call__(receive, send_whole)


def _path(target: str) -> str:
    """The path of a request line, also in absolute form (RFC 9112, section 3.2.2); quart raises where there is none (`GET ?x`)."""
    if target.startswith("/"):
        return target
    try:
        return "/" + urlsplit(target).path.lstrip("/")
    except ValueError:  # `http://[x`
        return "/" + target
