"""The ELSA family behind a listener in memory, on a clock that is told, with recognition by a rule."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import soundfile
import trio
from numpy.typing import NDArray
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.assessment.fake_assessor import FakeAssessor
from tests.server.consumer import Account
from tests.transport.fake import Book
from tests.transport.live import no_http, open_port, open_websocket
from voicestream.dsp.frontend import FrontEnd
from voicestream.protocols import elsa, elsa_scripted
from voicestream.protocols.base import Dialect, Goodbye
from voicestream.server.config import Settings
from voicestream.server.consumer import OpenSession
from voicestream.server.elsa import ElsaFamily
from voicestream.server.metrics import Metrics, Tally
from voicestream.server.shell import Conversation, Patience
from voicestream.store.api_key import add_key
from voicestream.store.authority import Authority
from voicestream.transport.listener import Admission, Listener
from voicestream.transport.websocket import Timing, WebSocket

AT = 1_700_000_000.0
CONFIG = '{"api_plan":"standard","return_json":true}'
END = '{"type": "ELSA:end_stream"}'
FREE, SCRIPTED = elsa.PATH, elsa_scripted.PATH
START = '{"type":"ELSA:start_stream","data":{"stream_info":{"api_plan":"standard","sentence":"pizza party"}}}'
Samples: TypeAlias = NDArray[np.int16]
T = TypeVar("T")


class Here:
    """A runner without threads."""

    async def run(self, work: Callable[[], T], model: str) -> T:
        await trio.lowlevel.checkpoint()
        return work()


class House:
    """One data folder's. `key` is a token of the tenant acme."""

    def __init__(self, folder: Path, assessor: FakeAssessor, settings: dict[str, Any], runner: Any) -> None:
        self.settings = Settings(**{"data_folder": folder, **settings})
        self.authority = Authority.open(folder, "https://voice.example", 3600)
        self.key = self.add_key("acme")
        self.assessor = assessor
        self.account = Account(Tally("elsa", "assessment"))
        self.book = Book()
        self.runner = runner
        self.live: set[Conversation] = set()
        self.family = ElsaFamily(
            self.settings, self.authority, assessor, FrontEnd, runner, Metrics("1.0", {}), self._converse, Timing(), lambda: AT
        )
        self.results = self.family.assessments.results
        self.listener = Listener(self.family.routes, no_http, self.book, Admission(origins=frozenset({"https://console.example"})))

    def add_key(self, tenant: str) -> str:
        _, key = add_key(self.authority.database, "a key", tenant, AT)
        self.authority.reload()
        return key

    def outcomes(self) -> dict[str, int]:
        return dict(self.family.figures._outcomes)

    async def _converse(self, path: str, websocket: WebSocket, dialect: Dialect, open_session: OpenSession) -> None:
        conversation = Conversation(
            websocket, dialect, lambda service: open_session(service, conversation), self.runner, self.account, Patience()
        )
        self.live.add(conversation)
        try:
            await conversation.run()
        finally:
            self.live.discard(conversation)

    def drain(self) -> None:
        for conversation in self.live:
            conversation.end(Goodbye.DRAIN)

    def port(self) -> AbstractAsyncContextManager[int]:
        """A real port, for clients that have threads."""
        return open_port(self.listener)

    def visit(
        self, path: str, *headers: tuple[str, str], subprotocols: list[str] | None = None
    ) -> AbstractAsyncContextManager[WebSocketConnection]:
        """A WebSocket with the key in its header unless headers or subprotocols are given."""
        shown = headers or (() if subprotocols else (("Authorization", f"ELSA {self.key}"),))
        return open_websocket(self.listener, path, shown, subprotocols)


@contextmanager
def house(folder: Path, assessor: FakeAssessor | None = None, runner: Any = None, **settings: Any) -> Iterator[House]:
    """The house, closed behind the test: nothing escaped, and nothing is recognised any more."""
    made = House(folder, assessor or FakeAssessor(), settings, runner or Here())
    try:
        yield made
    finally:
        made.authority.close()
    assert made.book.escapes == []
    assert not made.book.open
    assert made.assessor.going_on == []


async def told(websocket: WebSocketConnection) -> dict[str, Any]:
    """The next text."""
    return dict(json.loads(await websocket.get_message()))


async def rest(websocket: WebSocketConnection) -> tuple[list[dict[str, Any]], int]:
    """All texts until the Close, and its code."""
    texts = []
    while True:
        try:
            texts.append(await told(websocket))
        except ConnectionClosed as closed:
            return texts, closed.reason.code if closed.reason else 1006


def wav(samples: Samples, rate_hz: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, "PCM_16", format="WAV")
    return file.getvalue()


def packets(samples: Samples) -> list[bytes]:
    """As the official clients cut a file: each half second with a header of its own."""
    return [wav(samples[begin : begin + 8000]) for begin in range(0, len(samples), 8000)]


async def say(visited: House, *messages: str | bytes, path: str = FREE) -> tuple[list[dict[str, Any]], int]:
    """Say all of it at once, then read to the end."""
    async with visited.visit(path) as websocket:
        with suppress(ConnectionClosed):  # we may have heard enough
            for message in messages:
                await websocket.send_message(message)
        return await rest(websocket)
