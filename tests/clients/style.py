"""How clients of one protocol differ: what they send before they read. With `websockets`, whose reader stops when nobody takes."""

from collections.abc import Callable, Iterable

from websockets.sync.client import ClientConnection, connect

_WAIT_S = 60.0

Style = Callable[[ClientConnection, list[str], list[bytes]], list[str]]


def lock_step(stream: ClientConnection, parameters: list[str], messages: list[bytes]) -> list[str]:
    """One message, one answer."""
    return [_ask(stream, message) for message in [*parameters, *messages]]


def pipelined_parameters(stream: ClientConnection, parameters: list[str], messages: list[bytes]) -> list[str]:
    """All parameters at once, as browsers do when the socket opens; then one message, one answer."""
    _send_all(stream, parameters)
    answers = [_answer(stream) for _ in parameters]
    return answers + [_ask(stream, message) for message in messages]


def everything_first(stream: ClientConnection, parameters: list[str], messages: list[bytes]) -> list[str]:
    """All that there is, and nothing is read before."""
    _send_all(stream, [*parameters, *messages])
    return [_answer(stream) for _ in [*parameters, *messages]]


STYLES: list[Style] = [lock_step, pipelined_parameters, everything_first]


def converse(port: int, path: str, style: Style, parameters: list[str], messages: list[bytes]) -> list[str]:
    """All answers of a conversation, those to the parameters too."""
    with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, max_queue=4, open_timeout=_WAIT_S, ping_timeout=None) as stream:
        return style(stream, parameters, messages)


def _ask(stream: ClientConnection, message: str | bytes) -> str:
    stream.send(message)
    return _answer(stream)


def _answer(stream: ClientConnection) -> str:
    answer = stream.recv(timeout=_WAIT_S)
    assert isinstance(answer, str)
    return answer


def _send_all(stream: ClientConnection, messages: Iterable[str | bytes]) -> None:
    for message in messages:
        stream.send(message)
