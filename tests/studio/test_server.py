"""What the server hands out, and what it does not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gradio.state_holder import SessionState
from PIL import Image

from photochrom.core.errors import ControlError, PhotochromError
from photochrom.core.registry import registry
from photochrom.studio import desk, endpoints, guide
from photochrom.studio.app import QUIET, Studio
from photochrom.studio.look import look
from photochrom.studio.page import build
from photochrom.studio.sample import landscape, sample_picture
from photochrom.studio.sessions import Limits
from photochrom.studio.wires import sentence


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    kept = dict(os.environ)
    begun = Studio(Limits(pixels=2_000_000))
    yield begun
    begun.close()
    assert not begun.store.folder.exists()
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[TestClient]:
    with TestClient(studio.app) as begun:
        yield begun


def config(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/config").json())


def test_every_operation_has_an_endpoint(client: TestClient) -> None:
    known = client.get("/gradio_api/info").json()["named_endpoints"]
    assert {f"/{name}" for name in registry.names() if registry.get(name).chains} == set(known)
    sharpen = {part["parameter_name"]: part for part in known["/unsharp_mask"]["parameters"]}
    assert list(sharpen) == ["image", "mask", "sigma", "amount", "border", "space", "strength"]
    assert sharpen["sigma"]["parameter_default"] == 2.0


def test_nothing_is_counted_or_sent(client: TestClient) -> None:
    told = config(client)
    assert told["analytics_enabled"] is False
    assert told.get("is_colab") in (False, None)
    assert {name: os.environ[name] for name in QUIET} == QUIET
    page = client.get("/")
    assert "fonts.googleapis" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_a_form_may_be_made_while_gradio_looks_through_the_events(studio: Studio) -> None:
    page = build(studio.store, studio.workers)
    events, count = SessionState(page).blocks_config.fns, len(page.default_config.fns)
    assert events == page.default_config.fns
    for seen in (events.values(), events.items()):
        going = iter(seen)
        next(going)
        events[max(events) + 1] = events[min(events)]   # another thread's form; a plain dict then ends the loop
        assert len(list(going)) == count - 1
    assert len(events) == count + 2
    assert len(page.default_config.fns) == count   # a session's events are its own


@pytest.mark.parametrize("path", [
    "/etc/passwd", "/proc/self/environ", str(Path(__file__)), str(Path.home() / ".bashrc"),
    "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd",
])
def test_no_file_of_the_machine_is_handed_out(client: TestClient, path: str) -> None:
    for route in ("/gradio_api/file=", "/file=", "/web/", "/made/x/", "/shown/x/", "/effect/"):
        assert client.get(route + path).status_code in (403, 404, 405, 422), route


@pytest.mark.parametrize("path", ["/gradio_api/file=http://127.0.0.1:1/x", "/file=https://example.org/a.png",
                                  "/gradio_api/proxy=http://127.0.0.1:1/"])
def test_no_other_server_is_asked(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 403


def test_files_of_a_session_need_its_token(client: TestClient, studio: Studio, tmp_path: Path) -> None:
    session = studio.store.get(secrets.token_hex(16))
    path = tmp_path / "lake.png"
    Image.fromarray(landscape()).save(path)
    session.open(session.adopt(path, "lake.png"), "lake.png")
    address = look(session).easel["after"]
    assert client.get(f"/{address}").headers["content-type"] == "image/png"
    name = address.rpartition("/")[2]
    assert client.get(f"/shown/{secrets.token_hex(16)}/{name}").status_code == 404
    assert session.original is not None
    for place in (session.original.path, session.folder / "recipe.toml"):
        assert client.get(f"/gradio_api/file={place}").status_code == 403
        assert client.get(f"/shown/{session.token}/{place.name}").status_code == 404
        assert client.get(f"/made/{session.token}/{place.name}").status_code == 404


def test_a_file_that_is_not_a_picture_is_not_opened(studio: Studio, tmp_path: Path) -> None:
    session = studio.store.get(secrets.token_hex(16))
    with pytest.raises(ControlError, match="no picture is open"):
        session.need()


def endpoint(name: str, studio: Studio) -> Any:
    return endpoints._endpoint(registry.get(name), studio.store)


def uploaded(name: str, samples: np.ndarray) -> dict[str, str]:
    folder = Path(os.environ["GRADIO_TEMP_DIR"]) / secrets.token_hex(4)
    folder.mkdir(parents=True)
    Image.fromarray(samples).save(folder / name)
    return {"path": str(folder / name)}


def test_an_endpoint_runs_its_operation(studio: Studio) -> None:
    result = endpoint("negative", studio)(uploaded("lake.png", landscape()))
    assert np.array_equal(np.asarray(Image.open(result["path"])), 255 - landscape())
    assert Path(result["path"]).is_relative_to(os.environ["GRADIO_TEMP_DIR"])
    half = np.zeros((400, 600), np.uint8)
    half[:200] = 255
    masked = endpoint("negative", studio)(uploaded("lake.png", landscape()), mask=uploaded("half.png", half))
    assert np.array_equal(np.asarray(Image.open(masked["path"]))[200:], landscape()[200:])


@pytest.mark.parametrize("given", [{"path": "/etc/passwd"}, {"path": str(Path(__file__))}, "/etc/passwd", {}, 3,
                                   {"path": "../../x"}])
def test_an_endpoint_takes_uploaded_files_alone(studio: Studio, given: Any) -> None:
    import gradio as gr

    with pytest.raises(gr.Error, match="uploaded"):
        endpoint("negative", studio)(given)


def test_an_endpoint_says_what_is_wrong(studio: Studio) -> None:
    import gradio as gr

    with pytest.raises(gr.Error, match="sigma must lie between"):
        endpoint("gaussian", studio)(uploaded("lake.png", landscape()), sigma=-1.0)
    large = np.zeros((1500, 1500, 3), np.uint8)
    with pytest.raises(gr.Error, match="more than the limit"):
        endpoint("negative", studio)(uploaded("large.png", large))


def test_a_password_is_asked_for() -> None:
    kept = dict(os.environ)
    guarded = Studio(password="open sesame")
    try:
        with TestClient(guarded.app) as client:
            assert client.get("/config").status_code == 401
            assert client.get("/gradio_api/info").status_code == 401
            assert client.post("/login", data={"username": "me", "password": "guess"}).status_code == 400
            assert client.post("/login", data={"username": "me", "password": "open sesame"}).status_code == 200
            assert client.get("/config").status_code == 200
    finally:
        guarded.close()
        os.environ.clear()
        os.environ.update(kept)


def test_assistants_are_served_where_their_package_is() -> None:
    import importlib.util

    if importlib.util.find_spec("mcp") is not None:
        pytest.skip("the package mcp is installed")
    with pytest.raises(PhotochromError, match="--mcp needs the package mcp"):
        Studio(mcp=True)


def test_assistants_and_a_password_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())   # as if mcp were installed
    with pytest.raises(ControlError, match="--mcp and --password cannot be used together"):
        Studio(password="open sesame", mcp=True)


def test_an_assistant_calls_an_operation(tmp_path: Path) -> None:
    """By the protocol's own client: the tools, a picture sent or uploaded, refusals, and the command line's bytes."""
    pytest.importorskip("mcp", reason="the package mcp is not installed: pip install 'photochrom[mcp]'")
    import asyncio
    import base64
    import re
    import subprocess
    import sys

    import httpx
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    source = sample_picture(tmp_path)
    command = [sys.executable, "-m", "photochrom.cli.main", "studio", "--port", "0", "--mcp"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=(tmp_path / "log").open("w"), text=True)
    assert process.stdout is not None

    async def call(address: str) -> None:
        async with streamablehttp_client(f"{address}gradio_api/mcp/") as (reading, writing, _), \
                ClientSession(reading, writing) as session:
            await session.initialize()
            tools = {tool.name for tool in (await session.list_tools()).tools}
            assert tools == {name for name in registry.names() if registry.get(name).chains}
            uploaded = httpx.post(f"{address}gradio_api/upload", files={"files": source.open("rb")}).json()[0]
            sent = f"data:image/png;base64,{base64.b64encode(source.read_bytes()).decode()}"
            for given in (sent, uploaded, f"{address}gradio_api/file={uploaded}"):
                answer = await session.call_tool("unsharp_mask", {"image": given, "sigma": 3})
                assert not answer.isError, answer.content
                made = next(part.text for part in answer.content if part.type == "text").partition(": ")[2]
                assert httpx.get(made).content == (tmp_path / "cli.png").read_bytes()
            for refused in ("/etc/passwd", str(source), "http://192.0.2.1/x.png"):
                answer = await session.call_tool("unsharp_mask", {"image": refused})
                assert answer.isError
                assert "only files that were uploaded" in answer.content[0].text
            answer = await session.call_tool("unsharp_mask", {"image": uploaded, "sigma": -3})
            assert answer.content[0].text == "unsharp_mask: sigma must lie between 0.1 and 100 px, got -3."

    try:
        found = re.search(r"http://\S+?/", process.stdout.readline())
        assert found, (tmp_path / "log").read_text()
        subprocess.run([*command[:3], "unsharp-mask", source, "-o", tmp_path / "cli.png", "--sigma", "3"], check=True,
                       capture_output=True)
        asyncio.run(call(found.group()))
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_no_other_server_is_asked_for_a_file(client: TestClient) -> None:
    """Gradio would fetch an address given in place of an upload."""
    given = {"path": "http://192.0.2.1/x.png", "meta": {"_type": "gradio.FileData"}}
    begun = client.post("/gradio_api/call/negative", json={"data": [given, None, 1.0]})
    assert begun.status_code == 200
    told = client.get(f"/gradio_api/call/negative/{begun.json()['event_id']}").text
    assert "files of other servers are not fetched" in told


def test_every_error_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert sentence(PhotochromError("the recipe is too large")) == "The recipe is too large."
    assert sentence(PhotochromError("unsharp_mask: sigma is wrong")) == "unsharp_mask: sigma is wrong."
    try:
        raise KeyError("secret")
    except KeyError as error:
        told = sentence(error)
    assert told == "This did not work (KeyError); the picture and its steps are as they were."
    assert "KeyError" in capsys.readouterr().err   # the whole of it is in the server's log


@pytest.mark.parametrize("name", ["negative", "match_histogram", "fill", "colorize_scribbles", "warp", "apply_lut",
                                  "seamless_clone", "remove_wrinkles", "merge_hdr", "crop"])
def test_a_picture_of_each_effect(client: TestClient, name: str) -> None:
    answer = client.get(f"/effect/{name}.png")
    assert answer.status_code == 200
    assert answer.content == guide.effect(name)
    import io

    width, _ = Image.open(io.BytesIO(answer.content)).size
    assert width == guide.WIDE if name == "merge_hdr" else width > guide.WIDE   # before, and after beside it


@pytest.mark.parametrize("name", [name for name in registry.names()
                                  if registry.get(name).chains and name != "identity"])
def test_the_picture_of_an_effect_shows_one(name: str) -> None:
    import io

    sheet = np.asarray(Image.open(io.BytesIO(guide.effect(name))), np.float32)
    before, after = sheet[:, :guide.WIDE], sheet[:, guide.WIDE + 4:]
    assert before.shape != after.shape or np.abs(before - after).mean() > 0.5


def test_what_is_not_a_step_has_a_bench(studio: Studio) -> None:
    from photochrom.studio.benches import measuring, several

    steps = {name for name in registry.names() if registry.get(name).chains}
    assert steps | set(several.operations()) | set(measuring.operations()) == set(registry.names())
    session = studio.store.get(secrets.token_hex(16))
    with pytest.raises(ControlError, match="bench of its own"):
        desk.choose(session, "merge_hdr")
