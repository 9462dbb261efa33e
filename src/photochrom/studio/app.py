"""Starting the studio: a server on this machine alone unless asked otherwise, without a word to anyone else."""

from __future__ import annotations

import atexit
import importlib.util
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from photochrom.core.errors import ControlError, PhotochromError

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_DISABLE_TELEMETRY": "True",
         "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "GRADIO_SHARE": "False", "GRADIO_SSR_MODE": "False"}
"""Read by Gradio and its libraries: nothing is counted, looked up or sent."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _end_in_order() -> None:
    """Let the signals that end a program, or a closed terminal, leave time to remove the temporary files.

    Uvicorn raises them once more when it has shut down, and by default that ends the process on the spot.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda got, frame: sys.exit(128 + got))


class Studio:
    """A studio that is set up, and once served can be closed.

    Args:
        limits: what a page may bring.
        password: asked for on opening the page, with any name; None for none.
        mcp: offer the operations as tools of the Model Context Protocol too.
    """

    def __init__(self, limits: Any = None, password: str | None = None, mcp: bool = False) -> None:
        if importlib.util.find_spec("gradio") is None:
            raise PhotochromError("the studio needs Gradio 6: `pip install 'photochrom[studio]'`")
        if mcp and importlib.util.find_spec("mcp") is None:
            raise PhotochromError("--mcp needs the package mcp: `pip install 'photochrom[mcp]'`")
        if mcp and password:
            raise ControlError("--mcp and --password cannot be used together: "
                               "assistants cannot be asked for a password")
        os.environ.update(QUIET)
        from photochrom.studio.jobs import Workers
        from photochrom.studio.sessions import Store

        self.store = Store(limits)
        os.environ["GRADIO_TEMP_DIR"] = str(self.store.folder / "uploads")
        self.workers = Workers(2)
        self.app = self._app(password, mcp)
        atexit.register(self.close)

    def _app(self, password: str | None, mcp: bool) -> Any:
        import gradio as gr
        from fastapi import FastAPI

        from photochrom.studio import assistants, routes, theme
        from photochrom.studio.page import build

        assistants.fetch_nothing()
        page = build(self.store, self.workers)
        page.queue(default_concurrency_limit=8, max_size=64)
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        routes.add(app, self.store)
        blocked = [str(Path.home()), str(self.store.folder)]
        served = gr.mount_gradio_app(
            app, page, path="/", auth=(lambda name, word: word == password) if password else None,
            auth_message="This studio asks for a password; any name will do.", allowed_paths=[], footer_links=[],
            blocked_paths=[path for path in blocked if not Path(os.environ["GRADIO_TEMP_DIR"]).is_relative_to(path)],
            max_file_size=self.store.limits.bytes, mcp_server=mcp, ssr_mode=False, run_history=False, show_error=False,
            theme=theme.theme(), css=theme.css(), head='<script src="web/tour.js" defer></script>', pwa=False,
            enable_monitoring=False)
        if mcp:
            assistants.admit_uploads(page)
        return served

    def serve(self, host: str, port: int, started: Any = lambda address: None) -> None:
        """Serve until interrupted.

        Raises:
            ControlError: the port is taken.
        """
        import uvicorn

        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                raise ControlError(f"studio: port {port} of {host} cannot be used; choose another by --port") from None
            port = probe.getsockname()[1]
        class Server(uvicorn.Server):
            """Says nothing of the connections that every open page holds to the end."""

            async def shutdown(self, sockets: Any = None) -> None:
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
                await super().shutdown(sockets)

        server = Server(uvicorn.Config(self.app, host=host, port=port, log_level="warning", ws="none",
                                               timeout_graceful_shutdown=2))
        threading.Thread(target=self._when_ready, args=(server, f"http://{host}:{port}/", started), daemon=True).start()
        _end_in_order()
        try:
            server.run()
        finally:
            self.close()

    def _when_ready(self, server: Any, address: str, started: Any) -> None:
        while not server.started:
            if server.should_exit:
                return
            time.sleep(0.05)
        self.workers.start()
        started(address)

    def close(self) -> None:
        """End all work and remove all temporary files."""
        self.workers.close()
        self.store.close()
