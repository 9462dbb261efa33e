"""Tiles, halos and memory."""

import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError, MemoryBudgetError
from photochrom.engine.feeds import TensorFeed
from photochrom.engine.plan import copies, needs, parse_size, plan, size
from photochrom.engine.run import Run


def steps(*pairs):
    return [photochrom.Step(operation, **controls) for operation, controls in pairs]


def test_the_halos_of_a_chain_add_up_and_stop_at_the_edges():
    chain = steps((photochrom.gaussian, {"sigma": 2.0}), (photochrom.power, {}), (photochrom.box, {"radius": 3}))
    assert needs(chain, 100, 200, 1000) == [(89, 211), (97, 203), (97, 203), (100, 200)]
    assert needs(chain, 0, 5, 6)[0] == (0, 6)


def test_a_tile_and_its_halo_stay_within_the_memory():
    chain = steps((photochrom.gaussian, {"sigma": 5.0}))
    for memory in (40_000_000, 100_000_000, 10**9):
        chosen = plan(chain, 50_000, 4000, 3, memory)
        assert (chosen.rows + 2 * chosen.halo) * 4000 * 3 * 4 * copies(chain[0]) <= memory


def test_a_small_picture_is_one_tile():
    assert plan(steps((photochrom.gaussian, {})), 300, 400, 3, 10**9).rows == 300


def test_too_little_memory_is_one_sentence():
    with pytest.raises(MemoryBudgetError, match=r"needs .* MiB for a picture 100000 pixels wide, 1.0 MiB are left"):
        plan(steps((photochrom.gaussian, {})), 50_000, 100_000, 3, 2**20)


def test_a_step_that_needs_the_frame_says_so_when_it_does_not_fit():
    wrap = steps((photochrom.gaussian, {"border": "circular"}))
    with pytest.raises(MemoryBudgetError, match="gaussian with these controls needs the whole picture"):
        Run(wrap, TensorFeed(torch.zeros(1, 3, 2000, 1000)), 2**20)


@pytest.mark.parametrize(("text", "count"), [("512M", 512 << 20), ("1G", 1 << 30), ("1.5GiB", 3 << 29), ("4096", 4096)])
def test_sizes_are_read(text, count):
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "G", "-1G", "1X", "nan", "inf"])
def test_other_sizes_are_refused(text):
    with pytest.raises(ControlError, match="512M or 1G"):
        parse_size(text)


def test_sizes_are_written():
    assert [size(n) for n in (12, 2048, 5 << 20, 3 << 30)] == ["12 bytes", "2 KiB", "5.0 MiB", "3.0 GiB"]
