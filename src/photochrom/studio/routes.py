"""What the page fetches besides Gradio's own parts: its scripts, its pictures, pictures of effects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse

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
_DAY = {"Cache-Control": "private, max-age=86400"}


def add(app: FastAPI, store: Store) -> None:
    """Add the routes; they must come before Gradio's, which takes all others."""
    @app.middleware("http")
    async def guard(request: Request, answer: Any) -> Response:
        if _REMOTE.search(request.url.path):   # Gradio would fetch another server's file for the caller
            return JSONResponse({"detail": "files of other servers are not fetched"}, 403)
        response: Response = await answer(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

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
