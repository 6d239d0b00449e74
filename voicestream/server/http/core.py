"""`/core`: what is running. Clients of the vendor's server ask it whether anybody is there."""

from quart import Blueprint, Response

from voicestream import __version__
from voicestream.protocols.idvoice_json import compact
from voicestream.server.config import Settings
from voicestream.server.http.route import json_response

EXPIRATION_DATE = "2099-12-31"  # there is no licence to expire; clients parse a date


def components(settings: Settings) -> list[str]:
    """The switched-on components, in the vendor's names."""
    offered = {
        "verify": settings.component_verify,
        "media": settings.component_media,
        "liveness": settings.component_liveness,
        "template_converter": settings.component_template_converter,
    }
    return [name for name, on in offered.items() if on]


def blueprint(settings: Settings) -> Blueprint:
    """GET `/core/get_build_info` and `/core/get_expiration_date`."""
    core = Blueprint("core", __name__, url_prefix="/core")

    @core.get("/get_build_info")
    async def build_info() -> Response:
        return json_response(
            compact(
                {
                    "version": __version__,
                    "components": components(settings),
                    "git_info": f"voicestream {__version__}",
                    "license_info": "Apache-2.0",
                    "license_expiration_date": EXPIRATION_DATE,
                }
            )
        )

    @core.get("/get_expiration_date")
    async def expiration_date() -> Response:
        return json_response(compact(EXPIRATION_DATE))

    return core
