"""The entry point `photochrom`. Nothing here, and nothing imported here, imports torch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from photochrom.cli import operate
from photochrom.cli.index import entries
from photochrom.cli.report import guarded, loading

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown",
                  help="Change the colour of pictures: every method from a curve to a network.\n\n"
                       "`photochrom OPERATION INPUT -o OUTPUT` runs one operation, "
                       "`photochrom run RECIPE INPUT... -o OUT` a recipe over files or folders, "
                       "`photochrom OPERATION --help` tells what it does.")


def _version(wanted: bool) -> None:
    if wanted:
        import photochrom

        print(photochrom.__version__)
        raise typer.Exit


@app.callback()
def _options(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                   help="print the version")] = False) -> None:
    pass


@app.command("run", rich_help_panel="Recipes and files")
@guarded
def run(recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="a recipe file (TOML)")],
        inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="picture files, or folders of them; also "
                                                    "addresses such as s3://bucket/folder")],
        output: Annotated[str, typer.Option("-o", "--output", metavar="OUT", help="a file for one picture, else a "
                                            "folder, which may be an address")],
        jobs: Annotated[int | None, typer.Option(help="pictures worked on at once; default: the cores",
                                                    rich_help_panel="Common")] = None,
        include: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="take only files that match, such as "
                                                          "'*.jpg' or '2024/*'", rich_help_panel="Folders")] = None,
        exclude: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="leave out files and folders that "
                                                          "match", rich_help_panel="Folders")] = None,
        name: Annotated[str | None, typer.Option(metavar="TEMPLATE", help="how results are called: {folder}, "
                                                 "{parent}, {stem}, {ext}, {recipe}; default {folder}/{stem}.{ext}",
                                                 rich_help_panel="Folders")] = None,
        ending: Annotated[str | None, typer.Option("--format", metavar="ENDING", help="of all results, such as jpg; "
                                                   "default: each picture's own", rich_help_panel="Folders")] = None,
        picture: Annotated[list[str] | None, typer.Option(metavar="[STEP.]PORT=FILE", help="a mask or reference for "
                                                          "all pictures, or a folder of them, matched by name",
                                                          rich_help_panel="Folders")] = None,
        redo: Annotated[bool, typer.Option("--redo", help="make anew what is finished already",
                                           rich_help_panel="Folders")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be done, and do nothing",
                                              rich_help_panel="Folders")] = False,
        tiff: Annotated[str | None, typer.Option(metavar="LAYOUT", help="of TIFF results: strips, tiles or pyramid; "
                                                 "big before it, as in big-tiles, makes a BigTIFF; default: strips",
                                                 rich_help_panel="Folders")] = None,
        engine: Annotated[str, typer.Option(help="local, or ray for a cluster", rich_help_panel="Cluster")] = "local",
        address: Annotated[str | None, typer.Option(help="of a running Ray cluster, or auto; default: Ray is started "
                                                    "here", rich_help_panel="Cluster")] = None,
        gpus: Annotated[float, typer.Option(help="GPUs for each worker", rich_help_panel="Cluster")] = 0.0,
        device: operate.DeviceOption = "cpu", memory: operate.MemoryOption = None,
        profile: operate.ProfileOption = "keep", depth: operate.DepthOption = "keep",
        quality: operate.QualityOption = None,
        as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
        overwrite: operate.OverwriteOption = False) -> None:
    """Run a recipe over picture files or folders; the tree of a folder is mirrored under OUT.

    What is finished is not made again: a manifest in OUT knows of every picture what it was made of. Stopped at any
    moment, even killed, the same command goes on where it was.
    """
    with loading():
        from photochrom.cli.jobs import Folder, cluster, make_pictures, parse_pictures
        from photochrom.engine.folders import MIRRORED, Selection
        from photochrom.engine.matched import load_matched
        from photochrom.io.stores import locate

    sources, target = [locate(path) for path in inputs], locate(output)
    loaded, matched = load_matched(recipe, parse_pictures(picture or []), tuple(sources))
    selection = Selection(tuple(include or ()), tuple(exclude or ()), name or MIRRORED, ending and ending.lstrip("."),
                          recipe.stem)
    make_pictures(loaded, sources, target, memory=memory, device=device, workers=jobs, profile=profile, depth=depth,
                  quality=quality, overwrite=overwrite, as_json=as_json, quiet=quiet,
                  folder=Folder(selection, matched, redo, dry_run, cluster(engine, address, gpus), tiff))


@app.command("verify", rich_help_panel="Recipes and files")
@guarded
def verify(output: Annotated[str, typer.Argument(metavar="OUT", help="the output folder of a run")],
           as_json: operate.JsonOption = False, quiet: operate.QuietOption = False) -> None:
    """Hold every picture that a run made against the manifest of its folder."""
    from photochrom.cli.verifying import verify_folder

    verify_folder(output, as_json, quiet)


@app.command("bake", rich_help_panel="Recipes and files")
@guarded
def bake(recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="a recipe file (TOML)")],
         output: Annotated[Path, typer.Option("-o", "--output", metavar="LOOK.cube", help="the file to write")],
         size: Annotated[int, typer.Option(help="entries along an edge of the table; editors take 17 to 65")] = 33,
         measure: Annotated[Path | None, typer.Option(metavar="FILE", help="the picture that recipes which measure are "
                                                      "measured on; the table is judged on it too")] = None,
         as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
         overwrite: operate.OverwriteOption = False) -> None:
    """Turn a recipe that looks at pixels alone into a .cube table, and tell how far the table is from it."""
    from photochrom.cli.baking import bake_recipe

    bake_recipe(recipe, output, size, measure, overwrite, as_json, quiet)


@app.command("fit", rich_help_panel="Recipes and files")
@guarded
def fit(recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="the recipe (TOML) to start from")],
        pictures: Annotated[list[Path], typer.Argument(metavar="BEFORE AFTER...",
                                                       help="a picture and its edited copy, or several such pairs, or "
                                                       "two folders with files of the same names")],
        output: Annotated[Path, typer.Option("-o", "--output", metavar="LEARNED.toml", help="the recipe to write")],
        controls: Annotated[str | None, typer.Option(metavar="NAME,...", help="which to train, such as "
                                                     "stops,2.levels,curve.points; default: all that can be")] = None,
        loss: Annotated[str, typer.Option(help="huber, l2 or l1, of display values")] = "huber",
        steps: Annotated[int | None, typer.Option(help="at most so many steps")] = None,
        method: Annotated[str, typer.Option(help="squares, descent or auto")] = "auto",
        samples: Annotated[int, typer.Option(help="about how many pixels are looked at")] = 32768,
        seed: Annotated[int, typer.Option(help="of the choice of pixels")] = 0,
        curve: Annotated[Path | None, typer.Option(metavar="FILE", help="draw the loss, as .png or .svg")] = None,
        as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
        overwrite: operate.OverwriteOption = False) -> None:
    """Find the edit between a picture and its edited copy: train the controls of a recipe."""
    from photochrom.cli.fitting import fit_recipe

    options = {"loss": loss, "steps": steps, "method": method, "samples": samples, "seed": seed}
    fit_recipe(recipe, pictures, output, controls, options, curve, as_json, quiet, overwrite)


@app.command("fit-kernel", rich_help_panel="Recipes and files")
@guarded
def fit_kernel(pictures: Annotated[list[Path], typer.Argument(metavar="BEFORE AFTER...",
                                                              help="a picture and its filtered copy, or pairs")],
               output: Annotated[Path | None, typer.Option("-o", "--output", metavar="KERNEL.txt",
                                                           help="a text file of the kernel; of several kernels, "
                                                           "KERNEL-1.txt and so on")] = None,
               size: Annotated[int, typer.Option(help="rows and columns, odd")] = 3,
               kernels: Annotated[int, typer.Option(help="how many filters are mixed")] = 1,
               point: Annotated[str, typer.Option(help="what is done to each filter's result: none, abs, relu, square "
                                                  "or magnitude")] = "none",
               offset: Annotated[bool, typer.Option("--offset", help="find a constant too")] = False,
               steps: Annotated[int, typer.Option(help="at most so many steps of each start")] = 300,
               seed: Annotated[int, typer.Option(help="of the starts and the choice of windows")] = 0,
               curve: Annotated[Path | None, typer.Option(metavar="FILE", help="draw the loss (.png or .svg)")] = None,
               as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
               overwrite: operate.OverwriteOption = False) -> None:
    """Find the kernel, or the mixture of kernels, with which a picture was filtered."""
    from photochrom.cli.fitting import fit_filter

    options = {"size": size, "kernels": kernels, "point": point, "offset": offset, "steps": steps, "seed": seed}
    fit_filter(pictures, output, options, curve, as_json, quiet, overwrite)


@app.command("export", rich_help_panel="Recipes and files")
@guarded
def export(name: Annotated[str, typer.Argument(metavar="NAME", help="weights of a network: a name, or a file")],
           output: Annotated[Path, typer.Option("-o", "--output", metavar="NET.onnx", help="the file to write")],
           scale: Annotated[int | None, typer.Option(help="which factor, of a network that offers several")] = None,
           as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
           overwrite: operate.OverwriteOption = False) -> None:
    """Write a network as ONNX for other runtimes, and check their numbers against torch's."""
    from photochrom.cli.exporting import export_network

    export_network(name, output, scale, as_json, quiet, overwrite)


