"""A das-Peak server that shares no line with ours: python-socketio for signalling, hypercorn's WebSocket for Twilio audio.

It counts audio instead of voice: half a second more for each status, a result when the wanted seconds are there.
"""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import socketio
from hypercorn.asyncio import serve
from hypercorn.config import Config

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Vendor:
    """`score` is every caller's authenticity and similarity; `url` is where it listens."""

    def __init__(self, score: float = 0.99, hands_audio_back: bool = True) -> None:
        self.initialized: dict[str, Any] = {}
        self.score = score
        self._hands_audio_back = hands_audio_back
        self._sio = socketio.AsyncServer(async_mode="asgi")
        self._waiting: dict[str, tuple[str, str, float]] = {}  # call_id -> namespace, sid, seconds wanted
        for kind in ("register", "verify"):
            self._sio.on("connect", self._connect, namespace=f"/socket.io/{kind}")
            self._sio.on("initialize", self._initializer(kind), namespace=f"/socket.io/{kind}")
        self._socketio = socketio.ASGIApp(self._sio)
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._descriptor = listening.detach()  # hypercorn closes it
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Vendor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        config = Config()
        config.bind = [f"fd://{self._descriptor}"]
        config.errorlog = None
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve(self._app, config, shutdown_trigger=self._stop.wait))

    def await_call(self, call_id: str) -> None:
        """As if somebody had asked for a second of it."""
        self._waiting[call_id] = "/socket.io/register", "nobody", 1.0

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        if environ.get("HTTP_AUTHORIZATION") != "Bearer t1":
            raise ConnectionRefusedError("invalid token")

    def _initializer(self, kind: str) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
        async def initialize(sid: str, data: dict[str, Any]) -> None:
            self.initialized = data
            namespace = f"/socket.io/{kind}"
            self._waiting[data["metadata"]["call_id"]] = namespace, sid, data[f"{kind}_request"]["audio_total_duration"]
            await self._tell(namespace, sid, "info-consumer-ready", {"content": "ready"})

        return initialize

    async def _tell(self, namespace: str, sid: str, event: str, fields: dict[str, Any], audio: bytes | None = None) -> None:
        payload = {"event": event} | fields
        arguments = (payload, audio) if self._hands_audio_back else payload
        await self._sio.emit(event, arguments, to=sid, namespace=namespace)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"] == "/socket.io/oauth2/token":
            await self._token(receive, send)
        elif scope["type"] == "websocket" and scope["path"] == "/daspeak-stream/v1/twilio":
            await self._twilio(scope, receive, send)
        else:
            await self._socketio(scope, receive, send)

    async def _token(self, receive: Receive, send: Send) -> None:
        form = parse_qs((await receive())["body"].decode())
        good = form.get("client_secret") == ["s1"] and form.get("grant_type") == ["client_credentials"]
        answer = {"token_type": "Bearer", "access_token": "t1"} if good else {"error": "invalid_client"}
        await send({"type": "http.response.start", "status": 200 if good else 401, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _twilio(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if (b"apikey", b"k1") not in scope["headers"]:
            await send({"type": "websocket.close"})  # before it is accepted: HTTP 403
            return
        await send({"type": "websocket.accept"})
        mulaw, statuses = b"", 0
        while (text := (await receive()).get("text")) is not None:
            message = json.loads(text)
            if message["event"] == "start":
                namespace, sid, wanted_s = self._waiting[message["start"]["callSid"]]
                kind = namespace.rpartition("/")[2]
            elif message["event"] == "media":
                media = base64.b64decode(message["media"]["payload"])
                mulaw += media
                if len(mulaw) >= 4000 * statuses:
                    percent = int(50 * statuses / wanted_s)
                    await self._tell(namespace, sid, "info-vad-status", {"audio_seconds": statuses / 2, "vad_percentage": percent})
                    statuses += 1
                if 8000 * wanted_s <= len(mulaw) < 8000 * wanted_s + len(media):
                    await self._judge(kind, namespace, sid, mulaw)
                    await send({"type": "websocket.close", "code": 1000})
            elif message["event"] == "stop":
                await self._tell(namespace, sid, "error-audio", {"content": "too short"})

    async def _judge(self, kind: str, namespace: str, sid: str, mulaw: bytes) -> None:
        fields: dict[str, Any] = {"authenticity": self.score, "voice_audio_collected": len(mulaw) / 8000}
        name = "Registration" if kind == "register" else "Verification"
        if kind == "verify":
            fields["similarity"] = self.score
        if self.score < 0.5:
            await self._tell(namespace, sid, "result-fail-spoof", fields | {"content": f"{name}: rejected"})
        else:
            good = fields | {"content": f"{name}: approved"} | ({"credential": "dm9p"} if kind == "register" else {})
            await self._tell(namespace, sid, "result-success", good, mulaw)
