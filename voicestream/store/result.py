"""Assessments that are kept for a while: the result in the database, the recording as a file, each under a link of its own.

A link is 256 random bits that only the client is told. It finds what it leads to (by its SHA-256) and opens it (AES-256-GCM
under a key made from it): who has read the database, the folder and every key of the server has neither a link nor a voice.
Who has a link needs nothing else, so that the people whose link it is can read it. Everything here blocks.
"""

import hashlib
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from voicestream.errors import ASSESSMENT_STORE, PeerError
from voicestream.store.database import Database

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # imported where it is used: not for those who do without

FOLDER: Final = "assessments"
_LINK_BYTES: Final = 32
_LONGEST_LINK: Final = 64  # characters; anything longer is none
_NONCE: Final = bytes(12)  # a key seals one thing, once
_ORPHAN_S: Final = 600.0  # a file without a row is being written, or was left behind


@dataclass(frozen=True, slots=True)
class Kept:
    """The two ids of an assessment; audio None: its recording is not kept."""

    result: str
    audio: str | None


class Results:
    """What is kept for all tenants, `keep_s` long, and no more than `most` of each. Times are Unix seconds."""

    def __init__(self, database: Database, folder: Path, keep_s: float = 86_400.0, most: int = 5_000) -> None:
        self._database = database
        self._folder = folder / FOLDER
        self._keep_s = keep_s
        self._most = most

    def put(self, tenant: str, body: bytes, wav: bytes | None, at: float) -> Kept:
        """Keep a result and, unless None, its recording; the tenant's oldest make room. PeerError VS2132, VS310x."""
        kept = Kept(secrets.token_urlsafe(_LINK_BYTES), secrets.token_urlsafe(_LINK_BYTES) if wav is not None else None)
        if kept.audio is not None and wav is not None:
            self._write(kept.audio, _sealed(kept.audio, wav))
        audio = None if kept.audio is None else _digest(kept.audio)
        sealed = _sealed(kept.result, body)
        try:
            with self._database.write() as connection:
                connection.execute("INSERT INTO assessments VALUES (?, ?, ?, ?, ?)", (_digest(kept.result), audio, tenant, at, sealed))
                oldest = connection.execute(
                    "SELECT result, audio FROM assessments WHERE tenant = ? ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?",
                    (tenant, self._most),
                ).fetchall()
                connection.executemany("DELETE FROM assessments WHERE result = ?", [(result,) for result, _ in oldest])
        except BaseException:
            self._remove(audio)
            raise
        for _, old in oldest:
            self._remove(old)
        return kept

    def result(self, link: str, at: float) -> bytes | None:
        """The body of a result that is still readable."""
        row = self._row("SELECT body FROM assessments WHERE result = ? AND created_at > ?", link, at)
        return None if row is None else _opened(link, bytes(row[0]))

    def audio(self, link: str, at: float) -> bytes | None:
        """The recording, WAV, of a result that is still readable."""
        row = self._row("SELECT audio FROM assessments WHERE audio = ? AND created_at > ?", link, at)
        if row is None:
            return None
        with suppress(FileNotFoundError):
            return _opened(link, self._path(bytes(row[0])).read_bytes())
        return None

    def delete_result(self, link: str, tenant: str) -> bool:
        """Forget a result of this tenant, and its recording; whether there was one."""
        if len(link) > _LONGEST_LINK:
            return False
        with self._database.write() as connection:
            row = connection.execute(
                "DELETE FROM assessments WHERE result = ? AND tenant = ? RETURNING audio", (_digest(link), tenant)
            ).fetchone()
        if row is not None:
            self._remove(row[0])
        return row is not None

    def delete_audio(self, link: str, tenant: str) -> bool:
        """Forget a recording of this tenant, and keep its result; whether there was one."""
        if len(link) > _LONGEST_LINK:
            return False
        digest = _digest(link)
        with self._database.write() as connection:
            done = connection.execute("UPDATE assessments SET audio = NULL WHERE audio = ? AND tenant = ?", (digest, tenant)).rowcount
        if done:
            self._remove(digest)
        return bool(done)

    def forget(self, at: float) -> int:
        """Remove what is too old, and files that nothing knows of any more; how many results there were."""
        with self._database.write() as connection:
            old = connection.execute("DELETE FROM assessments WHERE created_at <= ? RETURNING audio", (at - self._keep_s,)).fetchall()
        for (audio,) in old:
            self._remove(audio)
        self._sweep()
        return len(old)

    def forget_tenant(self, tenant: str) -> int:
        """Remove all results and recordings of a tenant; how many results there were."""
        with self._database.write() as connection:
            gone = connection.execute("DELETE FROM assessments WHERE tenant = ? RETURNING audio", (tenant,)).fetchall()
        for (audio,) in gone:
            self._remove(audio)
        return len(gone)

    def _row(self, statement: str, link: str, at: float) -> tuple[bytes] | None:
        if len(link) > _LONGEST_LINK:
            return None
        with self._database.read() as connection:
            found: tuple[bytes] | None = connection.execute(statement, (_digest(link), at - self._keep_s)).fetchone()
        return found

    def _write(self, link: str, data: bytes) -> None:
        path = self._path(_digest(link))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._remove(_digest(link))
            raise PeerError(ASSESSMENT_STORE) from error

    def _remove(self, audio: bytes | None) -> None:
        if audio is not None:
            with suppress(OSError):
                self._path(audio).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Files whose row is gone: a crash came between the two."""
        with self._database.read() as connection:
            known = {bytes(audio).hex() for (audio,) in connection.execute("SELECT audio FROM assessments WHERE audio IS NOT NULL")}
        with suppress(OSError):
            for path in self._folder.glob("*"):
                if path.stem not in known and time.time() - path.stat().st_mtime > _ORPHAN_S:
                    path.unlink(missing_ok=True)

    def _path(self, audio: bytes) -> Path:
        return self._folder / f"{bytes(audio).hex()}.sealed"


def _digest(link: str) -> bytes:
    return hashlib.sha256(link.encode("utf-8", "surrogatepass")).digest()


def _seal(link: str) -> "AESGCM":
    """Of what is under this link; its key tells nothing of the digest that is kept, nor the digest of it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.sha256(b"voicestream result" + link.encode("utf-8", "surrogatepass")).digest())


def _sealed(link: str, data: bytes) -> bytes:
    return _seal(link).encrypt(_NONCE, data, None)


def _opened(link: str, data: bytes) -> bytes | None:
    """None for what was changed on the disk, or written by an older version."""
    from cryptography.exceptions import InvalidTag

    try:
        return _seal(link).decrypt(_NONCE, data, None)
    except InvalidTag:
        return None
