"""IDVoice conversations without a loop: transcripts of the specification, the state table, closes, late reading."""

import tracemalloc
from itertools import product

import pytest

from tests.protocols.peer import ROOM, TEMPLATE, TEMPLATE_TEXT, Peer, closes, one_after_the_other, read_template
from voicestream.errors import OPUS_PACKET
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming
from voicestream.protocols.idvoice import ENDPOINTS, TRANSITIONS, IDVoice, Input, Options, State
from voicestream.protocols.idvoice_json import spaced, stream_summary_object
from voicestream.sessions.vocabulary import (
    Endpointing,
    EndpointState,
    Failed,
    Interval,
    LabelLog,
    Summary,
    SummaryState,
    Verification,
    Verified,
    Window,
)

ENDPOINTING = "/speech_endpoint_detector"
SUMMARY = "/speech_summary_stream"
VERIFY = "/voice_verify_stream"


def dialect(path: str, **options: object) -> IDVoice:
    return IDVoice(ENDPOINTS[path], read_template, 0.0, Options(**options))  # type: ignore[arg-type]


# ---- openings and answers


def test_endpointing_is_opened_by_three_texts() -> None:
    peer = Peer(dialect(ENDPOINTING), one_after_the_other([EndpointState(False), EndpointState(True)]))
    assert peer.ask("300", "500", "16000", b"ab", b"") == ["200", "200", "200", "false", "true"]
    assert peer.services == [Endpointing(16000, 300, 500)]
    assert peer.audio == [b"ab", b""]


def test_a_summary_is_opened_by_the_rate_alone() -> None:
    log = LabelLog(16000)
    log.append(b"\0\0\1\1")
    state = SummaryState(log, 2000, 4, 2, 2)
    peer = Peer(dialect(SUMMARY), lambda: state)
    assert peer.ask("16000", bytes(4000)) == ["200", spaced(stream_summary_object(state))]
    assert peer.services == [Summary(16000)]


def test_windows_come_as_one_array_and_none_as_an_empty_one() -> None:
    windows = tuple(Window(Interval(start, start + 48000, 16000), 0.975, 0.612) for start in (0, 16000))
    peer = Peer(dialect(VERIFY), one_after_the_other([Verified(()), Verified(windows)]))
    *_, nothing, two = peer.ask(TEMPLATE_TEXT, "16000", "10", "3", b"", b"")
    assert nothing == "[]"
    assert isinstance(two, str)
    assert two.count('"probability": 0.9750000238418579') == 2


@pytest.mark.parametrize(
    "texts, meaning, window_s, context_s",
    [
        (["10"], "context", 3.0, 10.0),
        (["2"], "context", 2.0, 2.0),
        (["3", "2.5"], "context", 2.5, 3.0),
        (["10"], "window", 10.0, 10.0),
        (["4"], "window", 4.0, 10.0),
        (["20"], "window", 20.0, 20.0),
        (["20", "4"], "window", 4.0, 20.0),
    ],
)
def test_three_and_four_parameters(texts: list[str], meaning: str, window_s: float, context_s: float) -> None:
    peer = Peer(dialect(VERIFY, three_parameter_value=meaning, hop_s=0.5), lambda: Verified(()))
    assert peer.ask(TEMPLATE_TEXT, "8000", *texts, b"") == ["200"] * (2 + len(texts)) + ["[]"]
    assert peer.services == [Verification(8000, TEMPLATE, window_s, context_s, 0.5)]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_path_with_its_encoding(path: str) -> None:
    texts = {"speech_endpoint": ["1", "1"], "speech_summary": [], "voice_verify": [TEMPLATE_TEXT], "verify_stream": [TEMPLATE_TEXT]}
    before = next(texts for name, texts in texts.items() if path.startswith("/" + name))
    after = ["3"] if "verify" in path else []
    peer = Peer(dialect(path))
    peer.send(*before, "44100")
    assert peer.dialect.drain(ROOM)[-1] == ("500" if path.endswith("_opus") else "200")
    peer = Peer(dialect(path))
    peer.send(*before, "48000", *after, b"")
    assert peer.services[0].encoding == ("opus" if path.endswith("_opus") else "pcm16")


# ---- refusals


def test_after_a_refusal_the_same_parameter_is_expected() -> None:
    peer = Peer(dialect(ENDPOINTING))
    assert peer.ask("1e9", "٣٠٠", "300", "500\n", "500", "16000\n", "16001", "16000", b"") == [
        "500", "500", "200", "500", "200", "500", "500", "200", "false",
    ]  # fmt: skip
    assert peer.refused() == [
        ("VS1201", "min_speech_ms"), ("VS1201", "min_speech_ms"), ("VS1201", "max_silence_ms"),
        ("VS1202", "sample_rate"), ("VS1202", "sample_rate"),
    ]  # fmt: skip


