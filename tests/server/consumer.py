"""The audio consumers behind a listener in memory, on a clock that is told, and somebody who asks for calls."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import trio
from trio_websocket import WebSocketConnection

from tests.transport.fake import Book
from tests.transport.live import no_http, open_port, open_stream, open_websocket
from voicestream.errors import Fault
from voicestream.protocols.base import Dialect, Refusal
from voicestream.server.config import Settings
from voicestream.server.consumer import AUDIOHOOK_PATH, TWILIO_PATH, Consumers, OpenSession
from voicestream.server.consumer_figure import ConsumerFigures
from voicestream.server.login import Login
from voicestream.server.metrics import Tally
from voicestream.server.shell import Conversation, Patience
from voicestream.server.switchboard import Switchboard
from voicestream.sessions.vocabulary import Call, CallState, Result
from voicestream.store.api_key import add_key
from voicestream.store.authority import Authority
from voicestream.store.database import FILE_NAME, Database
from voicestream.store.twilio_account import add_account
from voicestream.store.vault import Vault
from voicestream.transport.listener import Admission, Listener, Route
from voicestream.transport.websocket import Timing, WebSocket

AT = 1_700_000_000.0
T = TypeVar("T")


class NoRunner:
    async def run(self, work: Callable[[], T], model: str) -> T:
        raise AssertionError("no heavy work in a stream")


class Account:
    """Keeps what conversations refused."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.faults: list[Fault] = []

    def refused(self, refusal: Refusal) -> None:
        self.faults.append(refusal.fault)


class Ear:
    """Asks for a call; content after `wanted` bytes."""

    def __init__(self, call_id: str, wanted: float = float("inf")) -> None:
        self.call_id = call_id
        self.wanted = wanted
        self.calls: list[Call] = []
        self.heard = bytearray()
        self.skips = 0
        self.lost: list[Fault | None] = []

    def ready(self) -> None:
        pass

    def connect(self, call: Call) -> Result:
        self.calls.append(call)
        return CallState.HEARD

    def hear(self, payload: bytes) -> Result | None:
        self.heard += payload
        return CallState.COLLECTED if len(self.heard) >= self.wanted else None

    def skip(self) -> None:
        self.skips += 1

    def lose(self, fault: Fault | None) -> None:
        self.lost.append(fault)


class House:
    """Both consumers of one data folder. extra: other paths of a consumer's route, for signatures of other servers."""

    def __init__(self, folder: Path, settings: Mapping[str, object], extra: Mapping[str, str]) -> None:
        self.authority = Authority.open(folder, "https://voice.example", 3600)
        self.database = Database(folder / FILE_NAME)
        self.vault = Vault.load(folder)
        self.at = AT
        self.switchboard = self.open_switchboard()
        self.account = Account(Tally("call", "call"))
        self.figures = ConsumerFigures()
        self.book = Book()
        self.login = Login(self.authority, NoRunner(), lambda: self.at)  # type: ignore[arg-type]
        timing = Timing()
        routes = Consumers(Settings(**settings), self.login, self.switchboard, self._converse, self.figures, timing).routes  # type: ignore[arg-type]
        by_path = {route.path: route for route in routes}
        routes += [Route(path, by_path[like].admit, by_path[like].limit, by_path[like].timing) for path, like in extra.items()]
        self.routes = routes
        self.listener = Listener(routes, no_http, self.book, Admission(origins=frozenset({"https://voice.example"})))

    def open_switchboard(self) -> Switchboard:
        return Switchboard()

    async def _converse(self, path: str, websocket: WebSocket, dialect: Dialect, open_session: OpenSession) -> None:
        conversation = Conversation(
            websocket, dialect, lambda service: open_session(service, conversation), NoRunner(), self.account, Patience()
        )
        await conversation.run()

    # ---- who may come in

    def key(self, tenant: str = "acme", secret: bytes | None = None, key: str | None = None) -> str:
        """A key of the tenant; `key` if it must be that one."""
        made, text = add_key(self.database, "a key", tenant, AT, None if secret is None else (self.vault, secret))
        if key is not None:
            with self.database.write() as connection:
                digest = hashlib.sha256(key.encode()).digest()
                connection.execute("UPDATE api_keys SET digest = ? WHERE key_id = ?", (digest, made.key_id))
        self.authority.refresh()
        return key or text

    def twilio(self, tenant: str, auth_token: str) -> None:
        add_account(self.database, self.vault, "an account", tenant, auth_token, AT)
        self.authority.refresh()

    @property
    def held_s(self) -> float:
        """Audio that waits for somebody to ask."""
        return sum(stream.heard_s for stream in self.switchboard._streams.values())

    # ---- visits

    def port(self) -> AbstractAsyncContextManager[int]:
        """A real port, for clients that are processes."""
        return open_port(self.listener)

    def visit(self, path: str, *headers: tuple[str, str]) -> AbstractAsyncContextManager[WebSocketConnection]:
        return open_websocket(self.listener, path, headers)

    async def answer(self, target: str, fields: Mapping[str, str]) -> tuple[bytes, float]:
        """What an upgrade with these fields and no others is answered, up to the end, and after how long."""
        head = f"GET {target} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        began = trio.current_time()
        async with open_stream(self.listener) as stream:
            await stream.send_all(f"{head}\r\n".encode("latin-1"))
            told = bytearray(await stream.receive_some())
            waited_s = trio.current_time() - began
            if not told.startswith(b"HTTP/1.1 101"):
                while data := await stream.receive_some():
                    told += data
        return bytes(told), waited_s


@contextmanager
def consumers(folder: Path, extra: Mapping[str, str] | None = None, **settings: object) -> Iterator[House]:
    """The house, closed behind the test: nothing escaped, and no stream and no asker is left."""
    house = House(folder, settings, extra or {})
    try:
        yield house
    finally:
        house.authority.close()
        house.database.close()
    assert house.book.escapes == []
    assert house.switchboard.empty
    assert not house.book.open


__all__ = ["AT", "AUDIOHOOK_PATH", "TWILIO_PATH", "Ear", "House", "consumers"]
