"""`.cube` files: ours back, those of others, and what is wrong with some."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from photochrom.core.errors import FileError
from photochrom.io import Lut, read_lut, write_lut
from photochrom.io.luts import parse_cube

CORNERS = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n"


@pytest.mark.parametrize("shape", [(3, 2, 2, 2), (3, 17, 17, 17), (3, 2), (3, 1024)])
@pytest.mark.parametrize("domain", [None, torch.tensor([[-0.1, 0.0, 0.2], [1.5, 1.0, 4.0]])])
def test_what_is_written_is_read(tmp_path: Path, shape: tuple[int, ...], domain: torch.Tensor | None) -> None:
    lut = Lut(torch.randn(shape, generator=torch.Generator().manual_seed(0)), domain, "a look")
    write_lut(lut, tmp_path / "look.cube", comments=("made for a test\nof two lines",))
    again = read_lut(tmp_path / "look.cube")
    assert torch.equal(again.values, lut.values)
    assert (again.domain is None) == (domain is None)
    assert domain is None or torch.equal(again.domain, domain)   # type: ignore[arg-type]
    assert again.title == "a look"


def test_red_runs_fastest() -> None:
    values = parse_cube(f"LUT_3D_SIZE 2\n{CORNERS}".encode(), "x").values
    assert values[:, 0, 0, 1].tolist() == [1, 0, 0]
    assert values[:, 1, 0, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("text", [
    f"# by a film lab\nTITLE \"x # y\"\n\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1 1 1\nLUT_3D_SIZE 2\n\n{CORNERS}",
    f"\ufeffLUT_3D_SIZE 2\n{CORNERS}".replace("\n", "\r\n"),
    f"LUT_3D_SIZE\t2\n{CORNERS}".replace("\n", "\r"),
    f"lut_3d_size 2\nLUT_IN_VIDEO_RANGE\n{CORNERS}".replace("1 1 0\n", "# half way\n1 1 0   # yellow\n"),
    f"LUT_3D_SIZE 2\n{CORNERS}".replace("1", "1.000000e+00").removesuffix("\n"),
    f"LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.0 1.0\n  {CORNERS}\n\n",
], ids=["adobe", "windows", "old mac", "comments", "exponents", "resolve"])
def test_files_of_others(text: str) -> None:
    lut = parse_cube(text.encode(), "x.cube")
    assert torch.equal(lut.values, parse_cube(f"LUT_3D_SIZE 2\n{CORNERS}".encode(), "x").values)
    assert lut.domain is None


def test_domains() -> None:
    lut = parse_cube(f"LUT_3D_SIZE 2\nDOMAIN_MIN -1 0 0\nDOMAIN_MAX 2 1 4\n{CORNERS}".encode(), "x")
    assert lut.domain is not None
    assert lut.domain.tolist() == [[-1, 0, 0], [2, 1, 4]]
    lut = parse_cube(b"LUT_1D_SIZE 2\nLUT_1D_INPUT_RANGE 0 8\n0 0 0\n1 1 1\n", "x")
    assert lut.domain is not None
    assert lut.domain.tolist() == [[0, 0, 0], [8, 8, 8]]


WRONG = {
    "too few": (f"LUT_3D_SIZE 3\n{CORNERS}", "LUT_3D_SIZE 3 needs 27 colours of three numbers, the file holds 8"),
    "too many": (f"LUT_3D_SIZE 2\n{CORNERS}0 0 0\n", "needs 8 colours of three numbers, the file holds 9"),
    "a number short": (f"LUT_3D_SIZE 2\n{CORNERS}"[:-2], "needs 8 colours of three numbers, the file holds 7.66"),
    "none": ("LUT_3D_SIZE 2\n", "the file holds 0"),
    "no size": (CORNERS, "expected a .cube table with LUT_1D_SIZE or LUT_3D_SIZE, got neither"),
    "empty": ("", "got neither"),
    "two sizes": (f"LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n{CORNERS}", "got both"),
    "size 1": ("LUT_3D_SIZE 1\n0 0 0\n", "LUT_3D_SIZE must be a whole number from 2 to 256, got '1'"),
    "huge": ("LUT_3D_SIZE 100000\n0 0 0\n", "from 2 to 256, got '100000'"),
    "half": ("LUT_1D_SIZE 2.5\n0 0 0\n", "got '2.5'"),
    "words": (f"LUT_3D_SIZE 2\n{CORNERS}".replace("1 1 0", "1 one 0"), "expected numbers, got '1 one 0'"),
    "nan": (f"LUT_3D_SIZE 2\n{CORNERS}".replace("1 1 0", "1 nan 0"), "expected finite numbers, got nan"),
    "domain": (f"LUT_3D_SIZE 2\nDOMAIN_MIN 1 0 0\n{CORNERS}", "the domain must rise"),
    "domain of two": (f"LUT_3D_SIZE 2\nDOMAIN_MAX 1 1\n{CORNERS}", "DOMAIN_MAX must be finite numbers"),
    "a picture": ("\x89PNG\r\n\x1a\n\0\0\0", "got neither"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_one_sentence(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    (tmp_path / "bad.cube").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileError) as error:
        read_lut(tmp_path / "bad.cube")
    assert "bad.cube: " in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_unwritable(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="there is no such file"):
        read_lut(tmp_path / "none.cube")
    with pytest.raises(FileError, match="cannot be read"):
        read_lut(tmp_path)
    lut = Lut(torch.zeros(3, 2))
    with pytest.raises(FileError, match=r"ends in \.cube"):
        write_lut(lut, tmp_path / "look.txt")
    write_lut(lut, tmp_path / "look.cube")
    with pytest.raises(FileError, match="exists already"):
        write_lut(lut, tmp_path / "look.cube")


def test_a_large_table_is_read_in_well_under_a_second(tmp_path: Path) -> None:
    write_lut(Lut(torch.rand(3, 65, 65, 65)), tmp_path / "large.cube")
    began = time.perf_counter()
    read_lut(tmp_path / "large.cube")
    assert time.perf_counter() - began < 2   # 0.2 s where nothing else runs
