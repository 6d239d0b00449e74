"""What all routes share: components, CORS, slashes, headers; and the pages."""

import re
from collections.abc import Callable
from html import escape

import httpx
import pytest

from tests.http.fake import Server
from voicestream import __version__
from voicestream.errors import CATALOGUE
from voicestream.server.http.services import Health

PATHS = {
    "component_verify": [
        "/voice_template_factory/merge_voice_templates",
        "/voice_template_matcher/match_voice_templates",
        "/verify_engine/verify",
    ],
    "component_media": ["/speech_summary_engine/get_speech_summary_from_file", "/snr_computer/compute_with_samples"],
    "component_liveness": ["/liveness_engine/check_liveness_file", "/liveness_engine/check_liveness_samples"],
    "component_template_converter": ["/voice_template_converter/convert_voice_template"],
}


@pytest.mark.parametrize("component", PATHS)
@pytest.mark.parametrize("on", [True, False])
async def test_the_paths_of_a_component_that_is_off_do_not_exist(serve: Callable[..., Server], component: str, on: bool) -> None:
    client = serve(**{component: on}).client
    for path in PATHS[component]:
        assert ((await client.post(path)).status_code == 404) is not on


@pytest.mark.parametrize("slash", ["", "/"])
async def test_build_info(client: httpx.AsyncClient, slash: str) -> None:
    answer = await client.get(f"/core/get_build_info{slash}")
    assert answer.json() == {
        "version": __version__,
        "components": ["verify", "media", "liveness"],
        "git_info": f"voicestream {__version__}",
        "license_info": "Apache-2.0",
        "license_expiration_date": "2099-12-31",
    }


async def test_expiration_date(client: httpx.AsyncClient) -> None:
    assert (await client.get("/core/get_expiration_date")).text == '"2099-12-31"'


async def test_components_that_are_on_are_told(serve: Callable[..., Server]) -> None:
    client = serve(component_verify=False, component_template_converter=True).client
    assert (await client.get("/core/get_build_info")).json()["components"] == ["media", "liveness", "template_converter"]


async def test_cors_is_off_unless_asked_for(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/healthz"), await client.options("/snr_computer/compute_with_samples")):
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_cors_with_preflight(serve: Callable[..., Server]) -> None:
    client = serve(allow_cors=True).client
    asked = {"Origin": "http://127.0.0.1:5500", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = await client.options("/voice_template_factory/create_voice_template_from_samples?sample_rate=16000", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()
    refused = await client.post("/voice_template_factory/create_voice_template_from_samples", headers={"Origin": "http://x"})
    assert refused.status_code == 400
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_draining_is_not_ready_but_live(server: Server) -> None:
    server.health_page = lambda: Health(started=True, ready=False)
    assert (await server.client.get("/readyz")).status_code == 503
    assert (await server.client.get("/startupz")).status_code == 200
    live = await server.client.get("/healthz")
    assert (live.status_code, live.json()) == (200, {"started": True, "live": True, "ready": False})


async def test_metrics_are_passed_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.text == "up 1\n"
    assert answer.headers["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("path", ["/", "/errors", "/swagger-ui.html"])
async def test_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in answer.text
    linked = set(re.findall(r'(?:href|src)="([^"#]*)', answer.text)) - {""}
    assert linked
    for name in linked:
        assert name.startswith("/")
        assert (await client.get(name)).status_code == 200, name


async def test_every_error_has_an_anchor(client: httpx.AsyncClient) -> None:
    page = (await client.get("/errors")).text
    for code, fault in CATALOGUE.items():
        assert f'<section id="{code}">' in page
        assert escape(fault.sentence) in page


async def test_a_page_file_is_served_once_per_change(client: httpx.AsyncClient) -> None:
    first = await client.get("/web/swagger-ui-bundle.js")
    assert first.headers["Content-Type"].startswith("text/javascript")
    again = await client.get("/web/swagger-ui-bundle.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_each_error_stands_under_the_heading_of_its_family(client: httpx.AsyncClient) -> None:
    _, *sections = (await client.get("/errors")).text.split("<h2>")
    under = {section.partition("</h2>")[0]: section for section in sections}
    for code, words in [("VS1601", "Engine.IO and Socket.IO"), ("VS1701", "Telephone calls: Twilio, AudioHook"), ("VS1801", "OAuth2")]:
        assert f'id="{code}"' in under[words]


@pytest.mark.parametrize("name", ["index.html", "../errors.py", "..%2Ferrors.py", "%2Fetc%2Fpasswd", "swagger-ui.js.map"])
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/web/{name}")).status_code == 404
