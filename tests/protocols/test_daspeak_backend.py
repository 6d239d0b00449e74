"""Forms of das-Peak's back end as they are read, answers and exceptions as its client takes them apart."""

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings

from tests.protocols.tape import Tape, mutated, tapes
from voicestream import __version__, errors
from voicestream.errors import CATALOGUE, Fault, PeerError
from voicestream.protocols import daspeak_backend as dialect
from voicestream.protocols.daspeak_backend import CANDIDATE_BYTES, Candidate, Form, Heard, read_hash
from voicestream.protocols.daspeak_exception import calibration_unknown, little_speech, model_unknown, refusal

HASH = bytes(range(32))
LIST = json.dumps([{"id": "a", "credential": "AAAA"}, {"id": "b", "credential": "BBBB", "note": 1}]).encode()
CLIENTS = {  # what vericlient 0.5.0 has an exception for
    "AudioInputException", "SignalNoiseRatioException", "VoiceDurationIsNotEnoughException", "InvalidChannelException",
    "InsufficientQuality", "CalibrationNotAvailable", "ServerError", "InvalidCredential", "UnsupportedMediaType", "ModelNotAvailable",
}  # fmt: skip


def form(**fields: bytes) -> Form:
    return Form(fields.items())


def refused(read: Callable[[], object]) -> Fault:
    with pytest.raises(PeerError) as caught:
        read()
    return caught.value.fault


def told(error: PeerError) -> tuple[int, str, str]:
    answer = refusal(error)
    return answer.status, str(answer.body["exception"]), str(answer.body["error"])


# ---- forms


def test_what_a_client_leaves_out() -> None:
    for empty in (form(), form(channel=b"", calibration=b"")):
        assert (empty.channel(), empty.channel("channel_reference"), empty.calibration()) == (1, 1, "telephone-channel")


def test_what_a_client_sends() -> None:
    sent = form(channel=b"2", calibration=b"office", hash=HASH.hex().encode(), credential=b"AAAA", audio=b"RIFF", credential_list=LIST)
    assert (sent.channel(), sent.calibration(), sent.model_hash(), sent.credential("credential")) == (2, "office", HASH, "AAAA")
    assert sent.audio("audio") == b"RIFF"
    assert sent.candidates(2) == [Candidate("a", "AAAA"), Candidate("b", "BBBB")]


def test_a_field_twice() -> None:
    assert refused(lambda: Form([("a", b"1"), ("a", b"1")])) is errors.FIELD_TWICE


def test_missing_fields_are_named_in_our_own_words() -> None:
    for name, read in {
        "hash": form().model_hash,
        "audio": lambda: form().audio("audio"),
        "credential": lambda: form().credential("credential"),
        "credential_list": lambda: form().candidates(9),
    }.items():
        with pytest.raises(PeerError) as caught:
            read()
        assert told(caught.value) == (400, "ServerError", f"The form has no field {name}")


@pytest.mark.parametrize("number", [b"0", b"3", b"-1", b"1.0", b" 1", b"01", b"1e0", b"\xd9\xa1", b"one", b"NaN", b"9" * 5000, b"\xff"])
def test_channels_are_one_or_two(number: bytes) -> None:
    assert refused(lambda: form(channel=number).channel()) is errors.CHANNEL_WRONG


@pytest.mark.parametrize("text", ["", "9b1f", HASH.hex()[:-1], HASH.hex() + "0", " " + HASH.hex()[1:], "x" * 64, "٠" * 64])
def test_texts_that_are_no_hash(text: str) -> None:
    assert refused(lambda: read_hash(text)) is errors.MODEL_HASH_UNKNOWN
    assert refused(lambda: form(hash=text.encode()).model_hash()) is errors.MODEL_HASH_UNKNOWN


def test_a_hash_in_capitals() -> None:
    assert read_hash(HASH.hex().upper()) == HASH


