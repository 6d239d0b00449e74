"""Fixtures: an application under test and a client of it."""

from collections.abc import Callable

import httpx
import pytest

from tests.http.fake import Server
from voicestream.server.config import Settings


@pytest.fixture
def serve() -> Callable[..., Server]:
    """serve(setting=value, ...) -> Server; it takes the buzzing voices of these tests for voices."""
    return lambda **settings: Server(Settings(**{"min_voice": 0.0, **settings}))


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture
def client(server: Server) -> httpx.AsyncClient:
    return server.client
