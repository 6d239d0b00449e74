"""Results and recordings under links: readable by whoever has the link, and by nobody else, for as long as was said."""

import os
import sqlite3
from pathlib import Path

import pytest

from voicestream.errors import ASSESSMENT_STORE, PeerError
from voicestream.store.database import Database
from voicestream.store.result import FOLDER, Results

DAY_S = 86_400.0


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "voicestream.db")


@pytest.fixture
def results(database: Database, tmp_path: Path) -> Results:
    return Results(database, tmp_path, DAY_S, most=3)


def files(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("*"))


def test_what_is_kept_is_read_by_its_links(results: Results) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    assert (results.result(kept.result, 1.0), results.audio(kept.audio, 1.0)) == (b"{}", b"RIFF")


def test_all_of_a_tenant_is_forgotten_and_nothing_of_others(results: Results, tmp_path: Path) -> None:
    gone = [results.put("acme", b"{}", wav, at=0.0) for wav in (b"RIFF", None)]
    left = results.put("other", b"{}", b"RIFF", at=0.0)
    assert left.audio is not None
    assert results.forget_tenant("acme") == 2
    assert [results.result(one.result, 1.0) for one in gone] == [None, None]
    assert (results.result(left.result, 1.0), results.audio(left.audio, 1.0)) == (b"{}", b"RIFF")
    assert len(files(tmp_path)) == 1


def test_neither_link_opens_the_other(results: Results) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    assert (results.audio(kept.result, 1.0), results.result(kept.audio, 1.0)) == (None, None)


def test_links_are_256_random_bits(results: Results) -> None:
    kept = [results.put(f"t{number}", b"{}", b"", at=0.0) for number in range(50)]
    links = {link for one in kept for link in (one.result, one.audio)}
    assert len(links) == 100
    assert all(link is not None and len(link) == 43 for link in links)


def test_no_link_stands_in_the_database_or_the_folder(results: Results, tmp_path: Path) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("voicestream.db*")) + str(files(tmp_path)).encode()
    assert kept.result.encode() not in raw
    assert kept.audio.encode() not in raw


def test_who_has_the_disk_and_no_link_reads_nothing(results: Results, tmp_path: Path) -> None:
    results.put("acme", b'{"transcript":"to the market"}', b"RIFF a voice", at=0.0)
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"market" not in everything
    assert b"voice" not in everything


def test_what_was_changed_on_the_disk_is_not_told(results: Results, tmp_path: Path) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    (path,) = files(tmp_path)
    path.write_bytes(b"RIFF another voice, as long as you like")
    assert results.audio(kept.audio, 1.0) is None


@pytest.mark.parametrize("link", ["", "x", "../voicestream.db", "x" * 5000, "\ud800", "%00", "' OR 1=1 --"])
def test_guesses_open_nothing(results: Results, link: str) -> None:
    results.put("acme", b"{}", b"RIFF", at=0.0)
    assert (results.result(link, 1.0), results.audio(link, 1.0)) == (None, None)
    assert not results.delete_result(link, "acme")
    assert not results.delete_audio(link, "acme")


def test_recordings_are_their_owners_alone(results: Results, tmp_path: Path) -> None:
    results.put("acme", b"{}", b"RIFF", at=0.0)
    (path,) = files(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_after_their_time_they_cannot_be_read_and_then_they_are_gone(results: Results, tmp_path: Path, database: Database) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    assert (results.result(kept.result, DAY_S), results.audio(kept.audio, DAY_S)) == (None, None)
    assert (results.forget(DAY_S - 1), results.forget(DAY_S)) == (0, 1)
    assert files(tmp_path) == []
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM assessments").fetchone() == (0,)


def test_a_tenant_deletes_its_own_and_no_others(results: Results, tmp_path: Path) -> None:
    kept = results.put("acme", b"{}", b"RIFF", at=0.0)
    assert kept.audio is not None
    assert not results.delete_result(kept.result, "other")
    assert not results.delete_audio(kept.audio, "other")
    assert results.delete_audio(kept.audio, "acme")
    assert (files(tmp_path), results.result(kept.result, 1.0), results.audio(kept.audio, 1.0)) == ([], b"{}", None)
    assert results.delete_result(kept.result, "acme")
    assert not results.delete_result(kept.result, "acme")


def test_deleting_a_result_deletes_its_recording(results: Results, tmp_path: Path) -> None:
    assert results.delete_result(results.put("acme", b"{}", b"RIFF", at=0.0).result, "acme")
    assert files(tmp_path) == []


def test_the_oldest_of_a_tenant_makes_room(results: Results, tmp_path: Path) -> None:
    other = results.put("other", b"o", b"RIFF", at=0.0)
    kept = [results.put("acme", b"%d" % number, b"RIFF", at=1.0) for number in range(5)]
    assert [results.result(one.result, 2.0) for one in kept] == [None, None, b"2", b"3", b"4"]
    assert (results.result(other.result, 2.0), len(files(tmp_path))) == (b"o", 4)


def test_recordings_need_not_be_kept(results: Results, tmp_path: Path) -> None:
    assert results.put("acme", b"{}", None, at=0.0).audio is None
    assert not (tmp_path / FOLDER).exists()


def test_a_file_that_nothing_knows_is_swept_once_it_is_old(results: Results, tmp_path: Path) -> None:
    results.put("acme", b"{}", b"RIFF", at=0.0)
    known = files(tmp_path)
    old, young = tmp_path / FOLDER / f"{'0' * 64}.sealed", tmp_path / FOLDER / f"{'1' * 64}.sealed"
    for path in (old, young):
        path.write_bytes(b"")
    os.utime(old, (1.0, 1.0))
    results.forget(1.0)
    assert files(tmp_path) == sorted([*known, young])


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path, database: Database) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(PeerError) as refusal:
        Results(database, tmp_path).put("acme", b"{}", b"RIFF", at=0.0)
    assert refusal.value.fault is ASSESSMENT_STORE


def test_a_row_that_cannot_be_written_leaves_no_file(results: Results, tmp_path: Path, database: Database) -> None:
    with database.write() as connection:
        connection.execute("DROP TABLE assessments")
    with pytest.raises((PeerError, sqlite3.Error)):
        results.put("acme", b"{}", b"RIFF", at=0.0)
    assert files(tmp_path) == []
