"""A das-Peak server of a few lines, for the client's tests: each side is a script."""

import json
from collections.abc import Awaitable, Callable

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

Script = Callable[[WebSocketConnection], Awaitable[None]]

NAMESPACE = "/socket.io/register"
READY = ("info-consumer-ready", {"content": "Audio consumer for provided audio protocol is ready"})


def event(name: str, fields: dict[str, object], *arguments: object) -> str:
    payload = json.dumps([name, {"event": name} | fields, *arguments])
    return f"42{NAMESPACE},{payload}"


def status(seconds: float, percent: int) -> str:
    fields = {"content": "Voice activity detection percentage", "audio_seconds": seconds, "vad_percentage": percent}
    return event("info-vad-status", fields)


class Server:
    """`signalling` and `audio` are what it does with the two connections; `heard` is what the client said, in order, per side."""

    def __init__(self, signalling: Script, audio: Script | None = None) -> None:
        self._signalling = signalling
        self._audio = audio
        self.initialize: dict[str, object] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.url = self.goodbye = ""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            listening = await nursery.start(serve_websocket, self._serve, "127.0.0.1", 0, None)
            self.url = f"http://127.0.0.1:{listening.port}"
            task_status.started()

    async def _serve(self, request: WebSocketRequest) -> None:
        side = "signalling" if request.path.startswith("/socket.io/") else "audio"
        self.headers[side] = {name.decode().lower(): value.decode() for name, value in request.headers}
        script = self._join if side == "signalling" else self._audio
        if script is None:
            await request.reject(401)
            return
        websocket = await request.accept()
        try:
            await script(websocket)
            while True:  # the client leaves
                await websocket.get_message()
        except ConnectionClosed:
            pass

    async def _join(self, websocket: WebSocketConnection) -> None:
        await websocket.send_message('0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')
        assert await websocket.get_message() == f"40{NAMESPACE},{{}}"
        await websocket.send_message(f'40{NAMESPACE},{{"sid":"b"}}')
        said = str(await websocket.get_message())
        self.initialize = json.loads(said.removeprefix(f"42{NAMESPACE},"))[1]
        await self._signalling(websocket)
        self.goodbye = str(await websocket.get_message())
