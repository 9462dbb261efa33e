"""correlate and convolve as operations, commands and steps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

import photochrom
from photochrom.core.errors import ControlError
from photochrom.engine.recipes import load_recipe, read_rows
from tests.contract.cases import one_sentence

NAMES = ("box", "gaussian", "sharpen", "sobel_x", "sobel_y", "scharr_x", "scharr_y", "laplacian_4", "laplacian_8",
         "emboss")


def image(height: int = 20, width: int = 30) -> torch.Tensor:
    return torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_named_kernels_are_those_of_scipy() -> None:
    plane = image()[0, 0].numpy()

    def found(name: str) -> np.ndarray:
        return np.asarray(photochrom.correlate(image()[:, :1], kernel=name)[0, 0].numpy())

    for name, expected in (("sobel_x", ndimage.sobel(plane, 1, mode="mirror")),
                           ("sobel_y", ndimage.sobel(plane, 0, mode="mirror")),
                           ("laplacian_4", ndimage.laplace(plane, mode="mirror")),
                           ("box", ndimage.uniform_filter(plane, 3, mode="mirror")),
                           ("gaussian", ndimage.gaussian_filter(plane, 1.0, mode="mirror"))):
        np.testing.assert_allclose(found(name), expected, atol=1e-12)
    ramp = torch.arange(8.0).expand(1, 1, 6, 8)
    assert photochrom.correlate(ramp, kernel="scharr_x")[0, 0, 2, 3].item() == 32
    assert photochrom.correlate(ramp.mT, kernel="scharr_y")[0, 0, 3, 2].item() == 32
    for name in NAMES:
        total = photochrom.correlate(torch.ones(1, 1, 5, 5), kernel=name)[0, 0, 2, 2].item()
        assert abs(total - (0 if name[:3] in ("sob", "sch", "lap") else 1)) < 1e-6


def test_a_white_dot_becomes_the_kernel_by_convolution() -> None:
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 1
    rows = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert photochrom.convolve(dot, kernel=rows)[0, 0, 1:4, 1:4].tolist() == [list(map(float, r)) for r in rows]
    assert photochrom.correlate(dot, kernel=rows)[0, 0, 1, 1].item() == 9
    assert photochrom.convolve(dot, kernel=((1, 2), (3, 4)))[0, 0, 1:3, 1:3].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("size", ["full", "valid"])
def test_sizes(size: Any) -> None:
    grown = {"full": 2, "valid": -2}[size]
    for operation in (photochrom.correlate, photochrom.convolve):
        assert operation(image(), kernel="box", size=size).shape == (1, 3, 20 + grown, 30 + grown)
        assert operation(np.zeros((20, 30, 4), np.uint8), kernel="box", size=size).shape == (20 + grown, 30 + grown, 4)
    with pytest.raises(ControlError, match="takes neither strength nor mask"):
        photochrom.Step(photochrom.convolve, kernel="box", size=size, strength=0.5)
    assert photochrom.Step(photochrom.convolve, kernel="box", strength=0.5)(image()).shape == image().shape


@pytest.mark.parametrize(("kernel", "words"), [
    ((), ("rows of finite numbers",)), (((1, 2), (3,)), ("all of one length",)), (((float("nan"),),), ("finite",)),
    ("sobel", ("no kernel 'sobel'", "sobel_")), (torch.zeros(3), ("rows and columns",)),
    (torch.zeros(0, 3), ("rows and columns",)), (torch.ones(2, 2, dtype=torch.int32), ("floating tensor",)),
])
def test_bad_kernels_are_one_sentence(kernel: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(ControlError) as error:
        photochrom.correlate(image(), kernel=kernel)
    one_sentence(error, "correlate", *words)


def test_a_kernel_larger_than_the_picture_leaves_nothing_valid() -> None:
    with pytest.raises(ControlError) as error:
        photochrom.convolve(image(), kernel=np.ones((21, 3)).tolist(), size="valid")
    one_sentence(error, "convolve", "3 x 21", "30 x 20")


def test_a_tensor_kernel_learns() -> None:
    wanted = torch.tensor([[0.0, 0.2, 0], [0.1, 0.4, 0.1], [0, 0.2, 0]], dtype=torch.float64)
    kernel = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    target = photochrom.correlate(image(), kernel=wanted)
    solver = torch.optim.LBFGS([kernel], max_iter=50, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss() -> torch.Tensor:
        solver.zero_grad()
        made = (photochrom.correlate(image(), kernel=kernel) - target).square().mean()
        made.backward()
        return made

    solver.step(loss)
    torch.testing.assert_close(kernel.detach(), wanted, atol=1e-4, rtol=0)


def test_alpha() -> None:
    opaque = np.random.default_rng(0).random((20, 24, 4)).astype(np.float32)
    opaque[..., 3] = 1
    for name in NAMES:
        made = photochrom.correlate(opaque, kernel=name)
        np.testing.assert_allclose(made[..., 3], 1, atol=1e-5)
        plain = photochrom.correlate(np.ascontiguousarray(opaque[..., :3]), kernel=name)
        np.testing.assert_allclose(made[..., :3], plain, atol=1e-4)


def test_linear_light() -> None:
    grey = torch.full((1, 3, 6, 6), 0.5)
    grey[..., 3:] = 0.1
    made = photochrom.correlate(grey, kernel="box", space="linear")
    by_hand = photochrom.color.linear_to_srgb(photochrom.correlate(photochrom.color.srgb_to_linear(grey), kernel="box"))
    torch.testing.assert_close(made, by_hand)


def test_a_kernel_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "k.txt").write_text("# a shake\n1 0 0\n0, 1, 0\n0 0 1/2\n")
    assert read_rows("k.txt", tmp_path).replace(" ", "") == ";100;0,1,0;001/2"
    assert read_rows("box", tmp_path) == "box"
    assert read_rows("1,2;3,4", tmp_path) == "1,2;3,4"
    (tmp_path / "r.toml").write_text('version = 1\n[[step]]\nop = "correlate"\nkernel = "k.txt"\n')
    assert load_recipe(tmp_path / "r.toml").steps[0].controls["kernel"] == ((1, 0, 0), (0, 1, 0), (0, 0, 0.5))
    (tmp_path / "bad.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(photochrom.core.errors.FileError, match="cannot be read as a text of numbers"):
        read_rows("bad.bin", tmp_path)


def test_the_command_reads_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.cli import main

    Image.fromarray((image()[0].movedim(0, -1).numpy() * 255).astype(np.uint8)).save(tmp_path / "in.png")
    (tmp_path / "k.txt").write_text("0 0 0\n0 1 0\n0 0 0\n")
    words = ["correlate", tmp_path / "in.png", "-o", tmp_path / "out.png", "--kernel", tmp_path / "k.txt", "--quiet"]
    monkeypatch.setattr("sys.argv", ["photochrom", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert not stop.value.code
    assert np.array_equal(*(np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("in", "out")))
