"""Audio settings and sessions of the REST clients: what must outlive the process. Everything here blocks.

A session is begun, then finished or, by a restart, interrupted; how far it is in between is not for the disk. What is said
about it is a text that means nothing here. Times are Unix seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicestream.store.database import Database


@dataclass(frozen=True, slots=True)
class Kept:
    """One row: `said` is what its client is told of it."""

    id: str
    created_at: float
    said: str


class RestSessions:
    """What REST clients made, each tenant's for itself."""

    def __init__(self, database: Database, readable_s: float = 3600.0) -> None:
        self._database = database
        self.readable_s = readable_s

    def put_settings(self, new: Kept, tenant: str) -> Kept:
        """Keep audio settings; those that the tenant has already stay what they are, so nobody can fill the disk with them."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO rest_audio_settings VALUES (?, ?, ?, ?)", (new.id, tenant, new.created_at, new.said))
            row = connection.execute(
                "SELECT id, created_at, said FROM rest_audio_settings WHERE tenant = ? AND said = ?", (tenant, new.said)
            ).fetchone()
        return Kept(*row)

    def settings(self, id: str, tenant: str) -> Kept | None:
        """Audio settings of this tenant."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT id, created_at, said FROM rest_audio_settings WHERE id = ? AND tenant = ?", (id, tenant)
            ).fetchone()
        return Kept(*row) if row else None

    def begin(self, new: Kept, tenant: str, kind: str) -> None:
        """A session has been created."""
        with self._database.write() as connection:
            connection.execute("INSERT INTO rest_sessions VALUES (?, ?, ?, ?, NULL, ?)", (new.id, tenant, kind, new.created_at, new.said))

    def withdraw(self, id: str) -> None:
        """It was not created after all."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM rest_sessions WHERE id = ?", (id,))

    def finish(self, said: Sequence[tuple[str, str]], at: float) -> None:
        """These sessions, by id, have their last word; what is too old is forgotten."""
        with self._database.write() as connection:
            connection.executemany("UPDATE rest_sessions SET finished_at = ?, said = ? WHERE id = ?", [(at, last, id) for id, last in said])
            connection.execute("DELETE FROM rest_sessions WHERE finished_at <= ?", (at - self.readable_s,))

    def interrupt(self, said: Mapping[str, str], at: float) -> int:
        """Sessions that a former process left unfinished get the last word of their kind; how many there were."""
        with self._database.write() as connection:
            return sum(
                connection.execute(
                    "UPDATE rest_sessions SET finished_at = ?, said = ? WHERE kind = ? AND finished_at IS NULL", (at, last, kind)
                ).rowcount
                for kind, last in said.items()
            )

    def finished(self, id: str, tenant: str, kind: str, at: float) -> Kept | None:
        """A session of this tenant that has finished, while it is readable."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT id, created_at, said FROM rest_sessions WHERE id = ? AND tenant = ? AND kind = ? AND finished_at > ?",
                (id, tenant, kind, at - self.readable_s),
            ).fetchone()
        return Kept(*row) if row else None
