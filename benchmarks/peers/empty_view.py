"""What answers a POST with nothing: how fast HTTP alone is, below any endpoint.

    python -m benchmarks.peers.empty_view quart|asgi        prints its port, then serves until it is killed

quart: a view of quart-trio; asgi: an ASGI application of six lines. Both on hypercorn, as the server has it (transport/http.py).
"""

import sys
from typing import Any

import trio
from quart import Response, request
from quart_trio import QuartTrio

from benchmarks.measure import SERVER_CORE, pin, raise_file_limit
from voicestream.transport.http import HttpServer
from voicestream.transport.listener import listen

_BODY = b"{}"


def view() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.post("/oauth2/token")
    async def token() -> Response:
        await request.get_data()
        return Response(_BODY, content_type="application/json")

    return app


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            told = (await receive())["type"]
            await send({"type": f"{told}.complete"})
            if told == "lifespan.shutdown":
                return
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


async def main(app: Any) -> None:
    server = HttpServer(app)
    async with trio.open_nursery() as nursery:
        await server.start(nursery)
        sockets = await listen("127.0.0.1", 0)
        print(sockets[0].socket.getsockname()[1], flush=True)
        await trio.serve_listeners(lambda stream: server.serve(stream, b""), sockets)


if __name__ == "__main__":
    pin(SERVER_CORE)
    raise_file_limit()
    trio.run(main, view() if sys.argv[1] == "quart" else bare)
