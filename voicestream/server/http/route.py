"""Routes that take audio, and answers in JSON."""

from collections.abc import Awaitable, Callable

from quart import Blueprint, Response

from voicestream.server.http.upload import Reader, Recording


def post_audio(blueprint: Blueprint, path: str, read: Reader, answer: Callable[[Recording], Awaitable[Response]]) -> None:
    """POST `path`: what `read` finds in the body goes to `answer`; its bytes are freed when the answer is made."""

    async def view() -> Response:
        async with read() as recording:
            return await answer(recording)

    blueprint.add_url_rule(path, path.strip("/").replace("/", "_"), view, methods=["POST"])


def json_response(text: str) -> Response:
    """`text` is JSON already."""
    return Response(text, content_type="application/json")
