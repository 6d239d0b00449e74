"""Fixtures: an application under test and a client of it."""

from collections.abc import Callable

import httpx
import pytest

from tests.http.fake import Server
from voicestream.server.config import Settings


@pytest.fixture
def serve() -> Callable[..., Server]:
    """serve(setting=value, ...) -> Server."""
    return lambda **settings: Server(Settings(**settings))


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture
def client(server: Server) -> httpx.AsyncClient:
    return server.client
