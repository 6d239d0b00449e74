"""Recordings go in, assessments come out: in order, all of them, and one that breaks off breaks no other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio
from numpy.typing import NDArray
from trio.testing import wait_all_tasks_blocked

from tests.server.toy_assessment import DEADLY, ENDLESS
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.errors import ASSESSMENT_BUSY, WORKER_DEFECT, WORKER_DIED, WORKER_MISSING, WORKER_SLOW, Fault, MisuseError, PeerError
from voicestream.server.assessor import Assessor, Run
from voicestream.server.worker_pool import WorkerPool
from voicestream.sessions.assessment_result import Assessment

Recording = NDArray[np.int16]


class LoudnessFront:
    """Labels of 30 ms: whether a frame has anything in it."""

    def __init__(self, plan: FrontEndPlan) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> tuple[bytes, NDArray[np.float32]]:
        data = self._rest + data
        frames = len(data) // 960
        self._rest = data[960 * frames :]
        return bytes(any(data[960 * at : 960 * (at + 1)]) for at in range(frames)), np.empty((0, 1), np.float32)

    def flush(self) -> tuple[bytes, NDArray[np.float32]]:
        return b"", np.empty((0, 1), np.float32)


@asynccontextmanager
async def assessor(
    workers: int = 1,
    work_s: float = 20.0,
    runs: int = 30,
    backlog: int = 100,
    idle: bool = False,
    factory: str = "tests.server.toy_assessment:make",
) -> AsyncIterator[Assessor]:
    pool = WorkerPool(factory, b"", workers, work_s)
    made = Assessor(pool, lambda: LoudnessFront, runs, backlog)
    async with trio.open_nursery() as nursery:
        if not idle:
            await nursery.start(pool.serve)
        yield made
        nursery.cancel_scope.cancel()


def spoken(*peaks: int) -> Recording:
    """A second of each loudness, with so much silence behind it that a segment ends."""
    return np.concatenate([np.r_[np.full(16000, peak), np.zeros(64000)] for peak in peaks]).astype(np.int16)


def hear(run: Run, recording: Recording, packet: int = 8000) -> Run:
    for at in range(0, len(recording), packet):
        run.hear(recording[at : at + packet])
    return run


def texts(assessment: Assessment) -> list[str]:
    return [utterance.text for utterance in assessment.utterances]


async def outcome(run: Run) -> Sequence[str] | Fault:
    try:
        return texts(*await run.finish())
    except PeerError as error:
        return error.fault


async def test_words_come_in_order_with_times_of_the_whole_recording() -> None:
    async with assessor() as made:
        (found,) = await hear(made.begin(), spoken(100, 200, 300)).finish()
    assert texts(found) == ["100", "200", "300"]
    assert [round(one.start_s) for one in found.utterances] == [0, 4, 9]
    assert (found.total_s, round(found.net_speech_s), found.recording) == (15.0, 3, "ok")
    assert found.scores.overall == 3.0


@pytest.mark.parametrize("packet", [1, 333, 96000])
async def test_packets_of_any_size_give_the_same(packet: int) -> None:
    recording = spoken(100, 200)[: 3 * 16000 if packet == 1 else None]
    async with assessor() as made:
        assert await hear(made.begin(), recording, packet).finish() == await hear(made.begin(), recording).finish()


async def test_segments_are_worked_on_before_the_recording_ends() -> None:
    async with assessor() as made:
        run = hear(made.begin(), spoken(100))
        answer = await run._segments[0].wait()
        assert answer
        assert texts(*await run.finish()) == ["100"]


async def test_a_worker_that_dies_ends_its_own_stream_and_no_other() -> None:
    async with assessor(workers=2) as made:
        runs = [hear(made.begin(), spoken(100 + at, DEADLY if at == 7 else 50, 300)) for at in range(20)]
        found: dict[int, Sequence[str] | Fault] = {}

        async def finish(at: int) -> None:
            found[at] = await outcome(runs[at])

        async with trio.open_nursery() as nursery:
            for at in range(20):
                nursery.start_soon(finish, at)
    assert found.pop(7) is WORKER_DIED
    assert found == {at: [str(100 + at), "50", "300"] for at in range(20) if at != 7}


async def test_a_worker_that_hangs_ends_its_own_stream() -> None:
    async with assessor(work_s=0.5) as made:
        bad, good = hear(made.begin(), spoken(ENDLESS)), hear(made.begin(), spoken(100))
        assert await outcome(bad) is WORKER_SLOW
        assert await outcome(good) == ["100"]


@pytest.mark.parametrize("recording", [spoken(100), np.zeros(48000, np.int16)], ids=["finding", "conclusion"])
async def test_an_answer_that_cannot_be_read_is_a_defect_of_the_worker(recording: Recording) -> None:
    async with assessor(factory="tests.server.toy_worker:make") as made:
        assert await outcome(hear(made.begin(), recording)) is WORKER_DEFECT


async def test_who_ended_first_is_assessed_first() -> None:
    async with assessor() as made:
        runs = [made.begin(), made.begin()]
        for run in 3 * runs:
            hear(run, spoken(100))
        answered: list[int] = []

        async def finish(run: Run) -> None:
            await run.finish()
            answered.append(made.pool.outcomes["answered"])

        async with trio.open_nursery() as nursery:
            for run in reversed(runs):
                nursery.start_soon(finish, run)
                await wait_all_tasks_blocked()
    assert answered[0] <= 5  # three segments and the conclusion; a worker may have begun one of the other's before it was there


async def test_too_many_at_once_are_told_so_and_one_that_ends_makes_room() -> None:
    async with assessor(runs=2) as made:
        first, second = made.begin(), made.begin()
        with pytest.raises(PeerError) as caught:
            made.begin()
        assert caught.value.fault is ASSESSMENT_BUSY
        first.cancel()
        await second.finish()
        made.begin()
        made.begin()


async def test_too_much_work_is_told_before_anything_is_heard() -> None:
    async with assessor(backlog=3) as made:
        hear(made.begin(), spoken(1, 2, 3, 4, 5))
        with pytest.raises(PeerError) as caught:
            made.begin()
        assert caught.value.fault is ASSESSMENT_BUSY


async def test_what_is_cancelled_is_not_begun() -> None:
    async with assessor() as made:
        with hear(made.begin(), spoken(DEADLY, DEADLY)):
            pass
        assert await outcome(hear(made.begin(), spoken(100))) == ["100"]
        assert not made.broken


async def test_a_client_who_leaves_while_waiting_takes_nothing_with_it() -> None:
    async with assessor() as made:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outcome, hear(made.begin(), spoken(100, 200)))
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert not made._live
        assert await outcome(hear(made.begin(), spoken(300))) == ["300"]


async def test_without_workers_it_is_told_at_the_beginning() -> None:
    async with assessor(idle=True) as made:
        assert made.broken
        with pytest.raises(PeerError) as caught:
            made.begin()
        assert caught.value.fault is WORKER_MISSING


async def test_silence_is_an_assessment_without_words() -> None:
    async with assessor() as made:
        (found,) = await hear(made.begin(), np.zeros(48000, np.int16)).finish()
    assert (found.utterances, found.recording, found.attempt) == ((), "no_speech", "UNSPOKEN")


async def test_nothing_at_all_is_one_too() -> None:
    async with assessor() as made:
        assert [found.total_s for found in await made.begin().finish()] == [0.0]


async def test_a_sentence_is_found_in_the_whole_recording() -> None:
    async with assessor() as made:
        (found,) = await hear(made.begin(["100 please 200"]), spoken(100, 200)).finish()
    assert [(word.text, word.place) for word in found.utterances[0].words] == [("100", 0), ("200", 2)]
    assert (found.attempt, found.omitted) == ("RELEVANT", (1,))


async def test_of_several_sentences_each_is_looked_for_in_what_was_heard_once() -> None:
    async with assessor() as made:
        run = hear(made.begin(["100 200", "300"]), spoken(100, 200))
        found = await run.finish()
        assert made.pool.outcomes == {"answered": 4}  # two segments, two sentences
    assert [one.sentence for one in found] == ["100 200", "300"]


async def test_nothing_is_heard_after_the_end_and_nothing_ends_twice() -> None:
    async with assessor() as made:
        run = made.begin()
        await run.finish()
        with pytest.raises(MisuseError):
            run.hear(spoken(1))
        with pytest.raises(MisuseError):
            await run.finish()