def test_a_credential_that_is_no_text() -> None:
    assert refused(lambda: form(credential=b"\xff").credential("credential")) is errors.FIELD_WRONG


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"[]", b"{}", b"1", b'"a"', b"[1]", b"[[]]", b"[null]", b'[{"id":"a"}]', b'[{"credential":"a"}]', b"[{}]",
        b'[{"id":1,"credential":"a"}]', b'[{"id":"a","credential":null}]', b'[["a","b"]]', b"[NaN]", b"[1e999]", b"[" * 3000, b"[{" * 3000,
        b'[{"id":"\\ud800","credential":"a"}]', b'[{"id":"\xff","credential":"a"}]', LIST[:-1], LIST + b"x", b"\xef\xbb\xbf" + LIST,
    ],
)  # fmt: skip
def test_lists_that_are_none(text: bytes) -> None:
    assert refused(lambda: form(credential_list=text).candidates(9)) is errors.CANDIDATES_WRONG


def test_a_list_that_is_too_long() -> None:
    assert refused(lambda: form(credential_list=LIST).candidates(1)) is errors.CANDIDATES_MANY
    assert refused(lambda: form(credential_list=b" " * (CANDIDATE_BYTES + 1)).candidates(1)) is errors.CANDIDATES_MANY


# ---- exceptions, taken apart as the client does


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=CATALOGUE)
def test_every_fault_is_an_exception_that_the_client_knows(fault: Fault) -> None:
    answer = refusal(PeerError(fault, "our numbers"))
    assert 400 <= answer.status < 600
    if answer.status == 401:
        assert list(answer.body) == ["message"]
        return
    assert list(answer.body) == ["exception", "error", "code"]
    assert answer.body["exception"] in CLIENTS
    assert answer.body["code"] == fault.code
    assert "our numbers" not in str(answer.body)


def test_without_a_key_and_with_a_wrong_one() -> None:
    assert refusal(PeerError(errors.NO_API_KEY)).body == {"message": "no Authorization header found"}
    assert refusal(PeerError(errors.API_KEY_REFUSED)).body == {"message": "Invalid authentication credentials"}


@pytest.mark.parametrize(
    "fault, words",
    [
        (errors.WAV_CHANNELS, "more channels than"),
        (errors.WAV_CODEC, "unsupported codec"),
        (errors.WAV_RATE, "sample rate"),
        (errors.WAV_LONG, "duration is longer"),
    ],
)
def test_the_first_words_found_decide_what_is_wrong_with_a_recording(fault: Fault, words: str) -> None:
    status, exception, sentence = told(PeerError(fault))
    order = ["more channels than", "unsupported codec", "sample rate", "duration is longer"]
    assert (status, exception, next(one for one in order if one in sentence)) == (400, "AudioInputException", words)


def test_an_unreadable_recording_has_none_of_those_words() -> None:
    _, _, sentence = told(PeerError(errors.UNREADABLE_AUDIO))
    assert not any(words in sentence for words in ("more channels than", "unsupported codec", "sample rate", "duration is longer"))


def test_the_seconds_found_are_the_third_word_from_the_end() -> None:
    status, exception, sentence = told(little_speech(1.2345, 3.0))
    assert (status, exception, sentence) == (400, "VoiceDurationIsNotEnoughException", "Net speech found was 1.23s of 3.00s")
    assert float(sentence.split(" ")[-3].replace("s", "")) == 1.23
    assert float(told(PeerError(errors.WAV_SPEECH))[2].split(" ")[-3].replace("s", "")) == 0.0


@pytest.mark.parametrize("name, word", [("cellar", "cellar"), ("a b", "asked-for"), ("<script>", "asked-for"), ("x" * 65, "asked-for")])
def test_the_calibration_is_the_third_word(name: str, word: str) -> None:
    status, exception, sentence = told(calibration_unknown(name))
    assert (status, exception, sentence.split(" ")[2]) == (400, "CalibrationNotAvailable", word)


