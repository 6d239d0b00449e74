"""Clients, keys and tokens together: who is recognised, for how long, and what ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from voicestream.errors import SCOPE_REFUSED, TOKEN_FOREIGN, TOKEN_REFUSED, UNKNOWN_CLIENT, UNKNOWN_KEY, WRONG_NAME, Fault, PeerError
from voicestream.store.api_key import add_key, keys, revoke_key
from voicestream.store.authority import Authority, FirstCredentials
from voicestream.store.client import Client, add_client, clients, revoke_client, rotate_client
from voicestream.store.database import FILE_NAME, Database

AT = 1_795_255_200.0


class House:
    """An authority, and the command line's own connection to its database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.open(folder, "https://voice.example", 3600)
        self.outside = Database(folder / FILE_NAME)

    def client(self, **told: object) -> tuple[Client, str]:
        made = add_client(self.outside, "one", AT, **told)  # type: ignore[arg-type]
        self.authority.refresh()
        return made

    def login(self, client_id: str, secret: str, at: float = AT) -> Client | None:
        """By argon2."""
        encoded = self.authority.hash(client_id, secret)
        return self.authority.check(client_id, self.authority.digest(client_id, secret), encoded, at, 0.0)

    def recognised(self, client_id: str, secret: str, at: float = AT, now: float = 0.0) -> bool:
        """Without."""
        return self.authority.recognise(client_id, self.authority.digest(client_id, secret), at, now) is not None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.authority.close()
    house.outside.close()


def refused(fault: Fault) -> "pytest.RaisesExc[PeerError]":
    return pytest.RaisesExc(PeerError, check=lambda error: error.fault is fault)


def test_only_the_right_secret_of_the_right_client(house: House) -> None:
    (one, secret), (two, _) = house.client(), house.client()
    found = house.login(one.client_id, secret)
    assert found is not None
    assert found.client_id == one.client_id
    assert house.login(one.client_id, secret[:-1] + "!") is None
    assert house.login(two.client_id, secret) is None
    assert house.login("nobody", secret) is None


def test_a_client_is_recognised_once_it_was_checked_and_not_before(house: House) -> None:
    one, secret = house.client()
    assert not house.recognised(one.client_id, secret)
    house.login(one.client_id, secret)
    assert house.recognised(one.client_id, secret)
    assert not house.recognised(one.client_id, secret + "x")


def test_a_wrong_secret_is_never_remembered(house: House) -> None:
    one, _ = house.client()
    house.login(one.client_id, "wrong")
    assert not house.recognised(one.client_id, "wrong")


def test_no_secret_is_on_the_disk(house: House) -> None:
    _, secret = house.client()
    _, key = add_key(house.outside, "k", "t", AT)
    data = b"".join(path.read_bytes() for path in house.folder.glob(f"{FILE_NAME}*"))
    assert b"$argon2id$" in data
    assert secret.encode() not in data
    assert key.encode() not in data


def test_after_a_rotation_both_secrets_are_good_for_the_overlap(house: House) -> None:
    one, old = house.client()
    house.login(one.client_id, old)
    new = rotate_client(house.outside, one.client_id, AT, overlap_s=100)
    house.authority.refresh()
    assert house.login(one.client_id, new, AT + 1)
    assert house.login(one.client_id, old, AT + 99)
    assert house.recognised(one.client_id, old, AT + 99)
    assert not house.login(one.client_id, old, AT + 100)
    assert not house.recognised(one.client_id, old, AT + 100)
    assert house.login(one.client_id, new, AT + 100)


def test_a_rotation_without_overlap_ends_the_old_secret_and_what_is_remembered_of_it(house: House) -> None:
    one, old = house.client()
    house.login(one.client_id, old)
    rotate_client(house.outside, one.client_id, AT, overlap_s=0)
    house.authority.refresh()
    assert not house.recognised(one.client_id, old)
    assert not house.login(one.client_id, old)


def test_two_rotations_leave_two_secrets(house: House) -> None:
    one, first = house.client()
    second = rotate_client(house.outside, one.client_id, AT, overlap_s=100)
    third = rotate_client(house.outside, one.client_id, AT, overlap_s=100)
    house.authority.refresh()
    assert [bool(house.login(one.client_id, secret)) for secret in (first, second, third)] == [False, True, True]


def test_a_revoked_client_is_nobody_and_its_tokens_are_nothing(house: House) -> None:
    one, secret = house.client()
    house.login(one.client_id, secret)
    token = house.authority.grant(one, None, AT)
    assert house.authority.token(token, AT).name == one.client_id
    revoke_client(house.outside, one.client_id, AT)
    house.authority.refresh()
    assert not house.recognised(one.client_id, secret)
    assert not house.login(one.client_id, secret)
    with refused(TOKEN_REFUSED):
        house.authority.token(token, AT)
    with refused(UNKNOWN_CLIENT):
        rotate_client(house.outside, one.client_id, AT, 0)
    with refused(UNKNOWN_CLIENT):
        revoke_client(house.outside, one.client_id, AT)
    assert [client.revoked_at for client in clients(house.outside)] == [AT]