def test_audio_before_the_parameters_is_thrown_away() -> None:
    peer = Peer(dialect(SUMMARY))
    assert peer.ask(b"early", "16000") == ["500", "200"]
    assert peer.audio == []
    assert peer.refused() == [("VS1205", "audio")]


def test_text_after_the_parameters_changes_nothing() -> None:
    peer = Peer(dialect(ENDPOINTING))
    assert peer.ask("1", "2", "8000", "16000", b"a", "16000", b"b") == ["200", "200", "200", "500", "false", "500", "false"]
    assert peer.services == [Endpointing(8000, 1, 2)]
    assert peer.audio == [b"a", b"b"]
    assert peer.refused() == [("VS1206", "message")] * 2


def test_a_refused_window_must_be_followed_by_a_good_one() -> None:
    peer = Peer(dialect(VERIFY), lambda: Verified(()))
    assert peer.ask(TEMPLATE_TEXT, "8000", "3", "4", b"x", "nine", "2", "2", b"y") == [
        "200", "200", "200", "500", "500", "500", "200", "500", "[]",
    ]  # fmt: skip
    assert peer.services == [Verification(8000, TEMPLATE, 2.0, 3.0)]
    assert peer.audio == [b"y"]


def test_text_after_audio_is_no_window() -> None:
    peer = Peer(dialect(VERIFY), lambda: Verified(()))
    assert peer.ask(TEMPLATE_TEXT, "8000", "10", b"", "3", b"") == ["200", "200", "200", "[]", "500", "[]"]


def test_templates_are_refused_by_name_and_never_repeated() -> None:
    peer = Peer(dialect(VERIFY))
    hostile = ["A" * 100_000_000, "not base64", TEMPLATE_TEXT[:-4], TEMPLATE_TEXT.replace("Z", "Y")]
    assert peer.ask(*hostile) == ["500"] * 4
    assert peer.refused() == [("VS3020", "template")] + [("VS3021", "template")] * 3
    assert all(refusal.detail == "" for refusal in peer.dialect.refusals)


def test_failing_audio_is_answered_500_and_the_stream_goes_on() -> None:
    results = [Failed(OPUS_PACKET, "3 bytes"), EndpointState(True)]
    peer = Peer(dialect(ENDPOINTING + "_opus"), one_after_the_other(results))
    assert peer.ask("1", "1", "8000", b"abc", b"") == ["200", "200", "200", "500", "true"]
    assert [(refusal.fault, refusal.detail) for refusal in peer.dialect.refusals] == [(OPUS_PACKET, "3 bytes")]


# ---- the table

OPENINGS: dict[State, list[Incoming]] = {
    State.WANT: [],
    State.READY: [TEMPLATE_TEXT, "8000", "3"],
    State.WANT_WINDOW: [TEMPLATE_TEXT, "8000", "3", "9"],
    State.COMPLETE: [TEMPLATE_TEXT, "8000", "3", "2"],
    State.STREAMING: [TEMPLATE_TEXT, "8000", "3", "2", b""],
}
MESSAGES: dict[str, Incoming] = {"good": "2", "bad": "-1", "binary": b"x"}
EXPECTED = {
    # state: after a good text, a bad text, a binary message
    State.WANT: [(State.WANT, "500"), (State.WANT, "500"), (State.WANT, "500")],  # "2" is no template
    State.READY: [(State.COMPLETE, "200"), (State.WANT_WINDOW, "500"), (State.STREAMING, "[]")],
    State.WANT_WINDOW: [(State.COMPLETE, "200"), (State.WANT_WINDOW, "500"), (State.WANT_WINDOW, "500")],
    State.COMPLETE: [(State.COMPLETE, "500"), (State.COMPLETE, "500"), (State.STREAMING, "[]")],
    State.STREAMING: [(State.STREAMING, "500"), (State.STREAMING, "500"), (State.STREAMING, "[]")],
}


@pytest.mark.parametrize("state, kind", list(product(OPENINGS, MESSAGES)), ids=lambda value: getattr(value, "name", value))
def test_every_state_with_every_message(state: State, kind: str) -> None:
    verify = dialect(VERIFY)
    peer = Peer(verify, lambda: Verified(()))
    peer.ask(*OPENINGS[state])
    assert verify._state is state
    answer = peer.ask(MESSAGES[kind])
    after, said = EXPECTED[state][list(MESSAGES).index(kind)]
    assert (verify._state, answer) == (after, [said])


