"""Who is who: clients by id and secret, callers by access token or API key, of one database.

All questions are answered from a picture of the database in memory, which `reload` takes anew; what this process changes
shows at once, what another process (the command line) changes once `refresh` was called. Times called `at` are Unix
seconds, `now` is the monotonic clock of the caller.
"""

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from voicestream.errors import SCOPE_REFUSED, TOKEN_FOREIGN, TOKEN_REFUSED, PeerError
from voicestream.store import api_key, client, database, twilio_account
from voicestream.store.api_key import ApiKey
from voicestream.store.client import Client
from voicestream.store.database import Database
from voicestream.store.secret import SALT_BYTES, SecretCache, encode, matching
from voicestream.store.token import Claims, Tokens, load_key
from voicestream.store.twilio_account import TwilioAccount
from voicestream.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: `name` is a client id or a key id, `tenant` is whose sessions it sees; expires_at None: until revoked."""

    name: str
    tenant: str
    scopes: frozenset[str]
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """What the first start made: told once."""

    client_id: str
    client_secret: str
    api_key: str


@dataclass(frozen=True, slots=True)
class _Picture:
    clients: dict[str, Client]
    keys: dict[bytes, ApiKey]  # by digest, without the revoked
    accounts: tuple[TwilioAccount, ...]  # without the revoked
    revoked: frozenset[str]  # jti


class Authority:
    """One installation's clients, keys and tokens."""

    def __init__(self, kept: Database, tokens: Tokens, vault: Vault) -> None:
        self.tokens = tokens
        self._database = kept
        self._vault = vault
        self._cache = SecretCache()
        self._reloading = Lock()  # an older picture must not replace a newer one
        self._no_salt = secrets.token_bytes(SALT_BYTES)  # of clients that do not exist
        self.reload()

    @classmethod
    def open(cls, folder: Path, issuer: str, life_s: int) -> Self:
        """The authority of a data folder, made on the first start. PeerError VS310x, VS3110."""
        kept = Database(folder / database.FILE_NAME)
        try:
            return cls(kept, Tokens(load_key(folder), issuer, life_s), Vault.load(folder))
        except BaseException:
            kept.close()
            raise

    @property
    def database(self) -> Database:
        """Where all of it is kept, and what else this process keeps for its tenants."""
        return self._database

    def close(self) -> None:
        self._database.close()

    # ---- these block

    def reload(self) -> None:
        """See the database as it is."""
        with self._reloading:
            with self._database.read() as connection:
                revoked = frozenset(jti for (jti,) in connection.execute("SELECT jti FROM revoked_tokens"))
            self._picture = _Picture(
                {one.client_id: one for one in client.clients(self._database)},
                {one.digest: one for one in api_key.keys(self._database, self._vault) if one.revoked_at is None},
                tuple(one for one in twilio_account.accounts(self._database, self._vault) if one.revoked_at is None),
                revoked,
            )

    def refresh(self) -> None:
        """`reload` if another process wrote."""
        if self._database.changed():
            self.reload()

    def first_start(self, at: float) -> FirstCredentials | None:
        """One client and one API key of its tenant, where there never was any; else None."""
        if self._picture.clients or api_key.keys(self._database):
            return None
        made, secret = client.add_client(self._database, "first", at)
        _, key = api_key.add_key(self._database, "first", made.tenant, at)
        self.reload()
        return FirstCredentials(made.client_id, secret, key)

    def hash(self, client_id: str, secret: str) -> str:
        """The argon2 hash of a presented secret: once, also for a client that does not exist."""
        known = self._picture.clients.get(client_id)
        return encode(secret, known.salt if known else self._no_salt)

    def revoke(self, by: Client, token: str, at: float) -> None:
        """End a token of that client; one that is no token is ended already (RFC 7009 section 2.2). PeerError VS1810."""
        try:
            claims = self.tokens.verify(token, at)
        except PeerError:
            return
        if claims.client_id != by.client_id:
            raise PeerError(TOKEN_FOREIGN)
        with self._database.write() as connection:
            connection.execute("DELETE FROM revoked_tokens WHERE expires_at <= ?", (at,))
            connection.execute("INSERT OR IGNORE INTO revoked_tokens VALUES (?, ?)", (claims.jti, claims.exp))
        self.reload()

    # ---- these do not

    def digest(self, client_id: str, secret: str) -> bytes:
        """What stands for a presented pair in this process."""
        return self._cache.digest(client_id, secret)

    def recognise(self, client_id: str, digest: bytes, at: float, now: float) -> Client | None:
        """The client, when this secret of it was checked a while ago and is still good."""
        encoded = self._cache.encoded(digest, now)
        return self._of_hash(client_id, encoded, at) if encoded else None

    def check(self, client_id: str, digest: bytes, encoded: str, at: float, now: float) -> Client | None:
        """The client whose secret has that hash; remembered when there is one."""
        found = self._of_hash(client_id, encoded, at)
        if found is not None:
            self._cache.remember(digest, encoded, now)
        return found

    def grant(self, to: Client, scope: str | None, at: float) -> str:
        """An access token with the scopes asked for, or all that the client has. PeerError VS1807."""
        wanted = to.scopes if scope is None else tuple(scope.split(" "))
        if not set(wanted) <= set(to.scopes):
            raise PeerError(SCOPE_REFUSED)
        return self.tokens.issue(to.client_id, to.tenant, " ".join(sorted(set(wanted))), at)

    def token(self, token: str, at: float) -> Principal:
        """Who shows this access token. PeerError VS1811."""
        claims = self._claims(token, at)
        return Principal(claims.client_id, claims.tenant, frozenset(claims.scope.split()), claims.exp)

    def look_into(self, by: Client, token: str, at: float) -> Claims | None:
        """The claims of a good token of the same tenant; None for all else (RFC 7662 section 2.2)."""
        try:
            claims = self._claims(token, at)
        except PeerError:
            return None
        return claims if claims.tenant == by.tenant else None

    def api_key(self, presented: str) -> Principal | None:
        """Who shows this API key; None when nobody may."""
        found = self._key(presented)
        return None if found is None else Principal(found.key_id, found.tenant, frozenset(client.SCOPES), None)

    def hook_secret(self, presented: str) -> bytes | None:
        """What AudioHook requests with this API key are signed with; b"": it is used unsigned; None: nobody can sign with it."""
        found = self._key(presented)
        if found is None:
            return None
        return found.hook_secret if found.signs else b""

    def twilio_accounts(self) -> tuple[TwilioAccount, ...]:
        """All that are not revoked, oldest first."""
        return self._picture.accounts

    def _key(self, presented: str) -> ApiKey | None:
        if len(presented) > api_key.LONGEST:
            return None
        digest = api_key.digest(presented)
        found = self._picture.keys.get(digest)
        return found if found is not None and hmac.compare_digest(found.digest, digest) else None

    def _of_hash(self, client_id: str, encoded: str, at: float) -> Client | None:
        known = self._picture.clients.get(client_id)
        return known if known is not None and matching(encoded, known.encoded(at)) else None

    def _claims(self, token: str, at: float) -> Claims:
        claims = self.tokens.verify(token, at)
        owner = self._picture.clients.get(claims.client_id)
        if claims.jti in self._picture.revoked or owner is None or owner.revoked_at is not None:
            raise PeerError(TOKEN_REFUSED)
        return claims
