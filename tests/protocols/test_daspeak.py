"""`initialize` read field by field, and every event with its keys in order, its numbers and its sentences."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicestream import errors
from voicestream.errors import CATALOGUE, Fault, MisuseError, PeerError
from voicestream.protocols.daspeak import NAMESPACES, Event, Kind, Spelling, failure, read_initialize, told_event
from voicestream.protocols.daspeak_parameter import Offer, ParameterError
from voicestream.protocols.socketio_packet import Packet, PacketType, encode
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Progress, Told, VoiceStatus
from voicestream.sessions.vocabulary import Template

DEFAULT, OTHER = bytes(range(32)), bytes(32)
TEMPLATE = Template("mfcc", DEFAULT, np.ones(1, np.float32), 4.0)
ELSEWHERE = replace(TEMPLATE, model_hash=OTHER)


def open_credential(text: str) -> Template:
    known = {"mine": TEMPLATE, "of another model": ELSEWHERE}
    if text not in known:
        raise PeerError(errors.TEMPLATE_KEY)
    return known[text]


OFFER = Offer({DEFAULT: 0.55, OTHER: 0.45}, open_credential)
METADATA = {
    "audio_protocol": "audiohook", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "", "sample_rate": "8000",
    "channels": "1", "call_id": "888806c3-3391-4d73-bb86-e5874e6ed5b4",
}  # fmt: skip
REGISTER = {"metadata": METADATA, "register_request": {"authenticity_threshold": 0.8, "audio_total_duration": 5.0}}
VERIFY = {"metadata": METADATA, "verify_request": {"credential": "mine", "similarity_threshold": 0.6, "audio_total_duration": 3}}


def ask(payload: Any, kind: Kind = "register") -> Inquiry:
    return read_initialize([payload], kind, OFFER)


def asked(kind: Kind = "register", **changes: Any) -> Inquiry:
    """The inquiry of a message with changed fields of the request, or of metadata."""
    message = REGISTER if kind == "register" else VERIFY
    request = f"{kind}_request"
    inside = {name: value for name, value in changes.items() if name in METADATA}
    outside = {name: value for name, value in changes.items() if name not in METADATA}
    return ask({"metadata": {**METADATA, **inside}, request: {**message[request], **outside}}, kind)


def refused(arguments: Sequence[Any], kind: Kind = "register") -> tuple[Fault, str]:
    with pytest.raises(ParameterError) as caught:
        read_initialize(arguments, kind, OFFER)
    return caught.value.fault, caught.value.field


def blamed(kind: Kind = "register", **changes: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        asked(kind, **changes)
    return caught.value.field


# ---- initialize


def test_the_vendors_registration() -> None:
    assert ask(REGISTER) == Inquiry("888806c3-3391-4d73-bb86-e5874e6ed5b4", "audiohook", "mulaw", 8000, 5.0, DEFAULT, 0.8, None, 0.55)


def test_a_verification() -> None:
    asked = ask(VERIFY, "verify")
    assert (asked.template, asked.similarity_threshold, asked.wanted_s, asked.authenticity_threshold) == (TEMPLATE, 0.6, 3.0, 0.5)


def test_what_is_left_out_has_its_default() -> None:
    bare = {name: METADATA[name] for name in ("audio_protocol", "audio_format", "audio_codec", "call_id")}
    inquiry = ask({"metadata": bare, "verify_request": {"credential": "mine"}}, "verify")
    assert inquiry == Inquiry(METADATA["call_id"], "audiohook", "mulaw", 8000, 5.0, DEFAULT, 0.5, TEMPLATE, 0.55)


def test_defaults_are_the_servers() -> None:
    offer = replace(OFFER, audio_s=7.5, authenticity_threshold=0.25)
    inquiry = read_initialize([{"metadata": METADATA, "register_request": {}}], "register", offer)
    assert (inquiry.wanted_s, inquiry.authenticity_threshold) == (7.5, 0.25)


def test_a_model_is_asked_for_by_its_hash() -> None:
    assert asked(model_hash=OTHER.hex()).model_hash == OTHER
    assert asked(model_hash=DEFAULT.hex().upper()).model_hash == DEFAULT
    elsewhere = asked("verify", model_hash=OTHER.hex(), credential="of another model", similarity_threshold=None)
    assert (elsewhere.template, elsewhere.similarity_threshold) == (ELSEWHERE, 0.45)


@pytest.mark.parametrize("hash", ["", "<MODEL_HASH>", "9b1f", "zz" * 32, bytes([7] * 32).hex(), " " + DEFAULT.hex(), 5, [], DEFAULT])
def test_a_model_that_is_not_offered(hash: Any) -> None:
    assert blamed(model_hash=hash) == "register_request.model_hash"


@pytest.mark.parametrize("credential", ["", "another tenant's", "of another model", 5, ["mine"], {"a": 1}, b"mine", True, None])
def test_a_credential_that_is_none_of_ours(credential: Any) -> None:
    assert blamed("verify", credential=credential) == "verify_request.credential"


def test_the_log_learns_what_was_wrong_with_a_credential() -> None:
    with pytest.raises(ParameterError) as caught:
        asked("verify", credential="another tenant's")
    assert caught.value.told == CallFailed(errors.TEMPLATE_KEY, "verify_request.credential")


def test_the_threshold_has_two_names() -> None:
    assert asked("verify", similarity_threshold=None, score_threshold="0.7").similarity_threshold == 0.7
    assert asked("verify", similarity_threshold=0.6, score_threshold=0.7).similarity_threshold == 0.6
    assert blamed("verify", similarity_threshold=None, score_threshold=2) == "verify_request.score_threshold"
    assert blamed("verify", similarity_threshold=2) == "verify_request.similarity_threshold"


@pytest.mark.parametrize(("codec", "format", "rates"), [("mulaw", "", {8000}), ("alaw", "", {8000}), ("pcm", "s16le", {8000, 16000})])
def test_codecs_and_their_rates(codec: str, format: str, rates: set[int]) -> None:
    for rate in (0, 8000, 11025, 16000, 48000):
        for spelled in (rate, str(rate), float(rate)):
            if rate in rates:
                inquiry = asked(audio_codec=codec, sample_format=format, sample_rate=spelled)
                assert (inquiry.encoding, inquiry.rate_hz) == ({"pcm": "pcm16"}.get(codec, codec), rate)
                assert type(inquiry.rate_hz) is int
            else:
                assert blamed(audio_codec=codec, sample_format=format, sample_rate=spelled) == "metadata.sample_rate"


def test_the_sample_format_is_the_codecs() -> None:
    assert blamed(sample_format="s16le") == "metadata.sample_format"
    assert blamed(audio_codec="pcm", sample_format="") == "metadata.sample_format"
    assert asked(audio_codec="pcm", sample_format=None).encoding == "pcm16"


@pytest.mark.parametrize("field", METADATA)
@pytest.mark.parametrize("value", [True, [], {}, -1, "x" * 200, float("nan"), float("inf"), 10**400, b"raw", "\0", "RAW "])
def test_no_field_of_metadata_takes_anything(field: str, value: Any) -> None:
    if (field, value) != ("call_id", "RAW "):
        assert blamed(**{field: value}) == f"metadata.{field}"


REQUIRED = ("audio_protocol", "audio_format", "audio_codec", "call_id")


@pytest.mark.parametrize("absent", [None, ...])
@pytest.mark.parametrize("field", METADATA)
def test_null_is_as_good_as_nothing(field: str, absent: Any) -> None:
    metadata = {name: value for name, value in {**METADATA, field: absent}.items() if value is not ...}
    message = {"metadata": metadata, "register_request": {}}
    if field in REQUIRED:
        assert refused([message]) == (errors.SIGNAL_FIELD_MISSING, f"metadata.{field}")
    else:
        assert ask(message).rate_hz == 8000


@pytest.mark.parametrize("call_id", ["C", "CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e", "x" * 128, "señal 5", "電話"])
def test_call_ids(call_id: str) -> None:
    assert asked(call_id=call_id).call_id == call_id


@pytest.mark.parametrize("call_id", ["", "x" * 129, "a\nb", "a\x00", "\ud800", "\u202e", 7])
def test_no_call_ids(call_id: Any) -> None:
    assert blamed(call_id=call_id) == "metadata.call_id"


@pytest.mark.parametrize(("spelled", "wanted_s"), [
    (5, 5.0), (5.0, 5.0), ("5", 5.0), ("5.0", 5.0), ("+5", 5.0), (".5", 0.5), ("5.", 5.0), ("5e0", 5.0), (60, 60.0), (0.001, 0.001),
])  # fmt: skip
def test_numbers_may_be_strings(spelled: Any, wanted_s: float) -> None:
    assert asked(audio_total_duration=spelled).wanted_s == wanted_s


@pytest.mark.parametrize("value", [
    0, -0.0, -1, 60.001, 1e-300, True, False, "", " 5", "5 ", "5\n", "5s", "0x5", "5_0", "٥", "５", "nan", "NaN", "inf", "Infinity",
    "1e400", "5" * 33, float("nan"), float("inf"), float("-inf"), 10**400, [5], {"a": 5}, b"5",
])  # fmt: skip
def test_what_is_no_duration(value: Any) -> None:
    assert blamed(audio_total_duration=value) == "register_request.audio_total_duration"


@pytest.mark.parametrize("value", [-0.01, 1.01, True, "nan", float("nan"), [], "1e1"])
def test_what_is_no_threshold(value: Any) -> None:
    assert blamed(authenticity_threshold=value) == "register_request.authenticity_threshold"


def test_both_ends_of_a_threshold() -> None:
    assert [asked(authenticity_threshold=value).authenticity_threshold for value in (0, "1", 1.0, 0.0)] == [0, 1, 1, 0]


def test_the_request_must_fit_the_namespace() -> None:
    assert refused([REGISTER], "verify") == (errors.SIGNAL_FIELD_MISSING, "verify_request")
    assert refused([VERIFY], "register") == (errors.SIGNAL_FIELD_MISSING, "register_request")
    assert ask({**VERIFY, **REGISTER}, "register").template is None


@pytest.mark.parametrize("field", ["metadata", "register_request"])
@pytest.mark.parametrize("value", [[], "x", 5, True, b""])
def test_parts_that_are_no_objects(field: str, value: Any) -> None:
    assert refused([{**REGISTER, field: value}]) == (errors.SIGNAL_NO_OBJECT, field)


@pytest.mark.parametrize("arguments", [[], [None], [[]], ["{}"], [5], [b"{}"], [[REGISTER]]])
def test_no_object_at_all(arguments: list[Any]) -> None:
    assert refused(arguments) == (errors.SIGNAL_NO_OBJECT, "")


def test_unknown_fields_and_further_arguments_are_ignored() -> None:
    more = {"metadata": {**METADATA, "x": 1}, "register_request": {**REGISTER["register_request"], "credential": 5}, "z": None}
    assert read_initialize([more, 5], "register", OFFER) == ask(REGISTER)


def test_both_generations_of_namespaces() -> None:
    assert {name.rsplit("/", 1)[1] for name in NAMESPACES} == set(NAMESPACES.values())
    assert sorted(NAMESPACES) == sorted([*(f"/{kind}" for kind in ("register", "verify", "alive")),
                                         *(f"/socket.io/{kind}" for kind in ("register", "verify", "alive"))])  # fmt: skip


# ---- events


def text(told: Told, kind: Kind = "register") -> str:
    return json.dumps(told_event(told, kind).payload)


def status(samples: int, wanted_s: float = 5.0, rate_hz: int = 8000) -> tuple[Any, Any]:
    payload = told_event(VoiceStatus(samples, rate_hz, wanted_s), "register").payload
    assert list(payload) == ["event", "content", "audio_seconds", "vad_percentage"]
    return payload["audio_seconds"], payload["vad_percentage"]


def test_the_numbers_of_the_specification() -> None:
    samples = [4096 * n for n in (0, 1, 2, 3, 4, 8, 9, 10)]
    assert [status(count) for count in samples] == [
        (0.0, 0), (0.51, 10), (1.02, 20), (1.54, 30), (2.05, 40), (4.1, 81), (4.61, 92), (5.12, 102),
    ]  # fmt: skip


def test_the_vendors_printed_log(shared: Path) -> None:
    """Every line of it, character for character, but for the placeholder of the credential."""
    listing = (shared / "protocols/vendor/daspeak-example-v1.2.txt").read_text()
    printed = [line for line in listing.splitlines() if line.startswith('{"event"')]
    told: list[Told] = [Progress.CONSUMER_READY, VoiceStatus(0, 8000, 5.0)]
    told += [VoiceStatus(64 + 4096 * n, 8000, 5.0) for n in range(11)]
    told += [Judged(0.99, told[-1].voice_s, True, "$CREDENTIAL", b"RIFF")]  # type: ignore[union-attr]
    assert [text(one) for one in told] == printed
    assert [json.loads(line)["vad_percentage"] for line in printed[1:-1]] == [0, 0, 10, 20, 30, 41, 51, 61, 71, 82, 92, 102]


def test_statuses_at_16_khz_and_of_odd_durations() -> None:
    assert status(8192, 5.0, 16000) == (0.51, 10)
    assert status(8000, 0.1) == (1.0, 1000)  # not 999, though 0.1 is no binary fraction
    assert status(7999, 1) == (1.0, 99)
    assert status(2400, 60) == (0.3, 0)


def test_the_largest_percentage_can_be_sent() -> None:
    event = told_event(VoiceStatus(60 * 16000, 16000, 0.001), "register")
    assert encode(Packet(PacketType.EVENT, "/register", None, [event.name, event.payload]))


VERIFIED = Judged(0.976, 3.0721, True, similarity=0.8449)


def test_an_approved_verification() -> None:
    event = told_event(VERIFIED, "verify")
    assert event == Event(
        "result-success",
        {"event": "result-success", "similarity": 0.84, "score": 0.84, "authenticity": 0.98, "voice_audio_collected": 3.07,
         "content": "Verification: approved"},
        None,
    )  # fmt: skip
    assert list(event.payload) == ["event", "similarity", "score", "authenticity", "voice_audio_collected", "content"]


def test_an_approved_registration_hands_its_voice_back() -> None:
    event = told_event(Judged(0.97, 5.12, True, "dm9p", b"RIFF"), "register")
    assert (event.name, event.collected) == ("result-success", b"RIFF")
    assert text(Judged(0.97, 5.12, True, "dm9p", b"RIFF")) == (
        '{"event": "result-success", "authenticity": 0.97, "voice_audio_collected": 5.12, "content": "Registration: approved", '
        '"credential": "dm9p"}'
    )


@pytest.mark.parametrize(("genuine", "same", "name"), [
    (False, True, "result-fail-spoof"), (True, False, "result-fail-score"), (False, False, "result-fail-spoof"),
])  # fmt: skip
def test_a_rejected_verification(genuine: bool, same: bool, name: str) -> None:
    event = told_event(replace(VERIFIED, genuine=genuine, same_speaker=same), "verify")
    assert (event.name, event.payload["content"], event.collected) == (name, "Verification: rejected", None)
    assert list(event.payload) == list(told_event(VERIFIED, "verify").payload)


def test_a_rejected_registration_has_no_credential() -> None:
    event = told_event(Judged(0.2, 5.12, False), "register")
    assert event == Event(
        "result-fail-spoof",
        {"event": "result-fail-spoof", "authenticity": 0.2, "voice_audio_collected": 5.12, "content": "Registration: rejected"},
        None,
    )


def test_scores_are_rounded_and_whole_ones_stay_numbers() -> None:
    scores = [
        told_event(Judged(score, 1.0, True), "register").payload["authenticity"] for score in (0.995001, 0.994, 1.0, 0.0049, 0.005001)
    ]
    assert scores == [1.0, 0.99, 1.0, 0.0, 0.01]


def test_a_verification_without_similarity_is_our_mistake() -> None:
    with pytest.raises(MisuseError):
        told_event(Judged(0.9, 3.0, True), "verify")


SENTENCES = {
    errors.SIGNAL_NO_OBJECT: ("error-parameters", "A required parameter is missing or invalid"),
    errors.CALL_BUSY: ("error-parameters", "A session for this call is already in progress"),
    errors.DRAINING: ("error-consumer-not-ready", "No audio consumer is available for the audio protocol"),
    errors.OVERLOADED: ("error-consumer-not-ready", "No audio consumer is available for the audio protocol"),
    errors.CALL_STREAMLESS: ("error-consumer-not-ready", "No audio stream arrived for the call in time"),
    errors.CALL_SHORT: ("error-audio", "The audio stream ended before enough voice was collected"),
    errors.CALL_STALLED: ("error-audio", "The audio stream stalled"),
    errors.CALL_FORMAT: ("error-audio", "The audio could not be decoded"),
    errors.CALL_BASE64: ("error-audio", "The audio could not be decoded"),
    errors.HOOK_AUDIO_FRAME: ("error-audio", "The audio could not be decoded"),
    errors.ODD_BYTES: ("error-audio", "The audio could not be decoded"),
    errors.NO_PONG: ("error-audio", "The audio stream ended before enough voice was collected"),
    errors.INTERNAL: ("error-das-Peak", "The biometric service could not process the voice"),
    errors.NO_VOICE: ("error-das-Peak", "The biometric service could not process the voice"),
    errors.CALL_ATTEMPTS: ("error-das-Peak", "The biometric service could not process the voice"),
    errors.REST_INTERRUPTED: ("error-das-Peak", "The biometric service could not process the voice"),
}


@pytest.mark.parametrize("fault", SENTENCES, ids=lambda fault: fault.code)
def test_failures(fault: Fault) -> None:
    name, sentence = SENTENCES[fault]
    assert text(CallFailed(fault)) == json.dumps({"event": name, "content": sentence})


@pytest.mark.parametrize("fault", [errors.SIGNAL_FIELD_WRONG, errors.TEMPLATE_MODEL, errors.SIGNAL_MODEL])
def test_a_field_to_blame(fault: Fault) -> None:
    assert text(CallFailed(fault, "metadata.call_id")) == (
        '{"event": "error-parameters", "content": "A required parameter is missing or invalid", "field": "metadata.call_id"}'
    )


def test_every_fault_there_is_can_be_told(shared: Path) -> None:
    specification = (shared / "protocols/daspeak.md").read_text()
    for fault in CATALOGUE.values():
        name, sentence = failure(CallFailed(fault))
        assert f"`{name}`" in specification
        assert re.search(rf"\| {name} \|.*`{re.escape(sentence)}`", specification), (name, sentence)


# ---- arguments

REGISTERED = told_event(Judged(0.97, 5.12, True, "dm9p", b"RIFF"), "register")
STATUS = told_event(VoiceStatus(0, 8000, 5.0), "register")


def test_the_full_listing_gets_two_arguments_always() -> None:
    assert Spelling().arguments(STATUS) == (STATUS.payload, None)
    assert Spelling().arguments(REGISTERED) == (REGISTERED.payload, b"RIFF")


def test_only_the_result_of_a_registration_has_a_second() -> None:
    spelling = Spelling("result")
    assert spelling.arguments(STATUS) == (STATUS.payload,)
    assert spelling.arguments(told_event(VERIFIED, "verify")) == (told_event(VERIFIED, "verify").payload,)
    assert spelling.arguments(REGISTERED) == (REGISTERED.payload, b"RIFF")


def test_the_snippet_gets_one() -> None:
    assert Spelling("never").arguments(REGISTERED) == (REGISTERED.payload,)


def test_payload_as_the_text_that_the_vendor_prints() -> None:
    ready = told_event(Progress.CONSUMER_READY, "register")
    assert Spelling("never", "text").arguments(ready) == (
        '{"event": "info-consumer-ready", "content": "Audio consumer for provided audio protocol is ready"}',
    )


@pytest.mark.parametrize("query", [{}, {"collected_audio": "x"}, {"payload": ""}, {"EIO": "4", "collected_audio": "Never"}])
def test_a_query_that_changes_nothing(query: dict[str, str]) -> None:
    assert Spelling("result", "text").overridden(query) == Spelling("result", "text")


def test_a_client_overrides_the_setting() -> None:
    assert Spelling().overridden({"collected_audio": "never"}) == Spelling("never", "object")
    assert Spelling("never", "text").overridden({"payload": "object", "collected_audio": "always"}) == Spelling()


def test_on_the_wire() -> None:
    name, *_ = REGISTERED
    packet = Packet(PacketType.EVENT, "/socket.io/register", None, [name, *Spelling().arguments(REGISTERED)])
    assert encode(packet) == [
        '51-/socket.io/register,["result-success",{"event":"result-success","authenticity":0.97,"voice_audio_collected":5.12,'
        '"content":"Registration: approved","credential":"dm9p"},{"_placeholder":true,"num":0}]',
        b"RIFF",
    ]


def test_only_a_status_may_be_dropped() -> None:
    assert STATUS.droppable
    assert not REGISTERED.droppable
    assert not told_event(CallFailed(errors.CALL_SHORT), "register").droppable
