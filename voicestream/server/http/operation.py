"""What an operator's tools ask: started, live, ready, and the numbers for Prometheus."""

from collections.abc import Callable

from quart import Blueprint, Response

from voicestream.protocols.idvoice_json import compact
from voicestream.server.http.route import json_response
from voicestream.server.http.services import Health


def blueprint(health: Callable[[], Health], metrics_page: Callable[[], tuple[bytes, str]]) -> Blueprint:
    """GET `/healthz` (200 while it answers at all), `/startupz` and `/readyz` (503 until then, or while draining), `/metrics`."""
    operation = Blueprint("operation", __name__)

    def told(ok: bool) -> Response:
        state = health()
        response = json_response(compact({"started": state.started, "live": True, "ready": state.ready}))
        response.status_code = 200 if ok else 503
        response.headers["Cache-Control"] = "no-store"
        return response

    @operation.get("/healthz")
    async def healthz() -> Response:
        return told(True)

    @operation.get("/startupz")
    async def startupz() -> Response:
        return told(health().started)

    @operation.get("/readyz")
    async def readyz() -> Response:
        return told(health().ready)

    @operation.get("/metrics")
    async def metrics() -> Response:
        body, content_type = metrics_page()
        return Response(body, content_type=content_type)

    return operation
