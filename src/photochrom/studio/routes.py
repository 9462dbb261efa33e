"""What the page fetches besides Gradio's own parts: its scripts, its pictures, pictures of effects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import MutableHeaders

from photochrom.core.registry import registry
from photochrom.studio.guide import effect
from photochrom.studio.sessions import Store

WEB = Path(__file__).parent / "web"
_FILES = {path.name: path for path in WEB.iterdir() if path.suffix in (".js", ".css", ".png")}
_REMOTE = re.compile(r"/(?:gradio_api/)?(?:file=|proxy=)\s*https?:", re.IGNORECASE)
_POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
           "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; "
           "worker-src 'self' blob:; object-src 'none'; frame-ancestors 'self'; base-uri 'self'")
"""Even if a page were told to, its browser fetches nothing from elsewhere."""
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_DAY = {"Cache-Control": "private, max-age=86400"}


class Guard:
    """Refuses what would ask another server, and adds the headers of every answer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _REMOTE.search(scope["path"]):   # Gradio would fetch another server's file for the caller
            refused = JSONResponse({"detail": "files of other servers are not fetched"}, 403)
            await refused(scope, receive, send)
            return

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, answer)


def add(app: FastAPI, store: Store) -> None:
    """Add the routes; they must come before Gradio's, which takes all others."""
    app.add_middleware(Guard)

    @app.get("/web/{name}")
    def web(name: str) -> Response:
        path = _FILES.get(name)
        return FileResponse(path, headers={"Cache-Control": "no-cache"}) if path else Response(status_code=404)

    @app.get("/shown/{token}/{name}")
    def shown(token: str, name: str) -> Response:
        session = store.find(token)
        if session is None:
            return Response(status_code=404)
        if name in session.results:
            return FileResponse(session.results[name], media_type="image/png", headers=_DAY)
        data = session.shown.get(name)
        return Response(data, media_type="image/png", headers=_DAY) if data else Response(status_code=404)

    @app.get("/made/{token}/{name}")
    def made(token: str, name: str) -> Response:
        session = store.find(token)
        path = None if session is None else session.made.get(name)
        return FileResponse(path, filename=name, headers={"Cache-Control": "no-store"}) if path else Response(
            status_code=404)

    @app.get("/effect/{name}.png")
    def effects(name: str) -> Response:
        if name not in registry.names():
            return Response(status_code=404)
        return Response(effect(name), media_type="image/png", headers=_DAY)
