"""One service, once per WebSocket library: count what comes; answer every 25th message with the bytes so far, 42 digits.

    python -m benchmarks.peers.tally NAME        prints its port, then serves until it is killed

Each is written the way its own documentation shows. No compression: the clients never offer it.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable

from benchmarks.measure import SERVER_CORE, pin, raise_file_limit

PER_ANSWER = 25
ANSWER_DIGITS = 42
HOST = "127.0.0.1"
MANY = 100_000  # connections: never the limit here


class Tally:
    """What a connection has seen."""

    __slots__ = ("messages", "size")

    def __init__(self) -> None:
        self.messages = 0
        self.size = 0

    def add(self, size: int) -> str | None:
        """One message of `size` bytes; the answer when it is due."""
        self.messages += 1
        self.size += size
        return f"{self.size:042d}" if self.messages % PER_ANSWER == 0 else None


def announce(port: int) -> None:
    print(port, flush=True)


def voicestream() -> None:
    import trio

    from voicestream.transport.head import Refusal
    from voicestream.transport.listener import Admission, Listener, Route, anyone, listen
    from voicestream.transport.websocket import Disconnected, WebSocket

    async def handle(websocket: WebSocket) -> None:
        tally = Tally()
        waiting: list[str | bytes] = []

        def say(room_bytes: int) -> list[str | bytes]:
            said = waiting.copy()
            waiting.clear()
            return said

        def hear(messages: list[str | bytes]) -> bool:
            for message in messages:
                if (answer := tally.add(len(message))) is not None:
                    waiting.append(answer)
            websocket.flush()
            return True

        websocket.attach(say)
        with contextlib.suppress(Disconnected):
            await websocket.listen(hear)

    class Quiet:
        def refused(self, refusal: Refusal) -> None:
            print(bytes(refusal), file=sys.stderr)

        def opened(self, path: str, websocket: WebSocket) -> None: ...

        def closed(self, path: str, websocket: WebSocket) -> None: ...

        def escaped(self, error: BaseException) -> None:
            print(repr(error), file=sys.stderr)

    async def no_http(stream: trio.abc.Stream, data: bytes) -> None:
        await stream.aclose()

    async def main() -> None:
        listeners = await listen(HOST, 0)
        listener = Listener([Route("/", anyone(handle))], no_http, Quiet(), Admission(MANY, MANY))
        announce(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(listener.greet, listeners)

    trio.run(main)


def trio_websocket() -> None:
    import trio
    from trio_websocket import ConnectionClosed, WebSocketRequest, WebSocketServer, serve_websocket

    async def handle(request: WebSocketRequest) -> None:
        websocket = await request.accept()
        tally = Tally()
        try:
            while True:
                if (answer := tally.add(len(await websocket.get_message()))) is not None:
                    await websocket.send_message(answer)
        except ConnectionClosed:
            pass

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            server: WebSocketServer = await nursery.start(serve_websocket, handle, HOST, 0, None)
            announce(server.port)

    trio.run(main)


def websockets_asyncio() -> None:
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.exceptions import ConnectionClosed

    async def handle(websocket: ServerConnection) -> None:
        tally = Tally()
        try:
            async for message in websocket:
                if (answer := tally.add(len(message))) is not None:
                    await websocket.send(answer)
        except ConnectionClosed:
            pass

    async def main() -> None:
        async with serve(handle, HOST, 0, backlog=1024) as server:
            announce(next(iter(server.sockets)).getsockname()[1])
            await server.serve_forever()

    asyncio.run(main())


def _uvicorn(protocol: str) -> None:
    import uvicorn

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "websocket":
            return
        tally = Tally()
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            if (answer := tally.add(len(event["bytes"]))) is not None:
                await send({"type": "websocket.send", "text": answer})

    listener = socket.create_server((HOST, 0), backlog=1024)
    announce(listener.getsockname()[1])
    config = uvicorn.Config(app, ws=protocol, lifespan="off", log_level="error", loop="asyncio", backlog=1024)
    uvicorn.Server(config).run(sockets=[listener])


def uvicorn_websockets() -> None:
    _uvicorn("websockets-sansio")


def uvicorn_wsproto() -> None:
    _uvicorn("wsproto")


def picows() -> None:
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

    class Handler(WSListener):
        def on_ws_connected(self, transport: WSTransport) -> None:
            self.tally = Tally()

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code())
                transport.disconnect()
            elif (answer := self.tally.add(len(frame.get_payload_as_bytes()))) is not None:
                transport.send(WSMsgType.TEXT, answer.encode())

    def accept(request: WSUpgradeRequest) -> WSListener:
        return Handler()

    async def main() -> None:
        server = await ws_create_server(accept, HOST, 0, backlog=1024)
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


SERVERS: dict[str, Callable[[], None]] = {
    "voicestream": voicestream,
    "picows": picows,
    "websockets": websockets_asyncio,
    "uvicorn + websockets": uvicorn_websockets,
    "uvicorn + wsproto": uvicorn_wsproto,
    "trio-websocket": trio_websocket,
}


def main() -> None:
    pin(SERVER_CORE)
    raise_file_limit()
    SERVERS[sys.argv[1]]()


if __name__ == "__main__":
    main()
