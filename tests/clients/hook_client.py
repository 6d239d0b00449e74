"""A small AudioHook client over `websockets`: it signs, counts, and holds the server to the protocol (audiohook.md sections 1, 2, 7)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.protocols import hook

PATH = "/daspeak-stream/v1/audiohook"


@contextmanager
def hooked(port: int, key: str, secret: bytes | None = None, **changed: str) -> "Iterator[HookClient]":
    """A session with the server at `port`, its TCP ended behind it. secret: signs the request; changed: header fields of its own."""
    session = str(uuid.uuid4())
    ids = {"Organization": hook.ORGANIZATION, "Session": session, "Correlation": str(uuid.uuid4())}
    fields = {f"Audiohook-{name}-Id": value for name, value in ids.items()} | {"X-API-KEY": key}
    if secret is not None:
        fields |= signature(f"127.0.0.1:{port}", fields, key, secret)
    fields |= {name.replace("_", "-"): value for name, value in changed.items()}
    url = f"ws://127.0.0.1:{port}{PATH}"
    with connect(url, additional_headers=fields, ping_interval=None, compression=None) as websocket:
        yield HookClient(websocket, session)


def signature(host: str, fields: dict[str, str], key: str, secret: bytes) -> dict[str, str]:
    """The two header fields that sign a request with these."""
    covered = {"@request-target": PATH, "@authority": host} | {name.lower(): value for name, value in fields.items()}
    names, created = " ".join(f'"{name}"' for name in covered), int(time.time())
    told = f'({names});keyid="{key}";nonce="{secrets.token_urlsafe(24)}";alg="hmac-sha256";created={created};expires={created + 10}'
    base = "\n".join(f'"{name}": {value}' for name, value in (covered | {"@signature-params": told}).items())
    mac = base64.b64encode(hmac.digest(secret, base.encode(), hashlib.sha256)).decode()
    return {"Signature-Input": f"sig1={told}", "Signature": f"sig1=:{mac}:"}


class HookClient:
    """One session; blocks."""

    def __init__(self, websocket: ClientConnection, session: str) -> None:
        self.websocket = websocket
        self._session = session
        self._seq = self._serverseq = 0

    def say(self, kind: str, parameters: object = None, **changed: object) -> None:
        """Send a message, or with `changed` members one that breaks the protocol."""
        seq = self._seq + 1
        if not {"version", "seq"} & changed.keys():  # these do not count for the server
            self._seq = seq
        envelope = {"seq": seq, "serverseq": self._serverseq, "id": self._session} | changed
        self.websocket.send(hook.text(kind, {} if parameters is None else parameters, **envelope))

    def hear(self) -> tuple[str, Any]:
        """The next message; it must be one that a client of the protocol bears."""
        told = self.websocket.recv(timeout=10)
        assert isinstance(told, str)
        assert len(told) <= 65_536
        message = json.loads(told)
        self._serverseq += 1
        assert (message["version"], message["id"], message["seq"]) == ("2", self._session, self._serverseq)
        assert message["clientseq"] <= self._seq
        return message["type"], message["parameters"]

    def open(self, *offers: dict[str, object], **changed: object) -> list[Any]:
        """Open; returns the media chosen, one of those offered or none."""
        parameters = hook.opening(*offers, **changed)
        self.say("open", parameters)
        kind, told = self.hear()
        assert (kind, told["startPaused"]) == ("opened", False)
        offered = parameters["media"]
        assert isinstance(offered, list)
        assert len(told["media"]) <= 1
        assert all(media in offered for media in told["media"])
        self.ping()
        return list(told["media"])

    def ping(self) -> None:
        self.say("ping")
        assert self.hear() == ("pong", {})

    def close(self, reason: str = "end") -> int:
        """Close, and end TCP as clients do: we first. Returns the close code that the server answers with."""
        self.say("close", {"reason": reason})
        assert self.hear() == ("closed", {})
        self.websocket.close()
        assert self.websocket.close_code is not None
        return self.websocket.close_code
