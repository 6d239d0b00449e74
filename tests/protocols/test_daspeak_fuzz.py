"""Signalling with hostile JSON: every field missing, null, of another type, huge, NaN, deep, doubled.

The reader never raises anything but its own refusal, which names a field; what it accepts is in its bounds. The normal
run draws few examples, `scripts/test --fuzz` 100,000 per dialect.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.protocols.tape import HOSTILE, Tape, mutated, places, slot, spelled, tapes
from voicestream.errors import CATALOGUE, TEMPLATE_KEY, PeerError
from voicestream.protocols.daspeak import Spelling, read_initialize, told_event
from voicestream.protocols.daspeak_parameter import AudioSettings, Kind, Offer, ParameterError
from voicestream.protocols.daspeak_rest import begun, progress, read_session, read_settings, refusal, session_object, settings_id
from voicestream.protocols.socketio_packet import Packet, PacketType, decode, encode
from voicestream.protocols.template_text import template_bytes
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Progress, Told, VoiceStatus
from voicestream.sessions.vocabulary import Template

MODELS = {bytes(range(32)): 0.55, bytes(32): 0.45}
KINDS: tuple[Kind, ...] = ("register", "verify")
METADATA = {
    "audio_protocol": "audiohook", "audio_format": "raw", "audio_codec": "pcm", "sample_format": "s16le", "sample_rate": "16000",
    "channels": "1", "call_id": "888806c3-3391-4d73-bb86-e5874e6ed5b4",
}  # fmt: skip
REQUEST = {
    "authenticity_threshold": 0.8, "audio_total_duration": 5.0, "model_hash": bytes(range(32)).hex(), "credential": "dm9p",
    "similarity_threshold": "0.6", "score_threshold": 0.5,
}  # fmt: skip
SETTINGS_ID = "1ec9414c-232a-6b00-b3c8-9f6bdeced846"
MESSAGES: dict[str, dict[str, Any]] = {
    "initialize": {"metadata": METADATA, "register_request": REQUEST, "verify_request": REQUEST},
    "rest": {**METADATA, **REQUEST, "audio_settings_id": SETTINGS_ID},
}
NAMES = {name for message in MESSAGES.values() for name in (*message, *METADATA, *REQUEST)}


def open_credential(text: str) -> Template:
    """As the real one: base64 first, which most texts are not."""
    if template_bytes(text) != b"voi":
        raise PeerError(TEMPLATE_KEY)
    return Template("mfcc", bytes(range(32)), np.ones(1, np.float32), 4.0)


OFFER = Offer(MODELS, open_credential)


def within_bounds(inquiry: Inquiry, kind: Kind) -> None:
    assert 1 <= len(inquiry.call_id) <= 128
    assert inquiry.call_id.isprintable()
    assert inquiry.consumer in ("twilio", "audiohook")
    assert (inquiry.encoding, inquiry.rate_hz) in {("mulaw", 8000), ("alaw", 8000), ("pcm16", 8000), ("pcm16", 16000)}
    assert 0 < inquiry.wanted_s <= 60
    assert 0 <= inquiry.authenticity_threshold <= 1
    assert 0 <= inquiry.similarity_threshold <= 1
    assert inquiry.model_hash in MODELS
    assert (inquiry.template is not None) == (kind == "verify")


def initialize(value: Any, kind: Kind) -> Inquiry:
    return read_initialize([value], kind, OFFER)


def rest(value: Any, kind: Kind) -> Inquiry:
    assert isinstance(read_settings(value), AudioSettings)
    assert settings_id(value) == SETTINGS_ID
    return read_session(value, kind, read_settings(value), OFFER)


READERS: dict[str, Callable[[Any, Kind], Inquiry]] = {"initialize": initialize, "rest": rest}


def in_our_words(error: ParameterError, kind: Kind) -> None:
    assert error.fault.code in CATALOGUE
    assert set(error.field.split(".")) <= NAMES | {""}
    event = told_event(error.told, kind)
    assert event.name == "error-parameters"
    assert refusal(error).status in (400, 404)
    assert encode(Packet(PacketType.EVENT, "/register", None, [event.name, *Spelling().arguments(event)]))


def hold(dialect: str, value: Any) -> None:
    """Read `value` as each kind of session: it is refused in words of ours, or in bounds."""
    for kind in KINDS:
        try:
            within_bounds(READERS[dialect](value, kind), kind)
        except ParameterError as error:
            in_our_words(error, kind)


def heard(text: str) -> Any:
    """The argument that a Socket.IO packet brings; None when the packet is refused, which is not this dialect's."""
    try:
        packet = decode(f'2/register,["initialize",{text}]')
    except PeerError:
        return None
    assert isinstance(packet.data, Sequence)
    return packet.data[1]


