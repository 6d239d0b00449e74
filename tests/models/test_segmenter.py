"""A recording is cut at its pauses: nothing of the speech is lost, nothing is said twice, and pieces are the whole."""

from itertools import pairwise

import numpy as np
import pytest

from voicestream.models.speech.segmenter import FRAME, LONGEST_S, MARGIN_FRAMES, RATE_HZ, Samples, Segment, Segmenter


def noise(frames: int, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).integers(-9000, 9000, frames * FRAME).astype(np.int16)


def cut(labels: bytes, samples: Samples | None = None) -> list[Segment]:
    segmenter = Segmenter()
    return segmenter.feed(noise(len(labels)) if samples is None else samples, labels) + segmenter.flush()


def frames_of(segments: list[Segment]) -> list[tuple[int, int]]:
    return [(one.start_sample // FRAME, (one.start_sample + len(one.samples)) // FRAME) for one in segments]


def test_a_sentence_between_silences_comes_with_a_margin_on_each_side() -> None:
    assert frames_of(cut(bytes(50) + b"\1" * 40 + bytes(60))) == [(50 - MARGIN_FRAMES, 90 + MARGIN_FRAMES)]


def test_a_segment_holds_the_very_samples_of_its_place() -> None:
    samples = noise(150)
    (segment,) = cut(bytes(50) + b"\1" * 40 + bytes(60), samples)
    assert np.array_equal(segment.samples, samples[segment.start_sample :][: len(segment.samples)])


def test_a_segment_goes_on_over_pauses_of_those_who_halt() -> None:
    assert len(cut(b"\1" * 60 + bytes(90) + b"\1" * 60)) == 1


def test_a_segment_is_given_as_soon_as_its_pause_is_long_enough() -> None:
    segmenter = Segmenter()
    assert segmenter.feed(noise(139), b"\1" * 40 + bytes(99)) == []
    assert frames_of(segmenter.feed(noise(1), bytes(1))) == [(0, 40 + MARGIN_FRAMES)]


def test_a_long_segment_is_cut_in_the_longest_pause_of_its_second_half() -> None:
    spoken = [b"\1" * 150, bytes(70), b"\1" * 80, bytes(12), b"\1" * 48, bytes(60), b"\1" * 100]
    assert frames_of(cut(b"".join(spoken))) == [(0, 360 + MARGIN_FRAMES), (420 - MARGIN_FRAMES, 520)]


def test_a_short_pause_is_shared_by_what_comes_before_and_after_it() -> None:
    assert frames_of(cut(b"\1" * 400 + bytes(10) + b"\1" * 200)) == [(0, 405), (405, 610)]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    samples = noise(600)
    samples[350 * FRAME : 354 * FRAME] //= 50
    segments = cut(b"\1" * 600, samples)
    assert 350 <= frames_of(segments)[0][1] < 354
    assert np.array_equal(np.concatenate([one.samples for one in segments]), samples)


def test_a_click_is_no_speech() -> None:
    assert cut(bytes(50) + b"\1\1" + bytes(50)) == []


def test_the_end_of_the_recording_ends_the_last_segment_with_all_its_samples() -> None:
    segmenter = Segmenter()
    samples = noise(41)[:-7]
    assert segmenter.feed(samples, b"\1" * 40) == []
    (segment,) = segmenter.flush()
    assert np.array_equal(segment.samples, samples)


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_cut_as_the_whole_and_no_speech_is_lost_or_said_twice(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = b"".join(bytes([at % 2]) * int(random.integers(1, (30, 300)[at % 2])) for at in range(30))
    samples = noise(len(labels), seed)
    whole = cut(labels, samples)
    pieces, segmenter, at = [], Segmenter(), 0
    while at < len(samples):
        step = int(random.integers(1, 5 * FRAME))
        pieces += segmenter.feed(samples[at : at + step], labels[at // FRAME : min(at + step, len(samples)) // FRAME])
        at += step
    pieces += segmenter.flush()
    assert [one.start_sample for one in pieces] == [one.start_sample for one in whole]
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(pieces, whole, strict=True))
    assert all(len(one.samples) <= LONGEST_S * RATE_HZ for one in whole)
    spans = frames_of(whole)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    inside = bytearray(len(labels))
    for start, end in spans:
        inside[start:end] = b"\1" * (end - start)
    lost = sum(label and not kept for label, kept in zip(labels, inside, strict=True))
    assert lost <= 2 * 30  # clicks alone


def test_silence_is_not_kept() -> None:
    segmenter = Segmenter()
    for _ in range(1000):
        segmenter.feed(np.zeros(FRAME, np.int16), b"\0")
    assert len(segmenter._waiting) <= MARGIN_FRAMES * FRAME
