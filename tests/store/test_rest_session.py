"""What REST clients made is kept for its tenant, for its time, and through a restart."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.store.database import Database
from voicestream.store.rest_session import Kept, RestSessions

AT = 1_795_255_200.0
ONE = Kept("1", AT, '{"status":"created"}')
LAST = '{"status":"success"}'
INTERRUPTED = {"register": '{"status":"error"}', "verify": '{"status":"error","score":null}'}


@pytest.fixture
def store(tmp_path: Path) -> RestSessions:
    return RestSessions(Database(tmp_path / "v.db"))


def test_settings_are_kept_once_for_each_tenant(store: RestSessions) -> None:
    assert store.put_settings(ONE, "a") == ONE
    assert store.put_settings(replace(ONE, id="2", created_at=AT + 1), "a") == ONE
    assert store.put_settings(replace(ONE, id="3"), "b") == replace(ONE, id="3")
    assert store.put_settings(replace(ONE, id="4", said="{}"), "a").id == "4"
    assert store.settings("1", "a") == ONE
    assert store.settings("1", "b") is None
    assert store.settings("2", "a") is None


def test_a_session_is_read_when_it_has_finished(store: RestSessions) -> None:
    store.begin(ONE, "a", "register")
    assert store.finished("1", "a", "register", AT) is None
    store.finish([("1", LAST)], AT)
    assert store.finished("1", "a", "register", AT) == replace(ONE, said=LAST)
    assert store.finished("1", "b", "register", AT) is None
    assert store.finished("1", "a", "verify", AT) is None


def test_for_its_hour(store: RestSessions) -> None:
    store.begin(ONE, "a", "register")
    store.finish([("1", LAST)], AT)
    assert store.finished("1", "a", "register", AT + 3599.9) is not None
    assert store.finished("1", "a", "register", AT + 3600) is None


def test_what_is_old_makes_room_and_what_is_unfinished_stays(store: RestSessions) -> None:
    for id in "123":
        store.begin(replace(ONE, id=id), "a", "register")
    store.finish([("1", LAST)], AT)
    store.finish([("2", LAST)], AT + 3600)
    with store._database.read() as connection:
        assert connection.execute("SELECT id FROM rest_sessions ORDER BY id").fetchall() == [("2",), ("3",)]


def test_a_withdrawn_session_never_was(store: RestSessions) -> None:
    store.begin(ONE, "a", "register")
    store.withdraw("1")
    assert store.interrupt(INTERRUPTED, AT) == 0


def test_a_restart_interrupts_what_was_unfinished_and_nothing_else(store: RestSessions, tmp_path: Path) -> None:
    for id, kind in (("1", "register"), ("2", "verify"), ("3", "register")):
        store.begin(replace(ONE, id=id), "a", kind)
    store.finish([("1", LAST)], AT)
    after = RestSessions(Database(tmp_path / "v.db"))
    assert after.interrupt(INTERRUPTED, AT + 9) == 2
    assert after.interrupt(INTERRUPTED, AT + 10) == 0
    said = [after.finished(id, "a", kind, AT + 9) for id, kind in (("1", "register"), ("2", "verify"), ("3", "register"))]
    assert [one.said for one in said if one] == [LAST, INTERRUPTED["verify"], INTERRUPTED["register"]]


def test_many_results_are_one_write(store: RestSessions) -> None:
    for number in range(100):
        store.begin(replace(ONE, id=f"{number}"), "a", "register")
    store.finish([(f"{number}", f'{{"n":{number}}}') for number in range(100)], AT)
    found = store.finished("57", "a", "register", AT)
    assert found is not None
    assert found.said == '{"n":57}'


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_no_text_is_more_than_a_text(text: str) -> None:
    with TemporaryDirectory() as folder, closing(Database(Path(folder) / "v.db")) as database:
        store = RestSessions(database)
        store.begin(replace(ONE, id=text), text, "register")
        store.finish([(text, text)], AT)
        assert store.finished(text, text, "register", AT) == Kept(text, AT, text)
        assert store.finished(text + "'", text, "register", AT) is None
