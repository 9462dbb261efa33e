"""The layers of the house: imports go down, never sideways, never round; importing loads nothing heavy."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import photochrom
from photochrom.core.registry import registry
from photochrom.ops import CHAPTERS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "photochrom"
LAYERS = (("core",), ("num",), ("color",), ("nets", "io"), ("ops", "metrics"), ("engine", "views", "learn"),
          ("studio",), ("cli",))
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}
ROOT_ENTRIES = {
    ".ci", ".git", ".gitignore", ".github", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "benchmarks", "constraints.txt", "docs", "pyproject.toml", "recipes", "src", "tests", "training",
}


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


def imported(module: str, everywhere: bool) -> Iterator[tuple[str, int]]:
    """Yield the photochrom modules that a module imports, at its top or anywhere, with their lines."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            found = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            found = [name.name for name in node.names]
        else:
            if everywhere or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                waiting += list(ast.iter_child_nodes(node))
            continue
        for name in found:
            head, _, rest = name.partition(".")
            if head == "photochrom":
                while rest and rest not in MODULES:
                    rest = rest.rpartition(".")[0]
                yield rest, node.lineno


def test_every_package_has_its_layer() -> None:
    packages = {module.split(".")[0] for module in MODULES if module}
    assert packages <= set(LEVEL)


@pytest.mark.parametrize("module", [module for module in MODULES if module])
def test_imports_go_down_and_never_sideways(module: str) -> None:
    here = module.split(".")[0]
    for other, line in imported(module, everywhere=True):
        there = other.split(".")[0]
        if there in ("", here):
            assert there or here == "cli", f"{module}:{line} imports the whole package"
            continue
        assert LEVEL[there] < LEVEL[here], f"{module}:{line} imports {other}: {here} may not know {there}"


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("ops.")])
def test_operations_never_import_io_or_arrays(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        for name in names:
            assert not name.startswith("photochrom.io"), name
            assert name.split(".")[0] not in ("PIL", "pyvips", "OpenImageIO"), name


def test_no_module_imports_itself_round_a_circle() -> None:
    graph = {module: {other for other, _ in imported(module, everywhere=False) if other and other != module}
             for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for other in graph[module]:
                visit(other, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_file_is_longer_than_400_lines(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py*"):
        if path.suffix in (".py", ".pyi"):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines"


def test_every_operation_is_a_file_of_its_chapter() -> None:
    for chapter, names in CHAPTERS.items():
        files = {path.stem for path in (SOURCE / "ops" / chapter).glob("*.py")} - {"__init__"}
        assert {name for name in files if not name.startswith("_")} == set(names)
        assert (SOURCE / "ops" / chapter / "__init__.py").exists()
        for name in names:
            operation = registry.get(name)
            assert operation.name == name
            assert operation.function.__module__ == f"photochrom.ops.{chapter}.{name}"
    assert {path.name for path in (SOURCE / "ops").iterdir() if path.is_dir()} - {"__pycache__"} == set(CHAPTERS)


def test_the_list_of_exports_is_whole() -> None:
    assert sorted(photochrom.__all__) == sorted({*photochrom._EXPORTS, *registry.names(), "__version__"})
    assert len(photochrom.__all__) == len(set(photochrom.__all__))
    assert dir(photochrom) == photochrom.__all__
    for name in photochrom.__all__:
        assert getattr(photochrom, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        photochrom.sharpen   # noqa: B018


def test_no_operation_is_called_like_a_package() -> None:
    """`photochrom.io` cannot be both."""
    assert not set(photochrom.__all__) & set(LEVEL)


def test_generated_files_are_current() -> None:
    from photochrom.cli.index import INDEX, STUB, build_index, build_stub

    assert INDEX.read_text(encoding="utf-8") == build_index(), "run `make index`"
    assert STUB.read_text(encoding="utf-8") == build_stub(), "run `make index`"
    assert [entry["name"] for entry in json.loads(INDEX.read_text(encoding="utf-8"))] == registry.names()


def test_the_stub_names_what_there_is() -> None:
    tree = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8"))
    named = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert named == set(photochrom.__all__) - {"__version__"}


HEAVY = ("torch", "numba", "numpy", "PIL", "pyvips", "scipy", "OpenImageIO", "safetensors", "huggingface_hub")


def loaded_after(code: str) -> list[str]:
    """Run code in a fresh interpreter and return which heavy packages it has loaded."""
    probe = f"{code}\nimport sys\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "LOADED"
    return last[1:]


def test_what_is_loaded_is_seen() -> None:
    assert loaded_after("import numpy; print('more')") == ["numpy"]


@pytest.mark.parametrize(("given", "spins"), [
    ({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None"),
])
def test_threads_of_torch_are_told_how_long_to_spin(given: dict[str, str], spins: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = "import os, photochrom; print(os.environ.get('GOMP_SPINCOUNT'))"
    environment = {**kept, **given}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == spins


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import photochrom; dir(photochrom); photochrom.__version__") == []


@pytest.mark.parametrize("words", [["--help"], ["unsharp-mask", "--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (f"import sys; sys.argv = ['photochrom', *{words!r}]\nfrom photochrom.cli.main import main\n"
            "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code")
    assert loaded_after(code) == []


def test_importing_everything_has_no_side_effects() -> None:
    """No torch setting is changed, nothing is compiled, nothing is opened."""
    modules = [f"photochrom.{module}".rstrip(".") for module in MODULES
               if not module.startswith(("num.kernels.", "cli", "studio", "io", "views"))]
    code = f"""
import importlib, sys, threading, torch
def state():
    return (torch.get_num_threads(), torch.get_num_interop_threads(), torch.get_default_dtype(),
            torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(), torch.initial_seed(),
            torch.get_rng_state().sum().item(), torch.get_float32_matmul_precision(), torch.get_default_device(),
            torch.backends.mkldnn.enabled, threading.active_count())
torch.manual_seed(0)
before = state()
for module in {modules!r}:
    importlib.import_module(module)
assert state() == before, (before, state())
assert 'numba' not in sys.modules
"""
    assert "numba" not in loaded_after(code)


def test_reading_and_writing_load_no_compiler() -> None:
    assert "numba" not in loaded_after("import photochrom.io, photochrom.engine.files, photochrom.views.sheet")


def test_the_root_has_few_entries() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0 or not listed.stdout:
        pytest.skip("not a git checkout")
    entries = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert entries <= ROOT_ENTRIES
    assert len(entries) <= 16
