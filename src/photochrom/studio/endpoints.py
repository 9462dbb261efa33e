"""The programming interface of the page: every operation under its own name, for `gradio_client` and for MCP."""

from __future__ import annotations

import inspect
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal, TypedDict

import gradio as gr
from gradio import utils

from photochrom.core.controls import parse
from photochrom.core.errors import FileError, PhotochromError
from photochrom.core.op import Operation
from photochrom.core.registry import registry
from photochrom.core.step import Step
from photochrom.engine.files import run_file
from photochrom.engine.recipes import read_picture
from photochrom.io.source import open_source
from photochrom.studio.history import only_shipped, show
from photochrom.studio.jobs import Workers
from photochrom.studio.sessions import Store, safe_name
from photochrom.studio.wires import sentence


class Mark(TypedDict):
    """By this, clients know that a value is a file to be sent or fetched."""

    _type: Literal["gradio.FileData"]


class Uploaded(TypedDict):
    """A file that came with a request, or the one that is given back."""

    path: str
    meta: Mark


_TYPES: dict[str, Any] = {"float": float, "int": int, "bool": bool}


def build(store: Store, workers: Workers) -> None:
    """Register an endpoint for each operation that turns one picture into one."""
    for name in registry.names():
        operation = registry.get(name)
        if operation.chains:
            gr.api(_endpoint(operation, store), api_name=name, concurrency_limit=2, concurrency_id="operations")


def _endpoint(operation: Operation, store: Store) -> Any:
    """Return the function behind an endpoint, with a signature made of the operation's ports and controls."""
    pictures = [name for name, port in operation.ports.items() if port.kind in ("picture", "table")]
    pictures += ["mask"] if "mask" not in operation.ports and not operation.resizes else []
    needed = {name for name, port in operation.ports.items() if not port.optional}

    def call(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        folder = Path(tempfile.mkdtemp(dir=store.folder))
        try:
            return _run(operation, dict(bound.arguments), pictures, folder, store)
        except (PhotochromError, MemoryError) as error:
            raise gr.Error(sentence(error), print_exception=False) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Uploaded if name in needed
                                    else Uploaded | None, default=inspect.Parameter.empty if name in needed else None)
                  for name in pictures]
    for name, control in operation.controls.items():
        known = Literal[control.choices] if control.choices else _TYPES.get(control.kind, str)
        default = control.default if control.kind in (*_TYPES, "choice") else show(control.kind, control.default)
        parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=known,
                                            default=default))
    if not operation.resizes:
        parameters.append(inspect.Parameter("strength", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=float,
                                            default=1.0))
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    signature = inspect.Signature(parameters, return_annotation=Uploaded)
    call.__signature__ = signature   # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": Uploaded}
    call.__name__ = operation.name
    helps = "\n".join(f"    {name}: {operation.doc.args.get(name, 'see the conventions')}"
                      for name in signature.parameters)
    call.__doc__ = f"{operation.doc.summary}\n\n{operation.doc.body}\n\nArgs:\n{helps}\n"
    return call


def _run(operation: Operation, given: dict[str, Any], pictures: list[str], folder: Path, store: Store) -> Any:
    files = {name: _uploaded(given.pop(name), name) for name in pictures if name in given and given[name] is not None}
    for name in pictures:
        given.pop(name, None)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == "strength":
            values[name] = float(value)
        elif isinstance(value, str) and operation.controls[name].kind != "choice":
            values[name] = parse(operation.controls[name].kind, value) if value else None
        else:
            values[name] = value
    source = files.pop(operation.main)
    with open_source(source, limit=store.limits.pixels):
        pass
    only_shipped(operation, values)
    step = Step(operation, **values)
    for name, path in files.items():
        step.bind(name, read_picture(path))
    ending = source.suffix.lower() if source.suffix.lower() in (".jpg", ".png", ".tif", ".tiff", ".exr") else ".png"
    target = folder / f"{safe_name(source.name).rpartition('.')[0]}-{operation.name}{ending}"
    run_file(step, source, target)
    cached = gr.FileData(path=_for_clients(target))
    return cached.model_dump()


def _for_clients(path: Path) -> str:
    """Move a result to where the server may hand it out from."""
    from gradio.processing_utils import save_file_to_cache

    return save_file_to_cache(path, utils.get_upload_folder())


def _uploaded(given: Any, name: str) -> Path:
    path = given.get("path") if isinstance(given, dict) else given
    if not isinstance(path, str):
        raise FileError(f"{name}: expected an uploaded file")
    return uploaded_path(path, name)


def uploaded_path(path: str, name: str) -> Path:
    """Return the path of a file that was uploaded; no other file of this machine can be named."""
    home, found = Path(utils.get_upload_folder()).resolve(), Path(path).resolve()
    if not found.is_relative_to(home) or not found.is_file():
        raise FileError(f"{name}: only files that were uploaded with this request can be used")
    return found