# What JSON may hold, and what only Python may: bytes come as attachments, the rest must not matter.
SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 8000, 0.5, 1e308, float("nan"), float("inf"), 10**400, -(10**400), "8000", "1", "0.5", "raw", "pcm",
    "mulaw", "s16le", "", "1e308", "9" * 400, "٥", "dm9p", "\ud800", SETTINGS_ID, b"", b"dm9p",
)  # fmt: skip
KEYS = (*sorted(NAMES), "", "x")


def anything(tape: Tape, levels: int = 4) -> Any:
    """A value, or a few levels of them."""
    match tape.below(8) if levels else 0:
        case 7:
            return [anything(tape, levels - 1) for _ in range(tape.below(4))]
        case 6:
            return {tape.choice(KEYS): anything(tape, levels - 1) for _ in range(tape.below(8))}
        case 5:
            return tape.text(40)
        case 4:
            return tape.bytes(8)
        case _:
            return tape.choice(SCALARS)


def message(tape: Tape, dialect: str) -> Any:
    """A good message with one to three parts replaced or taken away; or its text, mutated; or anything."""
    good = MESSAGES[dialect]
    how = tape.below(10)
    if how == 9:
        return anything(tape)
    if how >= 6:
        return heard(mutated(tape, json.dumps(good)))
    value = json.loads(json.dumps(good))
    for _ in range(1 + tape.below(3)):
        found = list(places(value))
        if not found:
            break
        container, key = tape.choice(found)
        if isinstance(container, dict) and tape.below(2):
            del container[key]
        else:
            container[key] = anything(tape)
    return value


def read_one(tape: Tape, dialect: str) -> None:
    value = message(tape, dialect)
    note(repr(value)[:500])
    hold(dialect, value)


@pytest.mark.parametrize("dialect", MESSAGES)
@settings(max_examples=300, deadline=None)
@given(tape=tapes())
def test_hostile_messages(dialect: str, tape: Tape) -> None:
    read_one(tape, dialect)


@pytest.mark.fuzz
@pytest.mark.parametrize("dialect", MESSAGES)
@settings(max_examples=100_000, deadline=None)
@given(tape=tapes())
def test_a_hundred_thousand_messages(dialect: str, tape: Tape) -> None:
    read_one(tape, dialect)


@pytest.mark.parametrize("dialect", MESSAGES)
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_every_field_with_every_hostile_value(dialect: str, hostile: str) -> None:
    for place in range(len([*places(MESSAGES[dialect])])):
        value = json.loads(json.dumps(MESSAGES[dialect]))
        container, key = [*places(value)][place]
        if hostile:
            container[key] = slot(hostile)
            hold(dialect, heard(spelled(value)))
        else:
            del container[key]
            hold(dialect, value)


def test_the_message_that_is_mutated_is_good() -> None:
    """Else all of the above would see refusals alone."""
    for dialect, message in MESSAGES.items():
        for kind in KINDS:
            within_bounds(READERS[dialect](message, kind), kind)


share = st.floats(0, 1)
tolds: st.SearchStrategy[Told] = st.one_of(
    st.just(Progress.CONSUMER_READY),
    st.builds(VoiceStatus, st.integers(0, 10**7), st.sampled_from([8000, 16000]), st.floats(0.001, 60)),
    st.builds(Judged, share, st.floats(0, 1800), st.booleans(), st.text(max_size=9), st.binary(max_size=9), share, st.booleans()),
    st.builds(CallFailed, st.sampled_from(list(CATALOGUE.values())), st.sampled_from(["", "metadata.call_id"])),
)


@settings(max_examples=300, deadline=None)
@given(told=st.lists(tolds, min_size=1, max_size=5), kind=st.sampled_from(KINDS))
def test_whatever_is_told_can_be_spelled(told: list[Told], kind: Kind) -> None:
    said = begun(kind)
    keys = list(said)
    for one in told:
        event = told_event(one, kind)
        assert next(iter(event.payload.items())) == ("event", event.name)
        for spelling in (Spelling(), Spelling("result"), Spelling("never", "text")):
            assert encode(Packet(PacketType.EVENT, "/", None, [event.name, *spelling.arguments(event)]))
        said = progress(said, one, kind)
        assert list(said) == keys
        assert json.dumps(session_object("1", 0.0, said), allow_nan=False)