def test_the_table_has_a_row_for_all_that_can_happen() -> None:
    hears_last_only = {State.READY, State.WANT_WINDOW}
    possible = set(product([State.WANT], Input))
    possible |= set(product(hears_last_only, [Input.LAST, Input.REFUSED, Input.BINARY]))
    possible |= set(product([State.COMPLETE, State.STREAMING], [Input.REFUSED, Input.BINARY]))
    assert set(TRANSITIONS) == possible


# ---- the end of a conversation


def test_a_silent_peer_is_closed_after_thirty_seconds() -> None:
    peer = Peer(dialect(SUMMARY))
    assert peer.dialect.deadline == 30.0
    peer.now = 29.0
    peer.send("8000")
    assert peer.dialect.deadline == 59.0
    assert peer.dialect.tick(58.9) == ()
    assert peer.dialect.drain(ROOM) == ["200"]
    peer.dialect.tick(59.0)
    assert peer.dialect.drain(ROOM) == [Close(1008, "VS1207 no audio for too long")]
    assert peer.refused() == [("VS1207", "connection")]
    assert peer.dialect.deadline == NEVER


def test_goodbye_comes_after_the_answers_that_wait() -> None:
    peer = Peer(dialect(ENDPOINTING))
    peer.send("1", "1", "8000", b"x")
    peer.dialect.finish(Goodbye.DRAIN)
    peer.dialect.finish(Goodbye.INTERNAL)
    peer.dialect.reply(EndpointState(True))  # a Job that ended too late
    peer.dialect.tick(1e9)
    assert peer.ask(b"y", "text") == ["200", "200", "200", "false", Close(1001, "server is going down")]
    assert peer.audio == [b"x"]


@pytest.mark.parametrize("goodbye", Goodbye)
def test_each_goodbye_has_its_code_and_a_short_reason(goodbye: Goodbye) -> None:
    peer = Peer(dialect(SUMMARY))
    peer.dialect.finish(goodbye)
    (close,) = peer.dialect.drain(0)
    assert isinstance(close, Close)
    assert close.code == goodbye.value
    assert 0 < len(close.reason.encode()) <= 123


def test_a_peer_that_never_reads_is_closed_at_the_bound_and_gets_what_waited() -> None:
    peer = Peer(dialect(ENDPOINTING, pending_max=5))
    answers = peer.ask("1", "1", "8000", *[b"x"] * 10)
    assert answers == ["200", "200", "200", "false", "false", Close(1013, "VS1208 too many unread answers")]
    assert peer.refused() == [("VS1208", "connection")]


# ---- reading late


def summaries(count: int) -> tuple[LabelLog, list[SummaryState]]:
    log = LabelLog(8000)
    states = []
    for number in range(count):
        log.append(bytes([number // 7 % 2]))
        states.append(SummaryState(log, 240 * (number + 1), number + 1, log.speech_frames, len(log.run_starts)))
    return log, states


def test_answers_are_drained_in_order_by_the_room_there_is() -> None:
    _, states = summaries(40)
    peer = Peer(dialect(SUMMARY), one_after_the_other(states))
    peer.send("8000", *[b"x"] * 40, "late")
    pieces = []
    while piece := peer.dialect.drain(1000):
        assert sum(len(str(message)) for message in piece[:-1]) < 1000
        pieces += piece
    assert pieces == ["200", *[spaced(stream_summary_object(state)) for state in states], "500"]


def test_at_least_one_answer_is_given_however_little_room_there_is() -> None:
    peer = Peer(dialect(ENDPOINTING))
    peer.send("1", "1", "8000")
    assert [peer.dialect.drain(0) for _ in range(4)] == [["200"], ["200"], ["200"], []]


def test_beyond_the_frame_bound_late_answers_are_those_of_their_time() -> None:
    _, states = summaries(40)
    peer = Peer(dialect(SUMMARY, frames_kept=10), one_after_the_other(states))
    assert peer.ask("8000", *[b"x"] * 40)[1:] == [spaced(stream_summary_object(state, 10)) for state in states]


def test_unread_summaries_are_small() -> None:
    log = LabelLog(8000)
    log.append(b"\1" * 20_000)
    numbers = iter(range(20_000))

    def answer() -> SummaryState:
        frames = next(numbers)
        return SummaryState(log, 240 * frames, frames, frames, 1)

    peer = Peer(dialect(SUMMARY), answer)
    peer.ask("8000")
    peer.audio = Discarded()
    tracemalloc.start()
    peer.send(*[b"x"] * 20_000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 5_000_000  # spelled at once it would be 1.2 GB
    assert closes(peer.dialect.drain(1)) == []


class Discarded(list[bytes]):
    """Keeps nothing."""

    def append(self, _: bytes) -> None:
        pass
