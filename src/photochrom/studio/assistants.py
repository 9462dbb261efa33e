"""What programs that call the studio may hand it: pictures that they send, and none that would have to be fetched."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

_HANDED_OUT = "/gradio_api/file="


def fetch_nothing() -> None:
    """Let Gradio refuse an address where a file is expected; it would ask that server for the caller."""
    from gradio import processing_utils

    processing_utils.async_ssrf_protected_download = _refused   # type: ignore[assignment]


async def _refused(url: str, *given: Any, **named: Any) -> str:
    import gradio as gr

    raise gr.Error("files of other servers are not fetched; send the picture itself", print_exception=False)


def admit_uploads(page: Any) -> None:
    """Let the tools of the Model Context Protocol take pictures that were uploaded, by the path or address told then.

    Gradio takes an address and fetches it, which it refuses to do from this machine; and a picture in the request.

    Args:
        page: the page, mounted with its MCP server.
    """
    server = page.mcp_server_obj
    if server is None:   # Gradio tells why in `mcp_error` and goes on without
        from photochrom.core.errors import PhotochromError

        raise PhotochromError(f"--mcp: the server of the Model Context Protocol cannot be set up: {page.mcp_error}; "
                              "`pip install 'photochrom[mcp]'` installs what it needs")
    usual = server.convert_strings_to_filedata

    def converted(value: Any, positions: list[list[str | int]]) -> Any:
        taken = dict(value)
        sent = {}
        for position in positions:
            name = position[0]
            given = taken.get(name)
            if isinstance(given, str) and not given.startswith("data:"):
                sent[name] = _uploaded(taken.pop(name))
        return usual(taken, positions) | sent

    server.convert_strings_to_filedata = converted


def _uploaded(given: str) -> Any:
    from gradio_client import handle_file

    from photochrom.studio.endpoints import uploaded_path

    path = unquote(urlsplit(given).path).partition(_HANDED_OUT)[2] if given.startswith(("http:", "https:")) else given
    return handle_file(str(uploaded_path(path, "the picture")))