def test_a_token_says_whose_it_is(house: House) -> None:
    one, _ = house.client(tenant="acme", scopes=("verify",))
    shown = house.authority.token(house.authority.grant(one, None, AT), AT)
    assert (shown.name, shown.tenant, shown.scopes, shown.expires_at) == (one.client_id, "acme", {"verify"}, AT + 3600)


def test_scopes_can_be_narrowed_and_not_widened(house: House) -> None:
    one, _ = house.client(scopes=("verify",))
    two, _ = house.client()
    assert house.authority.token(house.authority.grant(two, "register", AT), AT).scopes == {"register"}
    assert house.authority.token(house.authority.grant(two, "verify verify register", AT), AT).scopes == {"register", "verify"}
    for scope in ("register", "verify register", "admin", "Verify", ""):
        with refused(SCOPE_REFUSED):
            house.authority.grant(one, scope, AT)


def test_a_revoked_token_ends_at_once_and_stays_ended(house: House) -> None:
    one, _ = house.client()
    ended, other = house.authority.grant(one, None, AT), house.authority.grant(one, None, AT)
    house.authority.revoke(one, ended, AT)
    again = Authority.open(house.folder, "https://voice.example", 3600)
    for authority in (house.authority, again):
        with refused(TOKEN_REFUSED):
            authority.token(ended, AT)
        assert authority.token(other, AT)
    again.close()


def test_revocations_are_dropped_with_the_tokens_they_are_of(house: House) -> None:
    one, _ = house.client()
    for hour in range(5):
        at = AT + 4000 * hour
        house.authority.revoke(one, house.authority.grant(one, None, at), at)
    with house.outside.read() as connection:
        assert connection.execute("SELECT count(*) FROM revoked_tokens").fetchone()[0] == 1


def test_a_client_revokes_its_own_tokens_only(house: House) -> None:
    (one, _), (two, _) = house.client(), house.client()
    token = house.authority.grant(one, None, AT)
    with refused(TOKEN_FOREIGN):
        house.authority.revoke(two, token, AT)
    house.authority.revoke(two, "no token", AT)
    house.authority.revoke(two, token, AT + 3600)  # ended by itself
    assert house.authority.token(token, AT)


def test_a_tenant_looks_into_its_own_tokens_only(house: House) -> None:
    one, _ = house.client(tenant="acme")
    two, _ = house.client(tenant="acme")
    three, _ = house.client()
    token = house.authority.grant(one, None, AT)
    claims = house.authority.look_into(two, token, AT)
    assert claims is not None
    assert claims.client_id == one.client_id
    assert house.authority.look_into(three, token, AT) is None
    assert house.authority.look_into(one, token, AT + 3600) is None
    assert house.authority.look_into(one, "x", AT) is None


def test_an_api_key_decides_the_tenant(house: House) -> None:
    made, key = add_key(house.outside, "telephony", "acme", AT)
    assert house.authority.api_key(key) is None  # not seen yet
    house.authority.refresh()
    shown = house.authority.api_key(key)
    assert shown is not None
    assert (shown.name, shown.tenant) == (made.key_id, "acme")
    for other in ("", key[:-1], key + "x", key.swapcase(), made.key_id, "x" * 100_000, "\ud800"):
        assert house.authority.api_key(other) is None


def test_a_revoked_key_is_none(house: House) -> None:
    made, key = add_key(house.outside, "telephony", "acme", AT)
    house.authority.refresh()
    revoke_key(house.outside, made.key_id, AT)
    house.authority.refresh()
    assert house.authority.api_key(key) is None
    assert [one.revoked_at for one in keys(house.outside)] == [AT]
    with refused(UNKNOWN_KEY):
        revoke_key(house.outside, made.key_id, AT)


def test_the_first_start_makes_one_client_and_one_key_of_one_tenant(house: House) -> None:
    first = house.authority.first_start(AT)
    assert isinstance(first, FirstCredentials)
    found, key = house.login(first.client_id, first.client_secret), house.authority.api_key(first.api_key)
    assert found is not None
    assert key is not None
    assert found.tenant == key.tenant == first.client_id
    assert house.authority.first_start(AT) is None


def test_whoever_was_revoked_is_not_made_anew(house: House) -> None:
    one, _ = house.client()
    revoke_client(house.outside, one.client_id, AT)
    house.authority.refresh()
    assert house.authority.first_start(AT) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", {}),
        ("\x1b[31m", {}),
        ("x" * 101, {}),
        ("a", {"tenant": "a b"}),
        ("a", {"tenant": ""}),
        ("a", {"scopes": ()}),
        ("a", {"scopes": ("admin",)}),
    ],
)
def test_names_that_cannot_be_shown_or_compared(house: House, name: str, told: dict[str, object]) -> None:
    with refused(WRONG_NAME):
        add_client(house.outside, name, AT, **told)  # type: ignore[arg-type]
    assert clients(house.outside) == []
