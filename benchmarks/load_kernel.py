"""The inner loop of the load generator: thousands of WebSockets driven from one core by one compiled function.

Python would need 20 us a message and be the slower side of every comparison. This calls libc itself: one
`send` per prebuilt masked frame, `epoll_wait`, `recv`, and a look at the headers of what comes back.
One clock (CLOCK_MONOTONIC) dates everything.
"""

import ctypes
import platform
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Int32: TypeAlias = NDArray[np.int32]
Int64: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]
Float32: TypeAlias = NDArray[np.float32]

_libc = ctypes.CDLL(None)
_send, _recv, _epoll_wait, _clock_gettime = _libc.send, _libc.recv, _libc.epoll_wait, _libc.clock_gettime
_send.argtypes = _recv.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_send.restype = _recv.restype = ctypes.c_ssize_t
_epoll_wait.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
_clock_gettime.argtypes = [ctypes.c_int, ctypes.c_void_p]

_NOW, _QUIET = 0x40, 0x4000  # MSG_DONTWAIT, MSG_NOSIGNAL
_EVENTS = 256
# struct epoll_event is packed on x86-64 only
_EVENT_WORDS, _DATA_WORD = (3, 1) if platform.machine() == "x86_64" else (4, 2)

# columns of `state`, one row per connection
OWED, SENT, PARTIAL, ANSWERED, HEADER, LENGTH, SKIP, GONE = range(8)
COLUMNS = 8
# fields of `totals`
T_SENT, T_ANSWERED, T_LATENCIES, T_GONE, T_DUE, T_LATE, T_STUCK, T_BYTES = range(8)
STAGGER = 50  # paced connections begin within so many intervals: what a server does at every n-th message is not all at once
RING = 1024  # dates of messages on their way, per connection

_LATE_NS = 1_000_000  # a paced message sent later than this after its date is counted: the generator was too slow

_Function = TypeVar("_Function", bound=Callable[..., object])


def _compiled(function: _Function) -> _Function:
    """njit, which is not typed for functions like these; uncached, because ctypes puts addresses into the code."""
    return numba.njit(function)  # type: ignore[no-any-return]


@_compiled
def _now_ns(clock: Int64) -> int:
    _clock_gettime(1, clock.ctypes.data)
    return clock[0] * 1_000_000_000 + clock[1]  # type: ignore[no-any-return]


@_compiled
def _owe(i: int, messages: int, now_ns: int, state: Int64, dates_ns: Int64) -> None:
    """From now on connection `i` owes that many messages since its start; each is dated now, sent or not."""
    while state[i, OWED] < messages:
        dates_ns[i, state[i, OWED] % RING] = now_ns
        state[i, OWED] += 1


@_compiled
def _push(i: int, fds: Int32, bank: Bytes, first: Int64, state: Int64, totals: Int64) -> bool:
    """Send what connection `i` owes, one frame per call, until the socket is full."""
    frames, size = bank.shape
    while state[i, SENT] < state[i, OWED] and not state[i, GONE]:
        at = ((first[i] + state[i, SENT]) % frames) * size + state[i, PARTIAL]
        count = _send(fds[i], bank.ctypes.data + at, size - state[i, PARTIAL], _NOW | _QUIET)
        if count < 0:
            totals[T_STUCK] += 1
            return False
        state[i, PARTIAL] += count
        if state[i, PARTIAL] == size:
            state[i, PARTIAL] = 0
            state[i, SENT] += 1
            totals[T_SENT] += 1
    return True


@_compiled
def _hear(
    i: int, data: Bytes, count: int, per_answer: int, now_ns: int, state: Int64, dates_ns: Int64, latencies_s: Float32, totals: Int64
) -> None:
    """Walk over the frames in data[:count]; a frame may begin and end anywhere."""
    at = 0
    totals[T_BYTES] += count
    while at < count:
        if state[i, SKIP]:
            step = min(state[i, SKIP], count - at)
            state[i, SKIP] -= step
            at += step
        else:
            byte = np.int64(data[at])
            at += 1
            seen = state[i, HEADER]
            if seen == 0:
                state[i, LENGTH] = (byte & 0x0F) << 56  # the opcode rides on top
                state[i, HEADER] = 1
                continue
            opcode = state[i, LENGTH] >> 56
            if seen == 1:
                size = byte & 0x7F
                if size >= 126:
                    state[i, HEADER] = 100 + (2 if size == 126 else 8)
                    continue
            else:
                size = (state[i, LENGTH] & 0xFFFFFFFFFFFFFF) << 8 | byte
                state[i, LENGTH] = opcode << 56 | size
                state[i, HEADER] = seen - 1
                if seen - 1 > 100:
                    continue
            state[i, HEADER] = 0
            state[i, SKIP] = size
            if opcode == 8:
                state[i, GONE] = 1
                totals[T_GONE] += 1
                return
            if opcode == 1 or opcode == 2:
                state[i, ANSWERED] += 1
                totals[T_ANSWERED] += 1
                if totals[T_LATENCIES] < len(latencies_s):
                    sent_ns = dates_ns[i, (state[i, ANSWERED] * per_answer - 1) % RING]
                    latencies_s[totals[T_LATENCIES]] = (now_ns - sent_ns) * 1e-9
                    totals[T_LATENCIES] += 1


