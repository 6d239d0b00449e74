"""Secrets are kept as argon2id and recognised from a keyed hash, for a while, as long as they are good."""

import argon2
import pytest

from voicestream.store.secret import SecretCache, encode, matching, new_secret

SALT = bytes(16)


def test_the_hash_is_argon2id_as_the_library_verifies_it() -> None:
    encoded = encode("Sésame", SALT)
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(encoded, "Sésame")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(encoded, "sésame")


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret) for secret in made} == {43}


def test_matching_looks_at_every_hash() -> None:
    assert matching("b", ["a", "b"])
    assert matching("a", ["a", "b"])
    assert not matching("c", ["a", "b"])
    assert not matching("a", [])


def test_a_digest_is_of_both_parts_and_of_this_process() -> None:
    cache = SecretCache()
    assert cache.digest("a", "b") == cache.digest("a", "b")
    assert len({cache.digest("a", "b"), cache.digest("ab", ""), cache.digest("", "ab"), cache.digest("b", "a")}) == 4
    assert cache.digest("a", "b") != SecretCache().digest("a", "b")


def test_what_is_remembered_is_forgotten_in_time() -> None:
    cache = SecretCache(life_s=10)
    cache.remember(b"d", "hash", now=0.0)
    assert cache.encoded(b"d", 9.9) == "hash"
    assert cache.encoded(b"d", 10.0) is None
    assert len(cache) == 0


def test_use_does_not_make_it_live_longer() -> None:
    cache = SecretCache(life_s=10)
    cache.remember(b"d", "hash", now=0.0)
    for now in range(10):
        cache.encoded(b"d", float(now))
    assert cache.encoded(b"d", 10.0) is None


def test_memory_is_bounded_and_the_longest_unused_goes() -> None:
    cache = SecretCache(entries=2)
    cache.remember(b"a", "1", 0.0)
    cache.remember(b"b", "2", 0.0)
    cache.encoded(b"a", 0.0)
    cache.remember(b"c", "3", 0.0)
    assert [cache.encoded(key, 0.0) for key in (b"a", b"b", b"c")] == ["1", None, "3"]
