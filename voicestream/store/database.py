"""The database: one SQLite file in the data folder, made and upgraded when it is opened.

What a `write` block returned from is on the disk (WAL, synchronous=FULL). Everything here blocks: call it from a thread.
Sources: sqlite.org/wal.html, sqlite.org/pragma.html.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Final

from voicestream.errors import DATABASE_DAMAGED, DATABASE_NEWER, DATABASE_UNUSABLE, PeerError

FILE_NAME: Final = "voicestream.db"
_BUSY_S: Final = 5.0  # another process may hold the one write lock for so long

# The n-th entry brings version n to version n + 1 (PRAGMA user_version); what was released once is never edited.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE clients (
            client_id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT NOT NULL, scope TEXT NOT NULL,
            salt BLOB NOT NULL, created_at REAL NOT NULL, revoked_at REAL
        ) STRICT""",
        """CREATE TABLE secrets (
            client_id TEXT NOT NULL REFERENCES clients, encoded TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL
        ) STRICT""",
        """CREATE TABLE api_keys (
            key_id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT NOT NULL, digest BLOB NOT NULL UNIQUE,
            created_at REAL NOT NULL, revoked_at REAL
        ) STRICT""",
        "CREATE TABLE revoked_tokens (jti TEXT PRIMARY KEY, expires_at REAL NOT NULL) STRICT",
    ),
    (
        "CREATE TABLE hook_secrets (key_id TEXT PRIMARY KEY REFERENCES api_keys, sealed BLOB NOT NULL) STRICT",
        """CREATE TABLE twilio_accounts (
            account_id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT NOT NULL, sealed BLOB,
            created_at REAL NOT NULL, revoked_at REAL
        ) STRICT""",
    ),
    (
        """CREATE TABLE rest_audio_settings (
            id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created_at REAL NOT NULL, said TEXT NOT NULL, UNIQUE (tenant, said)
        ) STRICT""",
        """CREATE TABLE rest_sessions (
            id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, created_at REAL NOT NULL, finished_at REAL, said TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX rest_sessions_by_finish ON rest_sessions (finished_at)",
    ),
    (
        """CREATE TABLE assessments (
            result BLOB PRIMARY KEY, audio BLOB UNIQUE, tenant TEXT NOT NULL, created_at REAL NOT NULL, body BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX assessments_by_age ON assessments (created_at)",
        "CREATE INDEX assessments_by_tenant ON assessments (tenant, created_at)",
    ),
)


class Database:
    """One connection behind a lock, for all threads of this process; other processes may have the file open as well."""

    def __init__(self, path: Path) -> None:
        """Open or make `path`, readable by its owner alone. PeerError VS3101, VS3102 or VS3103."""
        self._lock = RLock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(descriptor, 0o600)  # the files beside it, -wal and -shm, take its mode
            finally:
                os.close(descriptor)
            self._connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise PeerError(DATABASE_UNUSABLE, str(path)) from error
        try:
            with _told(path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise
        self._path = path
        self._version = self._data_version()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that see one state of the database."""
        with self._lock, _told(self._path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection, in a transaction that is on the disk when the block is left, or undone when it raises."""
        with self._lock, _told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def changed(self) -> bool:
        """Whether another process wrote since this was asked last."""
        with self._lock, _told(self._path):
            version, self._version = self._version, self._data_version()
            return version != self._version

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA trusted_schema = OFF")
        if execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise PeerError(DATABASE_DAMAGED)
        execute("BEGIN EXCLUSIVE")  # of two processes that start at once, one upgrades
        try:
            version = int(execute("PRAGMA user_version").fetchone()[0])
            if version > len(MIGRATIONS):
                raise PeerError(DATABASE_NEWER, f"version {version}, {len(MIGRATIONS)} known")
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    execute(statement)
            if version < len(MIGRATIONS):  # else nothing is written, which other processes would take for news
                execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What SQLite says, as a numbered error."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.InterfaceError) as error:
        raise PeerError(DATABASE_UNUSABLE, str(path)) from error
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # ours
    except sqlite3.DatabaseError as error:
        raise PeerError(DATABASE_DAMAGED, str(path)) from error
