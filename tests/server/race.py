"""Both consumers and signalling behind one listener in memory, and the people of a race: who asks and who streams for one call_id.

Every stream sends one byte over and over, its mark; an asker is handed back the voice that its session heard, so what is in
it tells whose streams it heard. All of it is the product's but the models.
"""

import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import trio
from numpy.typing import NDArray
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.protocols import hook
from tests.server.consumer import AT, AUDIOHOOK_PATH, TWILIO_PATH, House
from tests.sessions.toy import ANYTHING, CARD, SampleFront, ToyLiving, ToyModel
from tests.transport.live import no_http
from voicestream.codecs.wav import write_wav
from voicestream.dsp import g711
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.protocols.daspeak import NAMESPACES
from voicestream.protocols.daspeak_parameter import Offer
from voicestream.server import engine
from voicestream.server.call import Recognition
from voicestream.server.engine import EngineServer
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.exchange import Exchange
from voicestream.server.metrics import Metrics
from voicestream.server.signalling import Signalling
from voicestream.server.switchboard import Asker, Switchboard
from voicestream.sessions.call import Judged
from voicestream.sessions.collection import Collection
from voicestream.sessions.vocabulary import Result, Template
from voicestream.store.client import add_client
from voicestream.transport.listener import Admission, Listener

WANTED_S = 1.0
TENANTS = ("acme", "other", "third")
_FRAME_BYTES = 240  # 30 ms of mu-law
_MARK_OF = {int(g711.mulaw_expand(bytes([mark]))[0]): mark for mark in range(1, 64)}  # sample -> mark
_CROWD = 100_000  # from one address
METADATA = {"audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_rate": "8000", "channels": "1"}


