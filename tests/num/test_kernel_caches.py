"""Compiled kernels go when a source that is compiled into them has changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from photochrom.num.kernels import drop_stale

SOURCES = {"rows": "ROW = 1\n", "steps": "from photochrom.num.kernels.rows import ROW\n",
           "cycle": "import math\n\nfrom photochrom.num.kernels.steps import (\n    ROW,\n)\n",
           "apart": "import math\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "__pycache__").mkdir()
    for name, text in SOURCES.items():
        (tmp_path / f"{name}.py").write_text(text)
        for end in ("nbi", "1.nbc"):
            (tmp_path / "__pycache__" / f"{name}.go-3.py311.{end}").write_text("compiled")
        (tmp_path / "__pycache__" / f"{name}.cpython-311.pyc").write_text("not ours")
    return tmp_path


def left(folder: Path) -> set[str]:
    return {file.name.split(".")[0] for file in (folder / "__pycache__").glob("*.nb[ci]")}


def fill(folder: Path) -> None:
    for name in SOURCES:
        (folder / "__pycache__" / f"{name}.go-3.py311.nbi").write_text("compiled")


def test_what_is_compiled_from_unknown_sources_goes_once(folder: Path) -> None:
    drop_stale(folder)
    assert left(folder) == set()
    fill(folder)
    drop_stale(folder)
    assert left(folder) == set(SOURCES)
    assert len(list(folder.glob("__pycache__/*.pyc"))) == len(SOURCES)


@pytest.mark.parametrize(("changed", "kept"), [("rows", {"apart"}), ("steps", {"rows", "apart"}),
                                               ("cycle", {"rows", "steps", "apart"}),
                                               ("apart", {"rows", "steps", "cycle"})])
def test_what_uses_a_changed_source_goes(folder: Path, changed: str, kept: set[str]) -> None:
    drop_stale(folder)
    fill(folder)
    (folder / f"{changed}.py").write_text(SOURCES[changed] + "MORE = 1\n")
    drop_stale(folder)
    assert left(folder) == kept


def test_a_folder_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    drop_stale(tmp_path / "missing")
    (tmp_path / "rows.py").write_text("")
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    drop_stale(tmp_path)
    assert (tmp_path / "__pycache__").read_text() == "a file where the folder should be"


ROWS = "from numba import njit\n\n\n@njit\ndef row(x):\n    return x + {}\n"
CYCLE = """from numba import njit

from photochrom.num.kernels.rows import row


@njit(cache=True)
def cycle(x):
    return 10 * row(x)
"""
RUN = """import sys
from pathlib import Path

import photochrom.num.kernels as kernels

folder = Path(sys.argv[1])
kernels.__path__.append(str(folder))
kernels.drop_stale(folder)
print(kernels.load("cycle").cycle(1))
"""


def test_numba_compiles_anew_what_imports_a_changed_kernel(tmp_path: Path) -> None:
    def made() -> int:
        told = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        told.pop("NUMBA_CACHE_DIR", None)
        return int(subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], env=told, capture_output=True, text=True,
                                  check=True).stdout)  # fmt: skip

    (tmp_path / "cycle.py").write_text(CYCLE)
    (tmp_path / "rows.py").write_text(ROWS.format(1))
    assert made() == 20
    assert list(tmp_path.glob("__pycache__/cycle.*.nbi"))
    (tmp_path / "rows.py").write_text(ROWS.format(25))
    assert made() == 260
