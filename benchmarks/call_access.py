"""Who the clients of a benchmark are: credentials in a data folder of its own, made before the server starts."""

import json
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from voicestream.store.api_key import add_key
from voicestream.store.authority import Authority
from voicestream.store.hook_secret import new_secret
from voicestream.store.vault import Vault

PUBLIC_URL = "http://localhost"  # of the server: who issues its tokens


@dataclass(frozen=True, slots=True)
class Access:
    """Who the clients are."""

    token: str
    api_key: str  # of the streams
    hook_key: str  # of AudioHook, whose requests are signed with
    hook_secret: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of one data folder."""

    client_id: str
    client_secret: str
    api_key: str
    hook_key: str
    hook_secret: bytes

    @classmethod
    def make(cls, folder: Path) -> "Credentials":
        """The first ones of a new data folder, and an API key that signs."""
        folder.mkdir(mode=0o700)
        authority = Authority.open(folder, PUBLIC_URL, 3600)
        try:
            first = authority.first_start(time.time())
            assert first is not None
            secret = new_secret()
            _, hook_key = add_key(authority.database, "hook", first.client_id, time.time(), (Vault.load(folder), secret))
        finally:
            authority.close()
        return cls(first.client_id, first.client_secret, first.api_key, hook_key, secret)

    def access(self, port: int) -> Access:
        """With an access token of the server at `port`."""
        fields = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/oauth2/token", urllib.parse.urlencode(fields).encode(), 30) as answer:
            token = json.load(answer)["access_token"]
        return Access(token, self.api_key, self.hook_key, self.hook_secret)
