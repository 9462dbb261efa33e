"""Views of gradients and of the direction of edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom.cli.viewing import make_view
from photochrom.views.slopes import direction_colours, slopes


def test_an_edge_has_the_colour_of_its_line_whichever_side_is_lighter():
    ramp = torch.sigmoid(torch.arange(-8.0, 8.0)).expand(1, 1, 16, 16)
    one, other, turned = (direction_colours(*slopes(image)) for image in (ramp, 1 - ramp, ramp.transpose(-1, -2)))
    np.testing.assert_allclose(one[8, 8], other[8, 8], atol=1e-5)
    assert np.abs(one[8, 8] - turned[8, 8]).max() > 0.3
    assert direction_colours(*slopes(torch.full((1, 1, 9, 9), 0.4))).max() == 0


@pytest.mark.parametrize("kind", ["gradient", "direction"])
@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_a_picture_of_it_is_written(tmp_path, kind, ending):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)).save(tmp_path / "in.png")
    make_view(kind, [str(tmp_path / "in.png")], tmp_path / f"out{ending}", overwrite=False)
    assert (tmp_path / f"out{ending}").stat().st_size > 5000
