"""The database keeps what it said it wrote, is its owner's alone, and says what is wrong with a file."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from voicestream.errors import DATABASE_DAMAGED, DATABASE_NEWER, DATABASE_UNUSABLE, Fault, PeerError
from voicestream.store.database import MIGRATIONS, Database

ROW = ("k1", "n", "t", b"d", 1.0, None)
INSERT = "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?)"


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM api_keys").fetchone()[0])


def refused(path: Path, fault: Fault) -> None:
    with pytest.raises(PeerError) as caught:
        Database(path)
    assert caught.value.fault is fault


def test_what_was_written_is_there_after_the_next_opening(tmp_path: Path) -> None:
    first = Database(tmp_path / "a" / "v.db")
    with first.write() as connection:
        connection.execute(INSERT, ROW)
    first.close()
    assert count(Database(tmp_path / "a" / "v.db")) == 1


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "v.db")

    def write() -> None:
        with database.write() as connection:
            connection.execute(INSERT, ROW)
            connection.execute(INSERT, ROW)

    with pytest.raises(sqlite3.IntegrityError):
        write()
    assert count(database) == 0


def test_durability_is_what_we_promise(tmp_path: Path) -> None:
    with Database(tmp_path / "v.db").read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(tmp_path / "new" / "v.db")
        with database.write() as connection:
            connection.execute(INSERT, ROW)
        files = list((tmp_path / "new").iterdir())
        assert {path.name for path in files} == {"v.db", "v.db-wal", "v.db-shm"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    finally:
        os.umask(before)


def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    Database(tmp_path / "v.db").close()
    (tmp_path / "v.db").chmod(0o644)
    Database(tmp_path / "v.db").close()
    assert stat.S_IMODE((tmp_path / "v.db").stat().st_mode) == 0o600


def test_it_knows_what_another_writes_and_not_its_own(tmp_path: Path) -> None:
    ours, other = Database(tmp_path / "v.db"), Database(tmp_path / "v.db")
    with ours.write() as connection:
        connection.execute(INSERT, ROW)
    assert (ours.changed(), other.changed(), other.changed()) == (False, True, False)


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_every_older_version_is_upgraded(tmp_path: Path, version: int) -> None:
    old = sqlite3.connect(tmp_path / "v.db")
    for statement in (statement for statements in MIGRATIONS[:version] for statement in statements):
        old.execute(statement)
    old.execute(f"PRAGMA user_version = {version}")
    old.commit()
    old.close()
    database = Database(tmp_path / "v.db")
    assert count(database) == 0
    with database.read() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "v.db")
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    refused(tmp_path / "v.db", DATABASE_NEWER)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "v.db").write_bytes(b"no database at all" * 100)
    refused(tmp_path / "v.db", DATABASE_DAMAGED)


def test_a_damaged_page_is_found_at_the_opening(tmp_path: Path) -> None:
    Database(tmp_path / "v.db").close()
    data = bytearray((tmp_path / "v.db").read_bytes())
    data[4096:8192] = b"\xff" * 4096
    (tmp_path / "v.db").write_bytes(data)
    refused(tmp_path / "v.db", DATABASE_DAMAGED)


@pytest.mark.parametrize("place", ["file/v.db", "folder"])
def test_a_place_that_cannot_be_one(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    refused(tmp_path / place, DATABASE_UNUSABLE)


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    program = f"""
import os, sys
from pathlib import Path
from voicestream.store.database import Database
database = Database(Path({str(tmp_path / "v.db")!r}))
for number in range(20):
    with database.write() as connection:
        connection.execute({INSERT!r}, (str(number), "n", "t", b"%d" % number, 1.0, None))
    print(number, flush=True)
with database.write() as connection:
    connection.execute({INSERT!r}, ("half", "n", "t", b"half", 1.0, None))
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -9
    assert count(Database(tmp_path / "v.db")) == len(done.stdout.split()) == 20