@app.command("train", rich_help_panel="Recipes and files")
@guarded
def train(config: Annotated[Path, typer.Argument(metavar="CONFIG", help="a configuration (TOML), as in `training`")],
          data: Annotated[list[Path], typer.Option("--data", metavar="FOLDER", help="training pictures; may be given "
                                                   "several times")],
          validation: Annotated[list[Path] | None, typer.Option("--validation", metavar="FOLDER",
                                                                help="pictures to judge by; default: some of the "
                                                                "training pictures, which are then held out")] = None,
          output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="the folder to write; "
                                                      "default: out/train/NAME")] = None,
          steps: Annotated[int | None, typer.Option(help="instead of the configuration's number")] = None,
          resume: Annotated[Path | None, typer.Option(metavar="CHECKPOINT", help="go on from last.ckpt of a training "
                                                      "that was stopped, or from its folder")] = None,
          start: Annotated[str | None, typer.Option(metavar="WEIGHTS", help="begin with these weights, where they fit; "
                                                    "a name or a file")] = None,
          device: Annotated[str, typer.Option(help="where to compute: cpu, cuda, mps, auto",
                                              rich_help_panel="Common")] = "cpu",
          devices: Annotated[int, typer.Option(help="processes on a machine, such as the number of its GPUs")] = 1,
          nodes: Annotated[int, typer.Option(help="machines")] = 1,
          as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
          overwrite: operate.OverwriteOption = False) -> None:
    """Train a network by a configuration: weights in `best.safetensors`, curves and pictures for TensorBoard."""
    from photochrom.cli.training import train_network

    train_network(config, data, validation or [], output, steps, resume, start, device, devices, nodes, as_json, quiet,
                  overwrite)


