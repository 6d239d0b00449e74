"""The back end's forms with hostile fields: a reader gives what is in its bounds, or a refusal that its client can be told.

The normal run draws few examples, `scripts/test --fuzz` 100,000.
"""

import json

import pytest
from hypothesis import given, note, settings

from tests.protocols.tape import Tape, mutated, tapes
from voicestream.errors import PeerError
from voicestream.protocols.daspeak_backend import CANDIDATE_BYTES, Candidate, Form
from voicestream.protocols.daspeak_exception import refusal

MOST = 3
GOOD = [{"id": "a", "credential": "dm9p"}, {"id": "b", "credential": "dm9p", "more": [1]}]
NAMES = ("credential_list", "channel", "calibration", "hash", "credential_to_evaluate", "audio_to_evaluate", "")


def value(tape: Tape) -> bytes:
    """A list of candidates, mutated more often than not; or any bytes."""
    match tape.below(4):
        case 0:
            return json.dumps([tape.choice(GOOD) for _ in range(tape.below(MOST + 3))]).encode()
        case 3:
            return tape.choice((b"", b"1", b"3", b"0" * 64, tape.bytes(70), b"x" * (MOST * CANDIDATE_BYTES + 1)))
        case _:
            return mutated(tape, json.dumps(GOOD)).encode(errors="surrogatepass")


def read_one(tape: Tape) -> None:
    """Each field of a form of up to four is read in every way."""
    parts = [(tape.choice(NAMES), value(tape)) for _ in range(1 + tape.below(4))]
    note(repr(parts)[:500])
    try:
        form = Form(parts)
        for _ in range(8):
            name = tape.choice(NAMES)
            try:
                match tape.below(5):
                    case 0:
                        found = form.candidates(MOST)
                        assert 1 <= len(found) <= MOST
                        assert all(type(one) is Candidate and type(one.id) is str and type(one.credential) is str for one in found)
                    case 1:
                        assert form.channel() in (1, 2)
                    case 2:
                        assert 1 <= len(form.calibration()) <= 65
                    case 3:
                        assert len(form.model_hash()) == 32
                    case 4:
                        assert isinstance(form.credential(name), str)
            except PeerError as error:
                told(error)
    except PeerError as error:
        told(error)


def told(error: PeerError) -> None:
    answer = refusal(error)
    assert 400 <= answer.status < 500
    assert len(json.dumps(answer.body)) < 200  # nothing of the client's but a word


@settings(max_examples=300, deadline=None)
@given(tape=tapes())
def test_hostile_forms(tape: Tape) -> None:
    read_one(tape)


@pytest.mark.fuzz
@settings(max_examples=100_000, deadline=None)
@given(tape=tapes())
def test_a_hundred_thousand_forms(tape: Tape) -> None:
    read_one(tape)


def test_the_list_that_is_mutated_is_good() -> None:
    """Else all of the above would see refusals alone."""
    assert [one.id for one in Form([("credential_list", json.dumps(GOOD).encode())]).candidates(MOST)] == ["a", "b"]
