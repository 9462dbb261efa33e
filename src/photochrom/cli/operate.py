"""A command for every operation, made from the index."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from photochrom.cli.report import guarded, loading

DeviceOption = Annotated[str, typer.Option(help="where to compute: cpu, cuda, mps", rich_help_panel="Common")]
MemoryOption = Annotated[str | None, typer.Option(help="what the command may take, such as 1G; 448M are the program",
                                                     rich_help_panel="Common")]
ProfileOption = Annotated[str, typer.Option(help="colour profile of the result: keep, or srgb",
                                            rich_help_panel="Common")]
DepthOption = Annotated[str, typer.Option(help="samples of the result: keep, 8, 16, half or float, where the format "
                                          "holds them", rich_help_panel="Common")]
QualityOption = Annotated[int | None, typer.Option(help="quality 1..100 of lossy formats",
                                                      rich_help_panel="Common")]
JsonOption = Annotated[bool, typer.Option("--json", help="results as JSON lines", rich_help_panel="Common")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="print errors only", rich_help_panel="Common")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="replace results that are already there",
                                               rich_help_panel="Common")]
COMMON: dict[str, tuple[Any, Any]] = {
    "device": (DeviceOption, "cpu"), "memory": (MemoryOption, None), "profile": (ProfileOption, "keep"),
    "depth": (DepthOption, "keep"), "quality": (QualityOption, None), "json": (JsonOption, False),
    "quiet": (QuietOption, False), "overwrite": (OverwriteOption, False),
}


def command_for(entry: dict[str, Any]) -> Callable[..., None]:
    """Return the function behind an operation's command, with a signature made of its ports and controls."""
    ports = entry["ports"][1:]
    common_options = _common(entry)

    @guarded
    def run(**given: Any) -> None:
        with loading():
            from photochrom.cli.direct import call_directly
            from photochrom.cli.jobs import make_pictures
            from photochrom.cli.series import read_numbers
            from photochrom.core.controls import parse
            from photochrom.core.errors import FileError
            from photochrom.core.registry import registry
            from photochrom.core.step import STRENGTH, Step
            from photochrom.engine.recipes import read_picture, read_rows

        source, output = given.pop("input"), given.pop("output", None)
        common = {name: default for name, (_, default) in COMMON.items()}
        common |= {name: given.pop(name) for name in common_options if name in given}
        pictures = {name: given.pop(name, None) for name in {*(port["name"] for port in ports), "mask"}}
        operation = registry.get(entry["name"])
        kinds = {name: control.kind for name, control in operation.controls.items()} | {"strength": STRENGTH.kind}
        values = {name: parse(kinds[name], read_rows(text) if kinds[name] in ("kernel", "matrix") else text)
                  for name, text in given.items() if text is not None}
        if not operation.chains:
            call_directly(operation, source, output, pictures, values, common)
            return
        if source.is_dir():
            raise FileError(f"{source} is a folder; write a recipe and use `photochrom run RECIPE {source} -o OUT`")
        step = Step(operation, **values)
        for name, file in pictures.items():
            if file is not None:
                numbers = name in operation.ports and operation.ports[name].kind == "numbers"
                step.bind(name, read_numbers(str(file)) if numbers else read_picture(file))
        make_pictures(step, [source], output, workers=1, as_json=common.pop("json"), **common)

    signature = _signature(entry, ports)
    run.__signature__ = signature   # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    run.__doc__ = f"{entry['summary']}\n\n{entry['about']}\n\n{entry['reference']}"
    run.__name__ = entry["name"]
    return run


def _signature(entry: dict[str, Any], ports: list[dict[str, Any]]) -> inspect.Signature:
    def parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    parameters = [
        parameter("input", Annotated[list[Path], typer.Argument(metavar="INPUT...", help="the pictures to merge")])
        if entry["ports"][0]["kind"] == "pictures" else
        parameter("input", Annotated[Path, typer.Argument(metavar="INPUT", help="the picture to work on")]),
    ]
    if entry["result"] == "picture":
        option = typer.Option("-o", "--output", metavar="OUTPUT", help="the file to write")
        parameters.append(parameter("output", Annotated[Path, option]))
    for port in ports:
        metavar = "NUMBERS|FILE" if port["kind"] == "numbers" else "FILE"
        option = typer.Option(f"--{dashed(port['name'])}", metavar=metavar, help=port["help"])
        parameters.append(parameter(port["name"], Annotated[Path | None, option], None) if port["optional"] else
                          parameter(port["name"], Annotated[Path, option]))
    for control in entry["controls"]:
        option = typer.Option(f"--{dashed(control['name'])}", metavar=_metavar(control), help=_help(control))
        parameters.append(parameter(control["name"], Annotated[str | None, option], None))
    if entry["result"] == "data" or entry["ports"][0]["kind"] == "pictures":
        kept = [name for name in _common(entry) if name != "depth" and (
            entry["result"] == "picture" or name in ("device", "json"))]
        return inspect.Signature([*parameters, *(parameter(name, *COMMON[name]) for name in kept)])
    strength = typer.Option("--strength", metavar="0..1", help="0 keeps the input, 1 (default) is the whole operation")
    mask = typer.Option("--mask", metavar="FILE", help="where to act: white fully, black not at all")
    parameters.append(parameter("strength", Annotated[str | None, strength], None))
    if all(port["name"] != "mask" for port in ports):
        parameters.append(parameter("mask", Annotated[Path | None, mask], None))
    parameters += [parameter(name, *COMMON[name]) for name in _common(entry)]
    return inspect.Signature(parameters)


def _common(entry: dict[str, Any]) -> list[str]:
    """Return the common options of an operation's command: `--quality` may be a control of its own."""
    own = {control["name"] for control in entry["controls"]}
    return [name for name in COMMON if name not in own]


def dashed(name: str) -> str:
    """Return a name as it is typed on the command line."""
    return name.replace("_", "-")


def _metavar(control: dict[str, Any]) -> str:
    if control.get("choices"):
        return "|".join(control["choices"])
    shapes = {"point": "X,Y", "points": "X,Y ...", "curve": "IN:OUT,...", "size": "WxH", "color": "#RRGGBB",
              "box": "X0,Y0,X1,Y1", "kernel": "NAME|1,2,1;2,4,2;...|FILE", "matrix": "A,B,C;D,E,F;...",
              "model": "NAME|FILE"}
    return shapes.get(control["kind"], str(control["kind"]).upper())


def _help(control: dict[str, Any]) -> str:
    facts = [f"default {_plain(control['default'])}"]
    if "low" in control:
        facts.append(f"{control['low']:g} to {control['high']:g} {control['unit']}".rstrip())
    return f"{control['help']} ({', '.join(facts)})"


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
