"""The HTTP application: all routes, the same refusals everywhere, headers that every answer carries."""

from functools import cache

from quart import Response, request
from quart_trio import QuartTrio

from voicestream.server.config import Settings
from voicestream.server.http import (
    asyncapi,
    core,
    daspeak,
    daspeak_rest,
    elsa,
    engine,
    liveness,
    media,
    oauth,
    openapi,
    operation,
    page,
    refusal,
    voice,
)
from voicestream.server.http.connection import Connection
from voicestream.server.http.services import Services
from voicestream.server.http.upload import Uploads

_FORM_SLACK_BYTES = 64 * 1024  # part heads and boundaries round the audio
_CORS_MAX_AGE_S = 600


def create_app(settings: Settings, services: Services) -> QuartTrio:
    """The ASGI application of this server's HTTP side; the paths of switched-off components do not exist in it."""
    app = QuartTrio("voicestream", static_folder=None, template_folder=None)
    app.asgi_http_class = Connection
    app.url_map.strict_slashes = False  # clients add a slash at the end and do not follow redirects
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = settings.audio_body_bytes + _FORM_SLACK_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False
    uploads = Uploads(settings)

    app.register_blueprint(core.blueprint(settings))
    app.register_blueprint(operation.blueprint(services.health, services.metrics_page))
    app.register_blueprint(voice.blueprint(settings, services, uploads))
    if settings.component_liveness:
        app.register_blueprint(liveness.blueprint(services, uploads))
    if settings.component_media:
        app.register_blueprint(media.blueprint(settings, services, uploads))
    if services.login is not None:
        app.register_blueprint(oauth.blueprint(services.login, settings.body_s, services.refused))
        if services.credentials is not None:
            app.register_blueprint(daspeak.blueprint(settings, services, uploads, services.login, services.credentials))
        if services.rest_channel is not None:
            app.register_blueprint(daspeak_rest.blueprint(services.login.authority, services.rest_channel, uploads, services.refused))
    if services.elsa is not None:
        app.register_blueprint(elsa.blueprint(settings, services, uploads, services.elsa))
    for server in services.engines:
        app.register_blueprint(engine.blueprint(server))
    example = cache(lambda: voice.example_template(settings, services))
    app.register_blueprint(
        page.blueprint(
            lambda: openapi.document(settings, example(), assessment=services.elsa is not None),
            lambda: asyncapi.document(settings, example(), assessment=services.elsa is not None),
        )
    )
    refusal.install(app, services.websocket_paths, services.refused)

    @app.after_request
    async def add_headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if settings.allow_cors:
            response.headers["Access-Control-Allow-Origin"] = "*"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE, OPTIONS"
                response.headers["Access-Control-Allow-Headers"] = "Accept, Apikey, Authorization, Content-Type, X-Api-Key"
                response.headers["Access-Control-Max-Age"] = str(_CORS_MAX_AGE_S)
            else:
                response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        return response

    return app
