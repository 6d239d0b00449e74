"""`voicestream assessments`."""

import json
from contextlib import closing
from pathlib import Path

from typer.testing import CliRunner

from voicestream.cli.main import app
from voicestream.store.database import FILE_NAME, Database
from voicestream.store.result import Results


def test_an_operator_forgets_a_tenant(tmp_path: Path) -> None:
    with closing(Database(tmp_path / FILE_NAME)) as database:
        kept = Results(database, tmp_path).put("acme", b"{}", b"RIFF", at=0.0)
        other = Results(database, tmp_path).put("other", b"{}", b"RIFF", at=0.0)
        done = CliRunner().invoke(app, ["assessments", "forget", "acme", "--json", "--set", f"data_folder={tmp_path}"])
        assert json.loads(done.stdout) == {"tenant": "acme", "results": "1"}
        assert Results(database, tmp_path).result(kept.result, 1.0) is None
        assert Results(database, tmp_path).result(other.result, 1.0) == b"{}"
    assert len(list((tmp_path / "assessments").iterdir())) == 1
