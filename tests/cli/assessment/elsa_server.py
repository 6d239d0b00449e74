"""A server of speech assessment that shares no line with ours: trio-websocket for the streams, http.server for the twins."""

import io
import json
import queue
import ssl
import threading
import wave
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from tests.cli.assessment.golden import FREE, SENTENCE

TOKEN = "t1"


class ElsaServer:
    """`url` for streams, `http_url` for uploads; `said` is what came: texts as they are, WAV as (rate, samples as bytes)."""

    def __init__(self, result: dict[str, Any] | None = None, endpoint_after: int | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.said: list[Any] = []
        self.forms: list[bytes] = []
        self.hearing = threading.Event()  # the first audio is here
        self._result = result
        self._endpoint_after = endpoint_after  # packets until it has heard enough
        self._tls = tls  # of uploads
        self._ports: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._thread = threading.Thread(target=lambda: trio.run(self._serve))

    def __enter__(self) -> "ElsaServer":
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._ports.get()}"
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if self._tls is not None:
            self._http.socket = self._tls.wrap_socket(self._http.socket, server_side=True)
        self._http_thread = threading.Thread(target=self._http.serve_forever)
        self._http_thread.start()
        self.http_url = f"http{'s' * (self._tls is not None)}://127.0.0.1:{self._http.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._http_thread.join()
        trio.from_thread.run_sync(self._scope.cancel, trio_token=self._token)
        self._thread.join()

    async def _serve(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as self._scope:
            async with trio.open_nursery() as nursery:
                server = await nursery.start(serve_websocket, self.handle, "127.0.0.1", 0, None)
                self._ports.put(server.port)

    async def handle(self, request: WebSocketRequest) -> None:
        """One stream, unscripted or scripted by its path."""
        if dict(request.headers).get(b"authorization") != b"ELSA " + TOKEN.encode():
            body = json.dumps({"error": {"code": 0, "message": "Unauthorized", "errors": ["token: unknown"]}})
            await request.reject(401, body=body.encode())
            return
        websocket = await request.accept()
        with suppress(ConnectionClosed):
            await (self._free if request.path == "/api/v1/ws/score_audio_plus" else self._sentence)(websocket)

    async def _free(self, websocket: WebSocketConnection) -> None:
        await self._hear(websocket)
        await _tell(websocket, {"status": "accepted", "stream_id": "s-1"})  # a status that clients need not know
        await _tell(websocket, {"status": "processing", "stream_id": "s-1"})
        await self._hear_out(websocket)
        await _tell(websocket, {"status": "processing", "message": "Finished receiving audio"})
        result = FREE if self._result is None else self._result
        if result.get("status") == "bad_quality":
            await _tell(websocket, result)
            await _tell(websocket, {"status": "failed", "reason": "no_audio"})
        else:
            await _tell(websocket, {"status": "success", "result_link": "", "audio_link": "", **result})
        await websocket.aclose(1000)

    async def _sentence(self, websocket: WebSocketConnection) -> None:
        await _tell(websocket, {"type": "ELSA:wsConnect"})
        await self._hear(websocket)
        await _tell(websocket, {"type": "ELSA:start_stream_result", "data": {"stream_id": "s-1"}})
        await self._hear_out(websocket)
        await _tell(websocket, {"type": "ELSA:warning", "message": "noisy"})
        result = SENTENCE if self._result is None else self._result
        await _tell(websocket, {"type": "ELSA:decoding_result", "data": {**result, "stream_finished": True}})
        await _tell(websocket, {"type": "ELSA:ready"})
        await websocket.aclose(1000)

    async def _hear_out(self, websocket: WebSocketConnection) -> None:
        """Until the client or we have had enough."""
        packets = 0
        while packets != self._endpoint_after and (said := await self._hear(websocket)) != {"type": "ELSA:end_stream"}:
            assert not isinstance(said, dict)
            packets += 1

    async def _hear(self, websocket: WebSocketConnection) -> Any:
        message = await websocket.get_message()
        self.said.append(json.loads(message) if isinstance(message, str) else read_wav(message))
        if isinstance(message, bytes):
            self.hearing.set()
        return self.said[-1]

    def answer(self, path: str, token: str | None, body: bytes) -> tuple[int, Any]:
        """A request of the HTTP twins, or for a result behind a link (`body` is empty)."""
        if path.startswith("/results/"):
            return (404, {}) if token else (200, FREE)  # a link needs no token, and another server's must not get one
        self.forms.append(body)
        if token != f"ELSA {TOKEN}":
            return 401, {"error": {"code": 0, "message": "Unauthorized", "errors": []}}
        if self._result is not None:
            return 200, self._result
        return 200, FREE if path == "/api/v1/score_audio_plus" else SENTENCE


def read_wav(packet: bytes) -> tuple[int, bytes]:
    with wave.open(io.BytesIO(packet)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), file.readframes(file.getnframes())


async def _tell(websocket: WebSocketConnection, message: dict[str, Any]) -> None:
    await websocket.send_message(json.dumps(message))


def _handler(server: ElsaServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, told = server.answer(self.path, self.headers["Authorization"], body)
            answer = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    return Handler
