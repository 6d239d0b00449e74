"""The REST signalling channel: sessions that are created by one request and polled by others.

    create ─► begun on the disk ─► ask ─► told … told last ─► on the disk ─► readable for an hour
                                   └ refused: withdrawn        (a restart before: interrupted, which is an error)

Progress is kept in memory alone. A result is shown once it is on the disk: what a client has read, a restart does not
take back. Should the disk refuse it, the client still gets it, from memory.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
import structlog
import trio

from voicestream.errors import REST_INTERRUPTED, REST_MANY_SESSIONS, REST_UNKNOWN_ID, PeerError
from voicestream.protocols.daspeak_parameter import AudioSettings, Kind, Offer, ParameterError
from voicestream.protocols.daspeak_rest import (
    Json,
    begun,
    known_id,
    progress,
    read_session,
    read_settings,
    session_object,
    settings_id,
    settings_object,
)
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Told
from voicestream.store.rest_session import Kept, RestSessions

_log = structlog.get_logger(__name__)

_FORGET_S: Final = 60.0  # so late a result may be forgotten, and so often the disk is tried again
_KINDS: Final[tuple[Kind, ...]] = ("register", "verify")

# Starts a session of a tenant; told in order, the last is Judged or CallFailed. PeerError VS1711, VS1112 when it does not start.
Ask = Callable[[str, Inquiry, Callable[[Told], None]], None]


@dataclass(slots=True, eq=False)
class _Live:
    """A session whose result is not on the disk yet."""

    id: str
    tenant: str
    kind: Kind
    created_at: float
    said: Json  # what is shown
    last: Json | None = None  # what is to be shown once it is on the disk
    ended_at: float = 0.0


class RestChannel:
    """The sessions of all REST clients. `clock` gives Unix seconds; `offer`, what a tenant may ask for."""

    def __init__(
        self, store: RestSessions, ask: Ask, offer: Callable[[str], Offer], clock: Callable[[], float], sessions_max: int = 64
    ) -> None:
        """Blocks while the sessions of a former process are marked as interrupted. PeerError VS310x."""
        self._store = store
        self._ask = ask
        self._offer = offer
        self._clock = clock
        self._sessions_max = sessions_max  # unfinished ones of a tenant
        self._live: dict[str, _Live] = {}
        self._unfinished: Counter[str] = Counter()  # by tenant
        self._ended: list[_Live] = []
        self._wake = trio.Event()
        last: dict[str, str] = {kind: _text(progress(begun(kind), CallFailed(REST_INTERRUPTED), kind)) for kind in _KINDS}
        if interrupted := store.interrupt(last, clock()):
            _log.warning("sessions interrupted by a restart", code=REST_INTERRUPTED.code, sessions=interrupted)

    async def create_settings(self, tenant: str, body: object) -> Json:
        """Keep audio settings for the tenant's sessions. PeerError."""
        audio = read_settings(body)
        said = {key: value for key, value in settings_object("", 0.0, audio).items() if key not in ("id", "created_at")}
        new = Kept(str(uuid.uuid4()), self._clock(), _text(said))
        kept = await trio.to_thread.run_sync(self._store.put_settings, new, tenant)
        return settings_object(kept.id, kept.created_at, audio)

    async def settings(self, tenant: str, id: str) -> Json:
        """The tenant's audio settings of this id. PeerError VS1912."""
        kept, audio = await self._settings(tenant, known_id(id), "id")
        return settings_object(kept.id, kept.created_at, audio)

    async def create_session(self, tenant: str, kind: Kind, body: object) -> Json:
        """Begin a session, and give it as it was created, whatever it has been told since. PeerError when it cannot begin."""
        _, audio = await self._settings(tenant, settings_id(body), "audio_settings_id")
        inquiry = read_session(body, kind, audio, self._offer(tenant))
        live = self._reserve(tenant, kind)
        created = session_object(live.id, live.created_at, live.said)
        try:
            new = Kept(live.id, live.created_at, _text(live.said))
            await trio.to_thread.run_sync(self._store.begin, new, tenant, kind)
            try:
                self._ask(tenant, inquiry, partial(self._tell, live))
            except PeerError:
                await trio.to_thread.run_sync(self._store.withdraw, live.id)
                raise
        except BaseException:
            del self._live[live.id]
            self._release(tenant)
            raise
        return created

    async def session(self, tenant: str, kind: Kind, id: str) -> Json:
        """The tenant's session of this id and kind. PeerError VS1912, also for those of others and those long finished."""
        id = known_id(id)
        live = self._live.get(id)
        if live is not None:
            if (live.tenant, live.kind) != (tenant, kind):
                raise ParameterError("id", REST_UNKNOWN_ID)
            return session_object(id, live.created_at, live.said)
        kept = await trio.to_thread.run_sync(self._store.finished, id, tenant, kind, self._clock())
        if kept is None:
            raise ParameterError("id", REST_UNKNOWN_ID)
        return session_object(id, kept.created_at, msgspec.json.decode(kept.said))

    async def watch_loop(self) -> None:
        """Bring results to the disk, and forget old ones, for ever; cancelled, what is left is written."""
        try:
            while True:
                with trio.move_on_after(_FORGET_S):
                    await self._wake.wait()
                self._wake = trio.Event()
                await self._write()
        finally:
            with trio.CancelScope(shield=True):  # bounded: SQLite waits 5 s for another process, no more
                await self._write()

    def _reserve(self, tenant: str, kind: Kind) -> _Live:
        """A place among the tenant's unfinished sessions: taken at once, so that many requests do not slip through together."""
        if self._unfinished[tenant] >= self._sessions_max:
            raise PeerError(REST_MANY_SESSIONS)
        self._unfinished[tenant] += 1
        live = _Live(str(uuid.uuid4()), tenant, kind, self._clock(), begun(kind))
        self._live[live.id] = live
        return live

    def _release(self, tenant: str) -> None:
        """The place of a session that has ended, or was not begun."""
        self._unfinished[tenant] -= 1
        if not self._unfinished[tenant]:
            del self._unfinished[tenant]

    def _tell(self, live: _Live, told: Told) -> None:
        said = progress(live.said, told, live.kind)
        if not isinstance(told, Judged | CallFailed):
            live.said = said
            return
        live.last, live.ended_at = said, self._clock()
        self._release(live.tenant)
        self._ended.append(live)
        self._wake.set()

    async def _write(self) -> None:
        now = self._clock()
        ended = list(self._ended)
        try:
            await trio.to_thread.run_sync(self._store.finish, [(live.id, _text(live.last)) for live in ended], now)
        except PeerError as error:
            _log.warning(error.fault.sentence, code=error.fault.code, results=len(ended))
            for live in ended:
                live.said = live.last or live.said
            ended = [live for live in ended if live.ended_at <= now - self._store.readable_s]
        for live in ended:
            self._ended.remove(live)
            del self._live[live.id]

    async def _settings(self, tenant: str, id: str, field: str) -> tuple[Kept, AudioSettings]:
        kept = await trio.to_thread.run_sync(self._store.settings, id, tenant)
        if kept is None:
            raise ParameterError(field, REST_UNKNOWN_ID)
        return kept, read_settings(msgspec.json.decode(kept.said))


def _text(said: Json | None) -> str:
    return msgspec.json.encode(said).decode()