@pytest.mark.parametrize("text, word", [("9b1f", "9b1f"), (HASH.hex(), HASH.hex()), ("a b", "asked-for"), ("é", "asked-for")])
def test_the_hash_is_the_last_word(text: str, word: str) -> None:
    status, exception, sentence = told(model_unknown(text))
    assert (status, exception, sentence.rsplit(" ", 1)[-1]) == (404, "ModelNotAvailable", word)


def test_the_clients_own_word_is_for_the_client_alone() -> None:
    for error in (calibration_unknown("cellar"), model_unknown("cellar")):
        assert "cellar" not in f"{error} {error.detail}"  # what a log would show


def test_a_busy_server_says_when_to_come_back() -> None:
    assert refusal(PeerError(errors.OVERLOADED)).headers == {"Retry-After": "2"}


# ---- answers


def test_answers_have_the_documented_keys_in_order() -> None:
    heard = Heard(0.98765, 7.50001, 5.129)
    assert dialect.enrolled(HASH, "AAAA", heard) == {
        "version": __version__,
        "model": {"hash": HASH.hex(), "mode": "text-independent"},
        "credential": "AAAA",
        "authenticity": 0.9877,
        "input_audio_duration": 7.5,
        "net_speech_duration": 5.129,
    }
    evaluated = ["authenticity_to_evaluate", "input_audio_duration_to_evaluate", "net_speech_duration_to_evaluate"]
    reference = ["authenticity_reference", "input_audio_duration_reference", "net_speech_duration_reference"]
    assert list(dialect.compared(0.5, HASH, "c", heard)) == ["version", "score", "model", "calibration", *evaluated]
    assert list(dialect.compared(0.5, HASH, "c", heard, heard)) == ["version", "score", "model", "calibration", *reference, *evaluated]
    told_of_many = dialect.identified([("a", 0.123456), ("b", 0.99999)], 1, HASH, "c", heard)
    assert list(told_of_many) == ["version", "result", "scores", "calibration", "model", *evaluated]
    assert told_of_many["result"] == {"id": "b", "score": 1.0}
    assert told_of_many["scores"] == [{"id": "a", "score": 0.1235}, {"id": "b", "score": 1.0}]


# ---- whatever comes

NAMES = ("credential_list", "audio", "hash", "channel", "calibration", "credential", "x")


def value(tape: Tape) -> bytes:
    """A list of candidates, mutated more often than not; or any bytes."""
    match tape.below(4):
        case 0:
            return LIST
        case 3:
            return tape.choice((b"", b"1", b"3", b"0" * 64, tape.bytes(70), b"x" * (CANDIDATE_BYTES + 1)))
        case _:
            return mutated(tape, LIST.decode()).encode("utf-8", "surrogatepass")


def random_form(tape: Tape) -> list[tuple[str, bytes]]:
    return [(tape.choice(NAMES), value(tape)) for _ in range(tape.below(7))]


def read_all(parts: list[tuple[str, bytes]]) -> None:
    """Every reader either reads or refuses with something the client knows."""
    if len(dict(parts)) < len(parts):
        assert refused(lambda: Form(parts)) is errors.FIELD_TWICE
        return
    sent = Form(parts)
    for read in (
        sent.channel, sent.calibration, sent.model_hash, lambda: sent.audio("audio"),
        lambda: sent.credential("credential"), lambda: sent.candidates(1), lambda: sent.candidates(3),
    ):  # fmt: skip
        try:
            read()
        except PeerError as error:
            answer = refusal(error)
            assert answer.body["exception"] in CLIENTS
            assert answer.status in (400, 404, 413)
    assert refusal(calibration_unknown(sent.calibration())).body["exception"] == "CalibrationNotAvailable"


@settings(max_examples=300, deadline=None)
@given(tapes().map(random_form))
@example([("calibration", b"\xff" * 100)])
def test_no_form_raises_anything_else(parts: list[tuple[str, bytes]]) -> None:
    read_all(parts)


@pytest.mark.fuzz
@settings(max_examples=100_000, deadline=None)
@given(tapes().map(random_form))
def test_no_form_raises_anything_else_at_length(parts: list[tuple[str, bytes]]) -> None:
    read_all(parts)
