"""Every operation is a command, and the command gives what the library call gives."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom.cli.operate import dashed
from photochrom.core.registry import registry
from photochrom.core.step import Step
from photochrom.engine.recipes import read_picture
from photochrom.io import Lut, write_lut
from tests.cli.conftest import pixels

STEPS = [name for name in registry.names() if registry.get(name).chains]


def needed(operation):
    """The ports beyond the first that must be given."""
    one_of_several = {"colorize_scribbles": ["scribbles"]}.get(operation.name, [])
    return [name for name in operation.others if not operation.ports[name].optional or name in one_of_several]


def other(operation, port, array, folder):
    """A file for a port: a picture of another size, or a colour table."""
    if operation.ports[port].kind == "table":
        write_lut(Lut(torch.rand(3, 4, 4, 4, generator=torch.Generator().manual_seed(1))), folder / "other.cube")
        return folder / "other.cube"
    if port == "mask":
        mask = np.zeros(array.shape[:2], np.uint8)
        mask[20:40, 45:60] = 255
        Image.fromarray(mask).save(folder / "region.png")
        return folder / "region.png"
    # what lies pixel by pixel over the image has its size
    columns = 1 if operation.ports[port].aligned else 2
    Image.fromarray(array[::-1, ::columns] // 2).save(folder / "other.png")
    return folder / "other.png"


def typed(control):
    """A control's default as it is typed."""
    if control.kind == "curve":
        return ",".join(f"{x}:{y}" for x, y in control.default)
    if control.kind == "points":
        return " ".join(f"{x},{y}" for x, y in control.default)
    if control.kind in ("point", "color"):
        return ",".join(map(str, control.default))
    if control.kind == "size":
        return "{1}x{0}".format(*control.default)
    return str(control.default).lower()


@pytest.mark.parametrize("name", STEPS)
def test_the_command_the_recipe_and_the_call_agree(cli, photo, tmp_path, name):
    operation = registry.get(name)
    ports = needed(operation)
    array = np.asarray(Image.open(photo))
    others = {port: other(operation, port, array, tmp_path) for port in ports}

    given = {port: read_picture(path) for port, path in others.items()}
    expected = getattr(photochrom, name)(array, **given).astype(int)
    result = cli(dashed(name), photo, "-o", tmp_path / "command.png",
                 *[part for port in ports for part in (f"--{dashed(port)}", others[port])])
    assert result.code == 0, result.err
    assert np.abs(pixels(tmp_path / "command.png") - expected.squeeze()).max() <= 1   # a grey file has no third axis
    assert result.out.strip() == str(tmp_path / "command.png")

    recipe = tmp_path / "recipe.toml"
    named = "".join(f'{port} = "{others[port].name}"\n' for port in ports)
    recipe.write_text(f'version = 1\n[[step]]\nop = "{name}"\n{named}')
    assert cli("run", recipe, photo, "-o", tmp_path / "recipe.png").code == 0
    assert np.array_equal(pixels(tmp_path / "recipe.png"), pixels(tmp_path / "command.png"))


@pytest.mark.parametrize("name", [name for name in STEPS if not registry.get(name).resizes])
def test_controls_strength_and_mask_come_through(cli, photo, tmp_path, name):
    operation = registry.get(name)
    ports = needed(operation)
    array = np.asarray(Image.open(photo))
    others = {port: other(operation, port, array, tmp_path) for port in ports}
    own = operation.ports.get("mask")
    over = own is None or own.aligned
    mask = np.zeros((60, 80) if over else (60, 40), np.uint8)
    mask[20:40, 45 if over else 10:60] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    ports = [port for port in ports if port != "mask"]
    others.pop("mask", None)
    files = [part for port in ports for part in (f"--{dashed(port)}", others[port])]
    controls = [part for control in operation.controls.values()
                for part in (f"--{dashed(control.name)}", typed(control))]
    result = cli(dashed(name), photo, "-o", tmp_path / "out.png", "--strength", "0.5", "--mask", tmp_path / "mask.png",
                 *files, *controls)
    assert result.code == 0, result.err
    step = Step(operation, strength=0.5, mask=mask, **{port: read_picture(path) for port, path in others.items()})
    assert np.abs(pixels(tmp_path / "out.png") - step(array).astype(int)).max() <= 1
    untouched = np.s_[:, :45] if over else np.s_[:, 40:]
    if "surroundings" not in operation.controls:
        assert np.array_equal(pixels(tmp_path / "out.png")[untouched], array[untouched])


def test_strength_0_copies_the_pixels(cli, photo, tmp_path):
    assert cli("gaussian", photo, "-o", tmp_path / "o.png", "--sigma", "9", "--strength", "0").code == 0
    assert np.array_equal(pixels(tmp_path / "o.png"), pixels(photo))


@pytest.mark.parametrize(("arguments", "words"), [
    (("--sigma", "1000"), "gaussian: sigma must lie between 0.1 and 100 px, got 1000"),
    (("--sigma", "wide"), "gaussian: sigma must be a finite number, got 'wide'"),
    (("--border", "mirror"), "gaussian: border must be reflect or replicate or circular or constant or normalize"),
    (("--strength", "2"), "gaussian: strength must lie between 0 and 1, got 2"),
    (("--memory", "much"), "memory must be a size such as 512M or 1G, got 'much'"),
    (("--memory", "1K"), "the program itself takes 448.0 MiB before any picture; raise --memory"),
    (("--device", "abacus"), "--device 'abacus' is not available here"),
    (("--profile", "mine"), "--profile must be keep or srgb"),
])
def test_wrong_controls_are_one_sentence_and_2(cli, photo, tmp_path, arguments, words):
    result = cli("gaussian", photo, "-o", tmp_path / "o.png", *arguments)
    assert result.code == 2
    assert words in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [photo.name]


def test_help_tells_controls_ranges_and_source(cli):
    text = " ".join(cli("unsharp-mask", "--help").out.replace("│", " ").split())
    for words in ("--sigma", "--amount", "--strength", "--mask", "Sharpen by adding back", "default 2",
                  "0.1 to 100 px"):
        assert words in text


def test_ops_lists_every_operation(cli):
    listed = cli("ops").out
    entries = json.loads(cli("ops", "--json").out)
    assert [entry["name"] for entry in entries] == registry.names()
    for name in registry.names():
        assert dashed(name) in listed
    one = json.loads(cli("ops", "unsharp-mask", "--json").out)
    assert one == next(entry for entry in entries if entry["name"] == "unsharp_mask")
    assert "sigma" in cli("ops", "unsharp_mask").out
    missing = cli("ops", "unsharp")
    assert missing.code == 2
    assert "did you mean 'unsharp_mask'?" in missing.err


def test_an_unknown_operation_is_named_with_the_nearest(process):
    result = process("gausian", "x.png", "-o", "y.png")
    assert result.returncode == 2
    assert "gaussian" in result.stderr