@app.command("view", rich_help_panel="Recipes and files",
             context_settings={"ignore_unknown_options": True})
@guarded
def view(kind: Annotated[str, typer.Argument(metavar="KIND",
                                             help="histogram, curves, surface, cloud, sheet, difference")],
         words: Annotated[list[str], typer.Argument(metavar="INPUT... [--option value]",
                                                    help="picture files; for curves an operation and its controls")],
         output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="the .png or .svg to write")],
         quiet: operate.QuietOption = False, overwrite: operate.OverwriteOption = False) -> None:
    """Draw a picture about pictures.

    histogram: bands and luminance, of two pictures before and after (--bins). curves: what a tone operation makes
    of each value, for several values of one control, as in `view curves power --gamma 0.4,1,2.5`; `view curves basic`
    draws the basic transforms. surface: luminance as height (--points). cloud: colours in RGB and CIELAB (--points).
    sheet: many pictures on one (--columns, --title). difference: two pictures and how far they are apart.
    """
    from photochrom.cli.viewing import make_view

    make_view(kind, words, output, overwrite)
    if not quiet:
        print(output)


@app.command("score", rich_help_panel="Recipes and files")
@guarded
def score(metric: Annotated[str, typer.Argument(metavar="METRIC", help="psnr, ssim, ms-ssim, delta-e or lpips")],
          image: Annotated[Path, typer.Argument(metavar="IMAGE", help="the picture that is scored")],
          reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="what it should be")],
          protocol: Annotated[str | None, typer.Option(help="by name, such as sr or skimage")] = None,
          border: Annotated[int | None, typer.Option(help="pixels left out on every side")] = None,
          scale: Annotated[int | None, typer.Option(help="of the protocol sr")] = None,
          backbone: Annotated[str | None, typer.Option(help="of lpips: squeeze, alex or vgg")] = None,
          weights: Annotated[Path | None, typer.Option(metavar="FOLDER", help="of lpips")] = None,
          as_json: operate.JsonOption = False) -> None:
    """Score a picture against a reference, and tell the protocol with the score."""
    from photochrom.cli.scoring import score_pictures

    settings = {"protocol": protocol, "border": border, "scale": scale, "backbone": backbone, "weights": weights}
    score_pictures(metric, image, reference, settings, as_json)


