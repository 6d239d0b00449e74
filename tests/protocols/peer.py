"""A conversation without a loop: what the shell does, in a few synchronous lines."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from voicestream.errors import TEMPLATE_NOT_BASE64, PeerError
from voicestream.protocols.base import Close, Dialect, Incoming, Outgoing
from voicestream.protocols.template_text import template_text
from voicestream.sessions.vocabulary import Audio, EndpointState, Opened, Result, Service, Template

ROOM = 1 << 30
TEMPLATE = Template("toy", bytes(32), np.array([1.0, 0.0], np.float32), 5.0)
TEMPLATE_TEXT = template_text(b"a voice template")


def read_template(data: bytes) -> Template:
    """Knows one template."""
    if data != b"a voice template":
        raise PeerError(TEMPLATE_NOT_BASE64)
    return TEMPLATE


class Peer:
    """Sends messages, lets `answer` be the session, keeps the services that were opened and the audio that arrived."""

    def __init__(self, dialect: Dialect, answer: Callable[[], Result] = lambda: EndpointState(False)) -> None:
        self.dialect = dialect
        self.services: list[Service] = []
        self.audio: list[bytes] = []
        self.now = 0.0
        self._answer = answer

    def send(self, *messages: Incoming) -> None:
        """Send without reading."""
        for message in messages:
            for event in self.dialect.receive(message, self.now):
                match event:
                    case Opened(service):
                        self.services.append(service)
                    case Audio(payload):
                        self.audio.append(payload)
                        self.dialect.reply(self._answer())

    def ask(self, *messages: Incoming) -> list[Outgoing]:
        """Send, then read all there is."""
        self.send(*messages)
        return self.dialect.drain(ROOM)

    def refused(self) -> list[tuple[str, str]]:
        """Code and subject of each refusal so far."""
        return [(refusal.fault.code, refusal.about) for refusal in self.dialect.refusals]


def one_after_the_other(results: Iterable[Result]) -> Callable[[], Result]:
    """An `answer` that gives `results` in order."""
    waiting: Iterator[Result] = iter(results)
    return lambda: next(waiting)


def closes(messages: list[Outgoing]) -> list[int]:
    """Codes of the Close messages."""
    return [message.code for message in messages if isinstance(message, Close)]
