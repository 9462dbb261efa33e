"""The guides are executed, so that they cannot rot: their examples run, their commands and links exist."""

from __future__ import annotations

import doctest
import importlib
import os
import pickle
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom
from photochrom import ops
from photochrom.core import recipe as recipes
from photochrom.core.errors import ControlError
from photochrom.core.op import Operation, operation_of
from photochrom.core.registry import Registry, registry

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
         *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = r"```{}\n(.*?)```"
MARK = r"<!-- example: src/photochrom/ops/(\w+)/(\w+)\.py -->\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> types.ModuleType:
    """Return the module made of the guide's example, in a package of its own that is laid out like `photochrom.ops`."""
    found = re.search(MARK + FENCE.format("python"), GUIDE, re.DOTALL)
    assert found, "CONTRIBUTING.md has no marked example"
    chapter, name, code = found.groups()
    root = tmp_path_factory.mktemp("guide")
    folder = root / "guide_example" / chapter
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").write_text('"""From the guide."""\n')
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(f"guide_example.{chapter}.{name}")
        yield module
    finally:
        sys.path.remove(str(root))
        for loaded in [key for key in sys.modules if key.split(".")[0] == "guide_example"]:
            del sys.modules[loaded]


@pytest.fixture
def operation(place: types.ModuleType) -> Operation:
    return operation_of(getattr(place, place.__name__.split(".")[-1]))


def _call(place: types.ModuleType, *pictures: object, **controls: object) -> object:
    return getattr(place, place.__name__.split(".")[-1])(*pictures, **controls)


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(2, 3, 7, 5, generator=torch.Generator().manual_seed(0))


def test_the_example_is_not_an_operation_that_exists(operation: Operation) -> None:
    assert operation.name not in registry.names()


def test_the_number_in_its_docstring_is_right(place: types.ModuleType) -> None:
    result = doctest.testmod(place)
    assert result.attempted >= 2
    assert result.failed == 0


def test_the_list_in_the_guide_is_the_real_one_and_the_new_name(operation: Operation) -> None:
    line = re.search(r'```text\n"(\w+)": \((.*?)\),\n```', GUIDE, re.DOTALL)
    assert line
    names = tuple(re.findall(r'"(\w+)"', line[2]))
    assert names == (*ops.CHAPTERS[line[1]], operation.name)


def test_the_registry_finds_it(place: types.ModuleType, operation: Operation) -> None:
    _, chapter, name = place.__name__.split(".")
    own = Registry()
    own.declare("guide_example", {chapter: (name,)})
    assert own.get(name) is operation
    assert operation.describe()["chapter"] == chapter


def test_its_result(place: types.ModuleType) -> None:
    dot = torch.tensor([0.2, 0.5, 0.9]).reshape(1, 1, 1, 3)
    expected = torch.tensor([0.2, 0.5, 0.1]).reshape(1, 1, 1, 3)
    torch.testing.assert_close(_call(place, dot, threshold=0.5), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shape_and_dtype_are_kept_and_the_input_untouched(place: types.ModuleType, image: torch.Tensor,
                                                          dtype: torch.dtype) -> None:
    given = image.to(dtype)
    before = given.clone()
    result = _call(place, given)
    assert isinstance(result, torch.Tensor)
    assert (result.shape, result.dtype) == (given.shape, dtype)
    assert torch.equal(given, before)


def test_a_batch_of_two_is_two_of_one(place: types.ModuleType, image: torch.Tensor) -> None:
    assert torch.equal(_call(place, image), torch.cat([_call(place, one) for one in image.split(1)]))


def test_a_tensor_control_differs_from_picture_to_picture(place: types.ModuleType, image: torch.Tensor) -> None:
    both = _call(place, image, threshold=torch.tensor([0.3, 0.7]))
    apart = [_call(place, image[:1], threshold=0.3), _call(place, image[1:], threshold=0.7)]
    assert torch.equal(both, torch.cat(apart))


def test_it_commutes_with_a_permutation_of_pixels(place: types.ModuleType, image: torch.Tensor) -> None:
    assert torch.equal(_call(place, image.flip(-1, -2)), _call(place, image).flip(-1, -2))


def test_arrays_and_pil_pictures_come_back_as_they_came(place: types.ModuleType) -> None:
    for dtype in (np.uint8, np.uint16):
        ramp = np.linspace(0, np.iinfo(dtype).max, 256).astype(dtype).reshape(16, 16)
        result = _call(place, ramp)
        assert isinstance(result, np.ndarray)
        assert (result.dtype, result.shape) == (ramp.dtype, ramp.shape)
    assert isinstance(_call(place, Image.new("RGB", (4, 4), "white")), Image.Image)


def test_outside_its_range_is_an_error_that_names_the_control(place: types.ModuleType, operation: Operation,
                                                              image: torch.Tensor) -> None:
    for name, control in operation.controls.items():
        assert control.range
        for end in (control.range.low, control.range.high):
            _call(place, image, **{name: end})
        for beyond in (np.nextafter(control.range.low, -np.inf), np.nextafter(control.range.high, np.inf)):
            with pytest.raises(ControlError, match=name):
                _call(place, image, **{name: float(beyond)})


def test_it_works_as_a_step(place: types.ModuleType, operation: Operation, image: torch.Tensor) -> None:
    step = photochrom.Step(operation, threshold=0.4)
    whole = _call(place, image, threshold=0.4)
    assert torch.equal(step(image), whole)
    assert torch.equal(photochrom.Step(operation, strength=0)(image), image)
    torch.testing.assert_close(photochrom.Step(operation, threshold=0.4, strength=0.5)(image), (image + whole) / 2)
    mask = torch.zeros(1, 1, 7, 5)
    mask[..., :2] = 1
    masked = photochrom.Step(operation, threshold=0.4, mask=mask)(image)
    assert torch.equal(masked[..., :2], whole[..., :2])
    assert torch.equal(masked[..., 2:], image[..., 2:])
    assert torch.equal(pickle.loads(pickle.dumps(step))(image), whole)


def test_the_engine_gives_the_same_numbers(place: types.ModuleType, operation: Operation) -> None:
    step = photochrom.Step(operation, threshold=0.4)
    picture = torch.rand(1, 3, 300, 200, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(photochrom.run(step, picture, memory=2 ** 21), step(picture), rtol=0, atol=1e-6)
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(photochrom.run(step, ramp), _call(place, ramp, threshold=0.4))   # one table


def test_the_five_steps_lead_to_an_operation_that_keeps_the_contract(tmp_path: Path) -> None:
    found = re.search(MARK + FENCE.format("python"), GUIDE, re.DOTALL)
    line = re.search(r'```text\n("\w+": )(\(.*?\),)\n```', GUIDE, re.DOTALL)
    steps = [step.split() for block in re.findall(FENCE.format("sh"), GUIDE, re.DOTALL) for step in block.splitlines()]
    index, contract = (words[1:] for words in steps if words[0] == "python")
    assert found
    assert line
    chapter, name, code = found.groups()
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "src" / "photochrom" / "ops" / chapter / f"{name}.py").write_text(code, encoding="utf-8")
    registry_file = tmp_path / "src" / "photochrom" / "ops" / "__init__.py"
    text = registry_file.read_text(encoding="utf-8")
    changed = re.sub(line[1] + r"\(.*?\),", line[1] + line[2], text, flags=re.DOTALL)
    assert changed != text
    registry_file.write_text(changed, encoding="utf-8")

    def python(*words: str) -> str:
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(tmp_path / "src")})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    python(*index)
    assert name in (tmp_path / "src" / "photochrom" / "__init__.pyi").read_text(encoding="utf-8")
    passed = re.search(r"(\d+) passed", python(*contract, "-p", "no:cacheprovider"))
    assert passed
    assert int(passed[1]) > 20
    Image.new("RGB", (8, 8), "white").save(tmp_path / "photo.png")
    python("-m", "photochrom.cli.main", name, "photo.png", "-o", "out.png", "--threshold", "0.6")
    assert np.asarray(Image.open(tmp_path / "out.png")).max() == 0


def test_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(FENCE.format("python"), README, re.DOTALL)
    assert len(blocks) >= 2
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 24), "teal").save("photo.jpg")
    scope: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), scope)
    assert isinstance(scope["sharp_tensor"], torch.Tensor)
    assert isinstance(scope["sharp_array"], np.ndarray)
    assert isinstance(scope["sharp_picture"], Image.Image)
    assert Image.open("result.png").size == (32, 24)


def test_the_recipe_and_the_commands_in_the_readme_run(tmp_path: Path) -> None:
    (recipe,) = re.findall(FENCE.format("toml"), README, re.DOTALL)
    assert len(recipes.loads(recipe)) == 2
    (tmp_path / "my-look.toml").write_text(recipe, encoding="utf-8")
    (tmp_path / "Photos" / "summer").mkdir(parents=True)
    Image.new("RGB", (32, 24), "teal").save(tmp_path / "photo.jpg")
    Image.new("RGB", (32, 24), "teal").save(tmp_path / "Photos" / "summer" / "one.png")
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    pixels = np.random.default_rng(0).integers(0, 200, (24, 32, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "before.jpg", quality=100)
    Image.fromarray(pixels + 30).save(tmp_path / "after.jpg", quality=100)
    shell = [line.split("#")[0].split() for block in re.findall(FENCE.format("sh"), README, re.DOTALL)
             for line in block.splitlines()]
    commands = [words[1:] for words in shell if words[0] == "photochrom"]
    assert len(commands) >= 2
    for words in commands:
        plain = [word.replace("~", str(tmp_path)) for word in words]
        done = subprocess.run([sys.executable, "-m", "photochrom.cli.main", *plain], cwd=tmp_path, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "sharp.png").is_file()
    assert (tmp_path / "out" / "summer" / "one.png").is_file()
    assert (tmp_path / "edited" / "summer" / "one.png").is_file()


def test_the_table_in_the_readme_lists_every_operation() -> None:
    table = README.split("## What exists today")[1].split("\n## ")[0]
    listed = re.findall(r"^\|[^|]*\| `(\w+)` \|", table, re.MULTILINE)
    assert listed == [operation.name for operation in photochrom.operations()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for target in re.findall(r"`?\bmake (\w[\w-]*)(?=`| +#|$| PYTHON)", text, re.MULTILINE):
        assert target in targets, f"make {target}"
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("http"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, link
    for code in re.findall(r"`((?:src|tests|docs|recipes|benchmarks)/[\w./-]*)`", text):
        assert "CHAPTER" in code or "solarize" in code or (ROOT / code).exists(), code
    defined = {name for file in (ROOT / "tests").rglob("test_*.py")
               for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)}
    for name in re.findall(r"`(test_\w+)`", text):
        assert name in defined, name
