"""An AudioHook client in a few lines, which counts as the protocol wants and checks that our side does."""

import json
from typing import Any

from voicestream.protocols.audiohook import AudioHook
from voicestream.protocols.base import Close
from voicestream.sessions.vocabulary import Event

SESSION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
ORGANIZATION = "11111111-2222-4333-8444-555555555555"
CONVERSATION = "888806c3-0000-4000-8000-000000000001"
NIL = "00000000-0000-0000-0000-000000000000"
ROOM = 1 << 20


def media(channels: str = "external", form: str = "PCMU", rate: int = 8000) -> dict[str, object]:
    return {"type": "audio", "format": form, "channels": channels.split(), "rate": rate}


def opening(*offers: dict[str, object], **changed: object) -> dict[str, object]:
    """Parameters of `open`; a changed parameter that is None is left out."""
    parameters: dict[str, object] = {
        "organizationId": ORGANIZATION,
        "conversationId": CONVERSATION,
        "participant": {"id": "22222222-3333-4444-8555-666666666666", "ani": "+34600000001", "aniName": "", "dnis": "+34900000002"},
        "media": list(offers) or [media()],
    }
    return {name: value for name, value in (parameters | changed).items() if value is not None}


def text(kind: object, parameters: object, seq: object, serverseq: object = 0, **changed: object) -> str:
    """One client message as it stands in the specification."""
    envelope = {
        "version": "2",
        "id": SESSION,
        "type": kind,
        "seq": seq,
        "serverseq": serverseq,
        "position": "PT0S",
        "parameters": parameters,
    }
    return json.dumps(envelope | changed, separators=(",", ":"))


class Client:
    """Talks to `dialect` at the time `now`; keeps the events that came of it."""

    def __init__(self, dialect: AudioHook) -> None:
        self.dialect = dialect
        self.now = 0.0
        self.seq = 0
        self.serverseq = 0
        self.events: list[Event] = []

    def say(self, kind: str, parameters: object = None, **changed: object) -> list[Any]:
        """Send one message; returns what was said since the last look."""
        self.seq += 1
        return self.put(text(kind, parameters or {}, self.seq, self.serverseq, **changed))

    def put(self, message: str | bytes) -> list[Any]:
        self.events += self.dialect.receive(message, self.now)
        return self.heard()

    def wait(self, now: float) -> list[Any]:
        """Until `now`, with the alarms on the way."""
        while self.dialect.deadline <= now:
            self.now = self.dialect.deadline
            self.events += self.dialect.tick(self.now)
        self.now = now
        return self.heard()

    def heard(self) -> list[Any]:
        """(type, parameters) of each message and (code, number of the reason) of the Close, all seq checked."""
        heard: list[Any] = []
        for said in self.dialect.drain(ROOM):
            if isinstance(said, Close):
                heard.append((said.code, said.reason[:6]))
                continue
            assert isinstance(said, str)
            message = json.loads(said)
            self.serverseq += 1
            assert message["seq"] == self.serverseq
            assert message["clientseq"] <= max(self.seq, 1 << 30)
            assert (message["version"], message["id"], set(message)) == (
                "2", SESSION, {"version", "id", "type", "seq", "clientseq", "parameters"},
            )  # fmt: skip
            heard.append((message["type"], message["parameters"]))
        return heard

    def taken(self) -> list[Event]:
        events, self.events = self.events, []
        return events