class AllSpeech:
    """A front end to which every frame is speech."""

    def __init__(self, plan: FrontEndPlan) -> None:
        self._bytes = 0

    def feed(self, data: bytes) -> tuple[bytes, NDArray[np.float32]]:
        before = self._bytes // _FRAME_BYTES
        self._bytes += len(data)
        return b"\1" * (self._bytes // _FRAME_BYTES - before), np.empty((0, 0), np.float32)

    def flush(self) -> tuple[bytes, NDArray[np.float32]]:
        return self.feed(b"")


class Scribe:
    """In the place of the models' threads: it hands back what was heard, unjudged."""

    async def run(self, work: Callable[[], Judged], model: str) -> Judged:
        assert isinstance(work, partial)
        collection: Collection = work.args[1]
        await trio.sleep(0.1)
        return Judged(0.9, collection.status.voice_s, True, "credential", write_wav(collection.voice(), 8000))


class Witness(Switchboard):
    """Writes down which marks each asker hears, also of sessions that come to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[tuple[str, str], list[set[int]]] = defaultdict(list)  # by tenant and call_id, one set per asker

    def ask(self, tenant: str, asker: Asker) -> None:
        marks: set[int] = set()
        self.heard[tenant, asker.call_id].append(marks)
        hear = asker.hear

        def noted(payload: bytes) -> Result | None:
            marks.update(payload)
            return hear(payload)

        asker.hear = noted  # type: ignore[method-assign]
        super().ask(tenant, asker)


@dataclass
class Outcome:
    """What came of one actor. mark: of a stream; heard: the marks in the voice that an asker got back."""

    tenant: str
    mark: int = 0
    ending: str = ""  # an event's name, a close code, "left"
    heard: frozenset[int] = frozenset()


@dataclass
class Trial:
    """One call_id and everybody's outcome."""

    call_id: str
    askers: list[Outcome] = field(default_factory=list)
    streams: list[Outcome] = field(default_factory=list)


class RaceHouse(House):
    """The consumers with signalling at their side."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {}, {})
        metrics = Metrics("0", {})
        recognition = Recognition(
            {CARD.hash: ToyModel()}, ToyLiving, AllSpeech, SampleFront, ANYTHING, lambda made, tenant: "credential", Scribe()  # type: ignore[arg-type]
        )  # fmt: skip
        self.exchange = Exchange(self.switchboard, recognition)
        application = Signalling(self.exchange, self.login, lambda tenant: Offer({CARD.hash: 0.5}, _no_credential, WANTED_S))
        crowded = engine.Options(sessions_per_address=_CROWD, sessions_max=_CROWD)
        self.engine = EngineServer("/socket.io", NAMESPACES, application, EngineWatch(metrics, "/socket.io"), crowded)
        self.listener = Listener([self.engine.route, *self.routes], no_http, self.book, Admission(connections=_CROWD, per_address=_CROWD))
        self.keys = {tenant: self.key(tenant) for tenant in TENANTS}
        made = {tenant: add_client(self.database, "a client", AT, tenant=tenant)[0] for tenant in TENANTS}
        self.authority.refresh()
        self.tokens = {tenant: self.authority.grant(made[tenant], None, AT) for tenant in TENANTS}

    def open_switchboard(self) -> Switchboard:
        return Witness()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While clients may come."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.engine.run)
            await nursery.start(self.exchange.run)
            yield
            nursery.cancel_scope.cancel()

    # ---- the people

    async def trial(self, number: int, random: Random, trials: list[Trial]) -> None:
        """Two or three tenants, each with up to two askers and three streams of the same call, in any order."""
        trial = Trial(f"888806c3-0000-4000-8000-{number:012}")
        mark = 0
        async with trio.open_nursery() as nursery:
            for tenant in random.sample(TENANTS, random.randint(2, 3)):
                for _ in range(random.choice((0, 1, 1, 1, 2))):
                    nursery.start_soon(self._ask, trial, tenant, Random(random.random()))
                for _ in range(random.choice((0, 1, 1, 2, 3))):
                    mark += 1
                    come = random.choice((self._twilio, self._twilio, self._audiohook))
                    nursery.start_soon(come, trial, tenant, mark, Random(random.random()))
        trials.append(trial)

    async def _ask(self, trial: Trial, tenant: str, random: Random) -> None:
        outcome = Outcome(tenant, ending="left")
        trial.askers.append(outcome)
        namespace = random.choice(("/register", "/socket.io/register"))
        await _a_while(random)
        async with self.visit("/socket.io/?EIO=4&transport=websocket", ("authorization", f"Bearer {self.tokens[tenant]}")) as client:
            await client.get_message()
            await client.send_message(f"40{namespace},")
            await client.get_message()
            request = {"metadata": {**METADATA, "call_id": trial.call_id}, "register_request": {}}
            await client.send_message(f"42{namespace},{json.dumps(['initialize', request])}")
            with trio.move_on_after(random.choice((0.0, 0.3, 2.0, 60.0, 60.0, 60.0))):
                outcome.ending = "info-"
                while outcome.ending.startswith("info-"):
                    outcome.ending = await _event(client)
                if outcome.ending == "result-success":
                    voice = await client.get_message()
                    outcome.heard = frozenset(_MARK_OF[sample] for sample in set(np.frombuffer(voice[44:], "<i2").tolist()))
                return
            outcome.ending = "left"

    async def _twilio(self, trial: Trial, tenant: str, mark: int, random: Random) -> None:
        outcome = Outcome(tenant, mark, "left")
        trial.streams.append(outcome)
        key = self.keys[tenant]
        in_header = random.random() < 0.5
        await _a_while(random)
        async with self.visit(TWILIO_PATH, *([("apikey", key)] if in_header else [])) as client:
            parameters = {"call_id": trial.call_id, **({} if in_header else {"apikey": key})}
            try:
                await client.send_message(json.dumps({"event": "start", "start": {"callSid": "CA", "customParameters": parameters}}))
                async for piece in _pieces(mark, random):
                    media = {"payload": base64.b64encode(piece).decode()}
                    await client.send_message(json.dumps({"event": "media", "media": media}))
                if random.random() < 0.3:
                    return
                await client.send_message(json.dumps({"event": "stop"}))
                await client.get_message()
            except ConnectionClosed as closed:
                outcome.ending = str(closed.reason.code if closed.reason else "")

    async def _audiohook(self, trial: Trial, tenant: str, mark: int, random: Random) -> None:
        outcome = Outcome(tenant, mark, "left")
        trial.streams.append(outcome)
        await _a_while(random)
        ids = {"session": hook.SESSION, "organization": hook.ORGANIZATION, "correlation": hook.CONVERSATION}
        headers = [(f"audiohook-{name}-id", value) for name, value in ids.items()]
        async with self.visit(AUDIOHOOK_PATH, ("x-api-key", self.keys[tenant]), *headers) as client:
            with suppress(ConnectionClosed), trio.move_on_after(60):
                await client.send_message(hook.text("open", hook.opening(conversationId=trial.call_id), 1))
                assert json.loads(await client.get_message())["type"] == "opened"
                async for piece in _pieces(mark, random):
                    await client.send_message(piece)
                said = json.loads(await client.get_message())
                outcome.ending = f"{said['type']} {said['parameters'].get('reason', '')}"


async def _a_while(random: Random) -> None:
    await trio.sleep(random.choice((0.0, 0.0, 0.0, 0.001, 0.1, 1.0, 4.99, 5.0, 7.0)))


async def _pieces(mark: int, random: Random) -> AsyncIterator[bytes]:
    """The mark over and over, for more than an asker wants or for less, all at once or in real time."""
    pause_s = random.choice((0.0, 0.0, 0.1, 0.25))
    for _ in range(random.choice((2, 6, 6, 6, 12))):
        yield bytes([mark]) * 2000
        await trio.sleep(pause_s)


async def _event(client: WebSocketConnection) -> str:
    """The name of the next event; pings are answered."""
    while True:
        text = await client.get_message()
        if text == "2":
            await client.send_message("3")
        elif isinstance(text, str):
            return str(json.loads(text[text.index("[") :])[0])


def _no_credential(text: str) -> Template:
    raise AssertionError("nobody verifies here")