@_compiled
def drive(
    epoll_fd: int, row_of_fd: Int64, fds: Int32, bank: Bytes, first: Int64, ahead: int, interval_ns: int, per_answer: int,
    begin_ns: int, end_ns: int, state: Int64, dates_ns: Int64, latencies_s: Float32, totals: Int64,
) -> None:  # fmt: skip
    """Run until `end_ns`.

    bank (frames, size) uint8, each row one masked frame; connection i begins at row first[i] and goes round.
    ahead > 0: saturated, at most that many unanswered messages per connection, fewer on most so that their
    answers do not come all at once. interval_ns > 0: paced, each connection a message per interval from
    begin_ns on or a little later, phases spread evenly. Neither: only listen, until all is answered.
    """
    clock = np.zeros(2, np.int64)
    events = np.zeros(_EVENTS * _EVENT_WORDS, np.uint32)
    data = np.empty(1 << 18, np.uint8)
    connections = len(fds)
    stuck_at_ns = 0
    if ahead:
        now_ns = _now_ns(clock)
        for i in range(connections):
            _owe(i, state[i, ANSWERED] * per_answer + ahead - i % per_answer, now_ns, state, dates_ns)
            if not _push(i, fds, bank, first, state, totals):
                stuck_at_ns = now_ns
    while True:
        now_ns = _now_ns(clock)
        if now_ns >= end_ns:
            return
        if not ahead and not interval_ns and totals[T_ANSWERED] * per_answer >= totals[T_SENT] // per_answer * per_answer:
            return
        wait_ms = 1
        if interval_ns:
            due_ns = begin_ns + totals[T_DUE] * interval_ns // connections
            behind = 0
            while due_ns <= now_ns and behind < _EVENTS:
                behind += 1
                i = totals[T_DUE] % connections
                if totals[T_DUE] // connections >= i * STAGGER // connections:
                    if now_ns - due_ns > _LATE_NS:
                        totals[T_LATE] += 1
                    _owe(i, state[i, OWED] + 1, now_ns, state, dates_ns)
                    if not _push(i, fds, bank, first, state, totals):
                        stuck_at_ns = now_ns
                totals[T_DUE] += 1
                due_ns = begin_ns + totals[T_DUE] * interval_ns // connections
                now_ns = _now_ns(clock)
            if due_ns - now_ns < 1_500_000:
                wait_ms = 0
        if stuck_at_ns and now_ns - stuck_at_ns > 1_000_000:
            stuck_at_ns = 0
            for i in range(connections):
                if not _push(i, fds, bank, first, state, totals):
                    stuck_at_ns = now_ns
        ready = _epoll_wait(epoll_fd, events.ctypes.data, _EVENTS, wait_ms)
        for k in range(ready):
            i = row_of_fd[events[k * _EVENT_WORDS + _DATA_WORD]]
            count = _recv(fds[i], data.ctypes.data, len(data), _NOW)
            if count <= 0:
                lost = count == 0 or events[k * _EVENT_WORDS] & 0x18 != 0  # EPOLLERR, EPOLLHUP
                if lost and not state[i, GONE]:
                    state[i, GONE] = 1
                    totals[T_GONE] += 1
                continue
            now_ns = _now_ns(clock)
            _hear(i, data, count, per_answer, now_ns, state, dates_ns, latencies_s, totals)
            if ahead:
                _owe(i, state[i, ANSWERED] * per_answer + ahead - i % per_answer, now_ns, state, dates_ns)
                if not _push(i, fds, bank, first, state, totals):
                    stuck_at_ns = now_ns


def masked(payloads: Bytes, opcode: int = 2) -> Bytes:
    """Payloads (frames, size) uint8 -> the same as final, masked WebSocket frames, one a row."""
    frames, size = payloads.shape
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    if size >= 65536:
        length = b"\xff" + size.to_bytes(8, "big")
    head = np.frombuffer(bytes((0x80 | opcode,)) + length, np.uint8)
    keys = np.random.default_rng(6455).integers(1, 256, (frames, 4), np.uint8)
    body = payloads ^ np.tile(keys, (1, size // 4 + 1))[:, :size]
    return np.ascontiguousarray(np.concatenate([np.tile(head, (frames, 1)), keys, body], axis=1))