@app.command("evaluate", rich_help_panel="Recipes and files")
@guarded
def evaluate(data: Annotated[Path, typer.Option(metavar="FOLDER", help="originals, or pairs NAME_HR and NAME_LR")],
             models: Annotated[str, typer.Option(metavar="NAME,...", help="weights by name or file; bicubic or none "
                                                 "stands for no network")],
             task: Annotated[str, typer.Option(help="upscale, denoise or deblock")] = "upscale",
             scale: Annotated[int, typer.Option(help="to upscale: how many times")] = 2,
             sigma: Annotated[float, typer.Option(help="to denoise: of the noise, in levels of 255")] = 25.0,
             quality: Annotated[int, typer.Option(help="to deblock: of JPEG")] = 10,
             seed: Annotated[int, typer.Option(help="of the noise; the n-th picture has seed + n")] = 0,
             degradation: Annotated[str | None, typer.Option(help="bicubic, bicubic-y, files, noise or jpeg")] = None,
             metrics: Annotated[str, typer.Option(metavar="NAME,...", help="see `score`")] = "psnr,ssim",
             protocol: Annotated[str | None, typer.Option(help="see `score`; sr to upscale, else denoise")] = None,
             weights: Annotated[Path | None, typer.Option(metavar="FOLDER", help="of lpips")] = None,
             markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="write the tables there too")] = None,
             as_json: operate.JsonOption = False, quiet: operate.QuietOption = False,
             overwrite: operate.OverwriteOption = False) -> None:
    """Score networks on a folder of pictures that are made worse by a named protocol: a table, or JSON."""
    from photochrom.cli.scoring import evaluate_models

    settings = {"scale": scale, "sigma": sigma, "quality": quality, "seed": seed, "degradation": degradation,
                "protocol": protocol, "weights": weights}
    evaluate_models(data, task, models, metrics, settings, as_json, markdown, quiet, overwrite)


@app.command("ops", rich_help_panel="Recipes and files")
@guarded
def ops(name: Annotated[str | None, typer.Argument(help="one operation")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """List the operations, or tell all about one."""
    from photochrom.cli.listing import show_operation, show_operations

    show_operations(as_json) if name is None else show_operation(name, as_json)


@app.command("info", rich_help_panel="Recipes and files")
@guarded
def info(file: Annotated[Path, typer.Argument(metavar="FILE", help="a picture file")],
         as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """Tell what a picture file holds: size, depth, profile, metadata."""
    from photochrom.cli.listing import show_facts
    from photochrom.io import describe

    show_facts(describe(file), as_json)


@app.command("demo", rich_help_panel="Recipes and files")
@guarded
def demo(inputs: Annotated[list[Path] | None, typer.Argument(metavar="[INPUT...]",
                                                                help="pictures; default: scikit-image's own")] = None,
         output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT",
                                              help="the folder to write")] = Path("out/demo"),
         quiet: operate.QuietOption = False) -> None:
    """Run the shipped recipes over real photographs and lay the results side by side."""
    from photochrom.cli.demo import run_demo

    run_demo(inputs or [], output, quiet)


@app.command("studio", rich_help_panel="Recipes and files")
@guarded
def studio(port: Annotated[int, typer.Option(help="the port to listen on; 0 for any that is free")] = 7860,
           host: Annotated[str, typer.Option(help="the address to listen on; the default is this machine alone")
                           ] = "127.0.0.1",
           password: Annotated[bool, typer.Option("--password", help="ask for the password in the environment variable "
                                                  "PHOTOCHROM_PASSWORD")] = False,
           mcp: Annotated[bool, typer.Option("--mcp", help="offer the operations to assistants, by the Model Context "
                                             "Protocol")] = False,
           browser: Annotated[bool, typer.Option("--browser", help="open it in the browser")] = False,
           quiet: operate.QuietOption = False) -> None:
    """Open the studio: every operation in the browser, on this machine."""
    from photochrom.cli.studio import serve

    serve(host, port, password, mcp, browser, quiet)


def _wanted() -> str | None:
    """Return the operation named on the command line or on the line being completed, if any."""
    completing = f"{os.environ.get('COMP_WORDS', '')} {os.environ.get('_TYPER_COMPLETE_ARGS', '')}"
    words = [*sys.argv[1:], *completing.split()]
    return next((word.replace("-", "_") for word in words if word.replace("-", "_") in entries()), None)


def _brief(entry: dict[str, Any]) -> Any:
    """Return a stand-in for an operation that is listed but not called: its options need not be built."""
    def listed() -> None: ...

    listed.__doc__ = entry["summary"]
    return listed


def main() -> None:
    """Run the command line."""
    wanted = _wanted()
    for name, entry in entries().items():
        function = operate.command_for(entry) if name == wanted else _brief(entry)
        app.command(operate.dashed(name), short_help=entry["summary"],
                    rich_help_panel=f"Operations: {entry['chapter']}")(function)
    app()


if __name__ == "__main__":
    main()
