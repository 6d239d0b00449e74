"""Joins who asks about a call with the stream that brings it: by tenant and call_id, which is all the two have in common.

                   ┌── stream gone, or ──── nobody ◄── asker content, gone or ──┐
                   │   given up as unasked   │  │      out of patience          │
                   │              stream comes  asker comes                     │
                   │                         ▼  ▼                               │
                   HELD: its audio waits ◄──   ──► ASKED: the asker waits ──────┤
                                   │ asker comes        │ stream comes          │
                                   └──────► JOINED ◄────┘ ──────────────────────┘

One asker and one stream per call, and one stream per asker; a second asker is told, a second stream refused like one that
nobody asks for. What another tenant calls by the same name is another call. No waiting here: everything happens at once.
"""

from typing import Final, Protocol

from voicestream.errors import CALL_BUSY, CALL_REFUSED, Fault, PeerError
from voicestream.sessions.vocabulary import Audio, Call, CallRefused, CallState, Finished, Gap, Paused, Result, Resumed

_HELD_BYTES: Final = 512 * 1024  # of one stream, whatever its dialect bears

_Key = tuple[str, str]  # tenant and call_id


class Line(Protocol):
    """The conversation by which a stream comes."""

    def tell(self, result: Result) -> None: ...


class Asker(Protocol):
    """Who wants to hear a call."""

    @property
    def call_id(self) -> str: ...

    def ready(self) -> None:
        """The call is its own now: the stream may come."""
        ...

    def connect(self, call: Call) -> Result:
        """The stream has come: HEARD, or why it cannot be heard."""
        ...

    def hear(self, payload: bytes) -> Result | None:
        """Take audio; COLLECTED when it is enough, None before."""
        ...

    def skip(self) -> None:
        """Audio is missing here."""
        ...

    def lose(self, fault: Fault | None) -> None:
        """The stream has ended before there was enough; with a fault, not as it should."""
        ...


class Stream:
    """A stream at the switchboard, which is the session of its conversation. hang_up() when that is over."""

    __slots__ = (
        "_asker",
        "_bytes",
        "_bytes_per_s",
        "_call",
        "_complete",
        "_held",
        "_held_bytes",
        "_key",
        "_line",
        "_reusable",
        "_switchboard",
    )

    def __init__(self, switchboard: "Switchboard", key: _Key, call: Call, line: Line, reusable: bool) -> None:
        self._switchboard = switchboard
        self._key = key
        self._call = call
        self._line = line
        self._reusable = reusable
        self._asker: Asker | None = None
        self._held: list[Audio | Gap] = []
        self._held_bytes = 0
        self._complete = False  # what is held is all that will come
        self._bytes = 0
        self._bytes_per_s = (call.rate_hz or 8000) * (2 if call.encoding == "pcm16" else 1)

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        return self._bytes / self._bytes_per_s

    def feed(self, audio: Audio) -> Result | None:
        """Hand audio to the asker, or hold it for one."""
        payload = audio.payload
        self._bytes += len(payload)
        if self._asker is None:
            self._hold(audio, len(payload))
            return None
        result = self._asker.hear(payload)
        if result is not None:
            self._part()
        return result

    def note(self, event: Gap | Paused | Resumed | Finished) -> None:
        """Take what happened to the stream beside its audio."""
        match event:
            case Gap() if self._asker is not None:
                self._asker.skip()
            case Gap():
                self._hold(event, 1)
            case Paused(forget=True):
                self._forget()
            case Finished(None) if self._asker is None:
                self._complete = True
            case Finished(fault):
                self._lose(fault)
            case Paused() | Resumed():
                pass

    def hang_up(self) -> None:
        """The conversation is over."""
        self._lose(None)

    def join(self, asker: Asker) -> None:
        """Somebody asks: he gets what was held, then what comes."""
        self._asker = asker
        held, self._held = self._held, []
        welcome = asker.connect(self._call)
        self._line.tell(welcome)
        if welcome is not CallState.HEARD:
            self._part()
            return
        for event in held:
            if isinstance(event, Gap):
                asker.skip()
            elif (result := asker.hear(event.payload)) is not None:
                self._part()
                self._line.tell(result)
                return
        if self._complete:
            self._lose(None)

    def dismiss(self, asker: Asker) -> None:
        """The asker wants no more."""
        if self._asker is asker:
            self._part()
            self._line.tell(CallState.COLLECTED)

    def _hold(self, event: Audio | Gap, size: int) -> None:
        if self._switchboard.knows(self._key, self) and self._held_bytes < _HELD_BYTES:
            self._held.append(event)
            self._held_bytes += size

    def _forget(self) -> None:
        self._held.clear()
        self._held_bytes = 0

    def _lose(self, fault: Fault | None) -> None:
        asker, self._asker = self._asker, None
        self._switchboard.drop(self._key, self)
        self._forget()
        if asker is not None:
            asker.lose(fault)

    def _part(self) -> None:
        """This asker hears no more; the next one may, if the stream goes on."""
        self._asker = None
        self._forget()
        if not self._reusable:
            self._switchboard.drop(self._key, self)


class Switchboard:
    """The calls of one process."""

    def __init__(self) -> None:
        self._askers: dict[_Key, Asker] = {}
        self._waiting: dict[_Key, Asker] = {}  # those of them that no stream has come to: one does, at most
        self._streams: dict[_Key, Stream] = {}

    def answer(self, tenant: str, call: Call, line: Line, *, reusable: bool = False) -> Stream:
        """A stream has come. reusable: its conversation goes on, held, when an asker is content."""
        key = tenant, call.call_id
        stream = Stream(self, key, call, line, reusable)
        if key in self._streams:
            line.tell(CallRefused(CALL_REFUSED))
            return stream
        self._streams[key] = stream
        if (asker := self._waiting.pop(key, None)) is not None:
            stream.join(asker)
        return stream

    def ask(self, tenant: str, asker: Asker) -> None:
        """Somebody asks for a call, until release(). PeerError VS1711 when another does."""
        key = tenant, asker.call_id
        if key in self._askers:
            raise PeerError(CALL_BUSY)
        self._askers[key] = asker
        asker.ready()
        if (stream := self._streams.get(key)) is not None:
            stream.join(asker)
        else:
            self._waiting[key] = asker

    def release(self, tenant: str, asker: Asker) -> None:
        """The asker has its result, or none will come; its stream is told to end."""
        key = tenant, asker.call_id
        if self._askers.get(key) is asker:
            del self._askers[key]
            self._waiting.pop(key, None)
        if (stream := self._streams.get(key)) is not None:
            stream.dismiss(asker)

    @property
    def empty(self) -> bool:
        """Whether no call is known, asked for or held."""
        return not self._askers and not self._streams

    def knows(self, key: _Key, stream: Stream) -> bool:
        """Whether this is the stream of its call."""
        return self._streams.get(key) is stream

    def drop(self, key: _Key, stream: Stream) -> None:
        """Forget the stream, if it is still known."""
        if self.knows(key, stream):
            del self._streams[key]
