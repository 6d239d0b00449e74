"""`voicestream clients` and `voicestream keys`."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from voicestream.cli.main import app
from voicestream.store.authority import Authority

TOKEN = "12345678901234567890123456789012"


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--set", f"data_folder={self.folder}"], input=typed)

    def json(self, *arguments: str, typed: str | None = None) -> list[dict[str, str]]:
        """What it says; one answer is a list of one."""
        done = self.run(*arguments, "--json", typed=typed)
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        return told if isinstance(told, list) else [told]

    def knows(self, client_id: str, secret: str) -> bool:
        authority = Authority.open(self.folder, "https://voice.example", 3600)
        digest, encoded = authority.digest(client_id, secret), authority.hash(client_id, secret)
        authority.close()
        import time

        return authority.check(client_id, digest, encoded, time.time(), 0.0) is not None


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    return Shell(tmp_path / "data")


def test_the_life_of_a_client(shell: Shell) -> None:
    [made] = shell.json("clients", "add", "contact centre", "--tenant", "acme")
    assert shell.knows(made["client_id"], made["client_secret"])
    [listed] = shell.json("clients", "list")
    assert (listed["name"], listed["tenant"], listed["revoked_at"]) == ("contact centre", "acme", None)
    [rotated] = shell.json("clients", "rotate", made["client_id"])
    assert shell.knows(made["client_id"], made["client_secret"])
    assert shell.knows(made["client_id"], rotated["client_secret"])
    [again] = shell.json("clients", "rotate", made["client_id"], "--overlap-h", "0")
    assert not shell.knows(made["client_id"], rotated["client_secret"])
    assert shell.run("clients", "revoke", made["client_id"]).exit_code == 0
    assert not shell.knows(made["client_id"], again["client_secret"])


def test_the_life_of_a_key(shell: Shell) -> None:
    [made] = shell.json("keys", "add", "telephony", "--tenant", "acme")
    authority = Authority.open(shell.folder, "https://voice.example", 3600)
    shown = authority.api_key(made["apikey"])
    assert shown is not None
    assert (shown.name, shown.tenant) == (made["key_id"], "acme")
    assert shell.run("keys", "revoke", made["key_id"]).exit_code == 0
    authority.refresh()
    authority.close()
    assert authority.api_key(made["apikey"]) is None
    assert [row["revoked_at"] for row in shell.json("keys", "list")] != [None]


def test_the_lists_show_whole_ids_and_no_secrets(shell: Shell) -> None:
    assert shell.run("clients", "list").stdout == "none\n"
    [client], [key] = shell.json("clients", "add", "a"), shell.json("keys", "add", "b", "--tenant", "acme")
    clients, keys = shell.run("clients", "list").stdout, shell.run("keys", "list").stdout
    assert client["client_id"] in clients
    assert key["key_id"] in keys
    assert client["client_secret"] not in clients
    assert key["apikey"] not in keys


def authority(shell: Shell) -> Authority:
    return Authority.open(shell.folder, "https://voice.example", 3600)


def test_a_key_with_a_secret(shell: Shell) -> None:
    [made] = shell.json("keys", "add", "genesys", "--tenant", "acme", "--audiohook-secret")
    with closing(authority(shell)) as known:
        assert known.hook_secret(made["apikey"]) == base64.b64decode(made["audiohook_secret"])
    [listed] = shell.json("keys", "list")
    assert listed["kind"] == "signing key"
    assert made["audiohook_secret"] not in shell.run("keys", "list").stdout


@pytest.mark.parametrize("standard_input", [False, True])
def test_a_key_with_a_secret_that_one_has(shell: Shell, tmp_path: Path, standard_input: bool) -> None:
    secret = base64.b64encode(b"0123456789abcdef").decode()
    (tmp_path / "secret").write_text(f"{secret}\n")
    file, typed = ("-", f"{secret}\n") if standard_input else (str(tmp_path / "secret"), None)
    [made] = shell.json("keys", "add", "genesys", "--tenant", "acme", "--audiohook-secret-file", file, typed=typed)
    with closing(authority(shell)) as known:
        assert known.hook_secret(made["apikey"]) == b"0123456789abcdef"


@pytest.mark.parametrize("way", ["prompt", "file", "standard input"])
def test_the_life_of_a_twilio_account(shell: Shell, tmp_path: Path, way: str) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    flags = {"prompt": (), "file": ("--token-file", str(tmp_path / "token")), "standard input": ("--token-file", "-")}[way]
    done = shell.run("keys", "twilio", "main", "--tenant", "acme", *flags, typed=f"{TOKEN}\n")
    assert done.exit_code == 0
    assert TOKEN not in done.output
    with closing(authority(shell)) as known:
        assert [(one.tenant, one.auth_token) for one in known.twilio_accounts()] == [("acme", TOKEN)]
    [listed] = shell.json("keys", "list")
    assert (listed["kind"], listed["name"], TOKEN in str(listed)) == ("Twilio", "main", False)
    assert shell.run("keys", "revoke", listed["key_id"]).exit_code == 0
    with closing(authority(shell)) as known:
        assert known.twilio_accounts() == ()


def test_a_wrong_secret_is_never_repeated(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("my wrong secret")
    for arguments in (
        ("keys", "twilio", "a", "--tenant", "acme", "--token-file", str(tmp_path / "file")),
        ("keys", "add", "a", "--tenant", "acme", "--audiohook-secret-file", str(tmp_path / "file")),
    ):
        done = shell.run(*arguments)
        assert (done.exit_code, done.stderr[:6], "my wrong" in done.output) == (2, "VS3112", False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("clients", "rotate", "nobody"), "VS3105"),
        (("clients", "revoke", "nobody"), "VS3105"),
        (("keys", "revoke", "none"), "VS3106"),
        (("keys", "revoke", "t00"), "VS3114"),
        (("keys", "twilio", "a", "--tenant", "acme", "--token-file", "/nowhere"), "VS1020"),
        (("keys", "twilio", "a", "--tenant", "acme", "--token-file", "/dev/zero"), "VS3112"),
        (("keys", "add", "a", "--tenant", "acme", "--audiohook-secret", "--audiohook-secret-file", "-"), "VS3112"),
        (("clients", "add", ""), "VS3107"),
        (("clients", "add", "a", "--scope", "admin"), "VS3107"),
        (("keys", "add", "a", "--tenant", "a b"), "VS3107"),
    ],
)
def test_errors_are_numbered(shell: Shell, arguments: tuple[str, ...], code: str) -> None:
    done = shell.run(*arguments)
    assert (done.exit_code, done.stderr[:6]) == (2, code)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = Shell(tmp_path / "file").run("clients", "list")
    assert (done.exit_code, done.stderr[:6]) == (2, "VS3101")
