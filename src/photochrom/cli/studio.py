"""The command that serves the studio."""

from __future__ import annotations

import os
import sys

from photochrom.core.errors import ControlError


def serve(host: str, port: int, password: bool, mcp: bool, browser: bool, quiet: bool) -> None:
    """Serve the studio until interrupted."""
    from photochrom.studio.app import LOOPBACK, Studio

    word = os.environ.get("PHOTOCHROM_PASSWORD", "") if password else ""
    if password and not word:
        raise ControlError("--password needs the environment variable PHOTOCHROM_PASSWORD to hold the password")
    if not 0 <= port <= 65535:
        raise ControlError(f"--port must be a number from 0 to 65535, got {port}")
    if host not in LOOPBACK and not word:
        print(f"photochrom: {host} lets others on the network in, and no password is asked for", file=sys.stderr)

    def started(address: str) -> None:
        if not quiet:
            print(f"The studio is at {address} (Ctrl-C ends it)", flush=True)
        if browser:
            import webbrowser

            webbrowser.open(address)

    Studio(password=word or None, mcp=mcp).serve(host, port, started)
