"""Sealed secrets: opened with their own key, in their own row, and by nobody else."""

from pathlib import Path

import pytest

from tests.store.fault import refused
from voicestream.errors import SECRET_SEALED, TOKEN_TAKEN, UNKNOWN_ACCOUNT, VAULT_KEY_FILE, WRONG_SECRET
from voicestream.store.api_key import add_key, keys, revoke_key
from voicestream.store.authority import Authority
from voicestream.store.database import FILE_NAME as DATABASE
from voicestream.store.database import Database
from voicestream.store.hook_secret import decode, encode, new_secret
from voicestream.store.twilio_account import accounts, add_account, revoke_account
from voicestream.store.vault import FILE_NAME, Vault

AT = 1_795_255_200.0
SECRET = b"a secret of more than sixteen bytes"
TOKEN = "12345678901234567890123456789012"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.load(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / DATABASE)


def test_what_is_sealed_opens_with_the_key_of_the_folder(vault: Vault, tmp_path: Path) -> None:
    assert Vault.load(tmp_path).open(vault.seal(SECRET, "k1"), "k1") == SECRET
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_every_flipped_bit_another_row_and_another_key_are_refused(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal(SECRET, "k1")
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with refused(SECRET_SEALED):
            vault.open(bytes(flipped), "k1")
    for other, row in ((vault, "k2"), (Vault.load(tmp_path / "other"), "k1")):
        with refused(SECRET_SEALED):
            other.open(sealed, row)
    for length in range(len(sealed)):
        with refused(SECRET_SEALED):
            vault.open(sealed[:length], "k1")


def test_the_same_secret_is_never_sealed_alike(vault: Vault) -> None:
    assert len({vault.seal(SECRET, "k1") for _ in range(100)}) == 100


def test_a_key_file_that_others_may_read_or_of_another_size(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).chmod(0o640)
    with refused(VAULT_KEY_FILE):
        Vault.load(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o600)
    (tmp_path / FILE_NAME).write_bytes(b"short")
    with refused(VAULT_KEY_FILE):
        Vault.load(tmp_path)


def test_no_secret_is_in_the_files_of_the_database(vault: Vault, database: Database, tmp_path: Path) -> None:
    add_key(database, "genesys", "acme", AT, (vault, SECRET))
    add_account(database, vault, "twilio", "acme", TOKEN, AT)
    assert keys(database, vault)[0].hook_secret == SECRET
    assert accounts(database, vault)[0].auth_token == TOKEN
    for path in tmp_path.iterdir():
        assert SECRET not in path.read_bytes()
        assert TOKEN.encode() not in path.read_bytes()


def test_no_secret_is_in_what_an_object_prints(vault: Vault, database: Database) -> None:
    add_key(database, "genesys", "acme", AT, (vault, SECRET))
    account = add_account(database, vault, "twilio", "acme", TOKEN, AT)
    assert str(SECRET) not in repr(keys(database, vault))
    assert TOKEN not in repr(account)


def test_what_is_revoked_is_forgotten(vault: Vault, database: Database) -> None:
    key, _ = add_key(database, "genesys", "acme", AT, (vault, SECRET))
    account = add_account(database, vault, "twilio", "acme", TOKEN, AT)
    revoke_key(database, key.key_id, AT)
    revoke_account(database, account.account_id, AT)
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM hook_secrets").fetchone() == (0,)
        assert connection.execute("SELECT sealed FROM twilio_accounts").fetchone() == (None,)
    with refused(UNKNOWN_ACCOUNT):
        revoke_account(database, account.account_id, AT)
    add_account(database, vault, "again", "other", TOKEN, AT)


def test_a_token_is_of_one_tenant(vault: Vault, database: Database) -> None:
    add_account(database, vault, "one", "acme", TOKEN, AT)
    with refused(TOKEN_TAKEN):
        add_account(database, vault, "two", "other", TOKEN, AT)


@pytest.mark.parametrize("token", ["", "x" * 15, "x" * 129, TOKEN + "\n", "é" * 32, "a b" * 8])
def test_what_is_no_auth_token(vault: Vault, database: Database, token: str) -> None:
    with refused(WRONG_SECRET):
        add_account(database, vault, "one", "acme", token, AT)
    assert accounts(database) == []


@pytest.mark.parametrize("text", ["", "AAAA", "é", "*" * 44, encode(b"x" * 15), encode(b"x" * 257), "A" * 43])
def test_what_is_no_audiohook_secret(text: str) -> None:
    with refused(WRONG_SECRET):
        decode(text)


def test_an_audiohook_secret_in_base64() -> None:
    secret = new_secret()
    assert decode(f" {encode(secret)}\n") == secret
    assert len(secret) == 32


def test_the_authority_knows_what_each_key_signs_with(tmp_path: Path, vault: Vault, database: Database) -> None:
    authority = Authority.open(tmp_path, "https://voice.example", 3600)
    signing, signing_key = add_key(database, "genesys", "acme", AT, (vault, SECRET))
    _, plain_key = add_key(database, "telephony", "acme", AT)
    authority.refresh()
    assert [authority.hook_secret(key) for key in (signing_key, plain_key, "unknown", "x" * 1000)] == [SECRET, b"", None, None]
    with database.write() as connection:
        connection.execute("UPDATE hook_secrets SET sealed = zeroblob(60)")
    authority.refresh()
    assert authority.hook_secret(signing_key) is None  # and not b"", as if it needed none
    revoke_key(database, signing.key_id, AT)
    authority.refresh()
    assert authority.hook_secret(signing_key) is None
    authority.close()


def test_the_authority_knows_the_accounts_that_are_not_revoked(tmp_path: Path, vault: Vault, database: Database) -> None:
    authority = Authority.open(tmp_path, "https://voice.example", 3600)
    account = add_account(database, vault, "one", "acme", TOKEN, AT)
    authority.refresh()
    assert [(one.tenant, one.auth_token) for one in authority.twilio_accounts()] == [("acme", TOKEN)]
    revoke_account(database, account.account_id, AT)
    authority.refresh()
    assert authority.twilio_accounts() == ()
    authority.close()
