"""Tables on stored samples: the quick way by pairs of bytes gives what indexing gives."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.num.samples import look_up, look_up_all


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [1, 1001, (1 << 20) + 5, (1 << 21) + 8])
@pytest.mark.parametrize("shift", [0, 3])
def test_a_table_gives_what_indexing_gives(dtype, size, shift):
    random = np.random.default_rng(size)
    levels = np.iinfo(dtype).max + 1
    table = random.integers(0, levels, levels).astype(dtype)
    source = random.integers(0, levels, size + shift).astype(dtype)[shift:]   # shifted: not aligned to words
    made = np.empty(size, dtype)
    look_up_all(source, table, made)
    np.testing.assert_array_equal(made, table[source])


def test_alpha_passes_untouched():
    table = (255 - np.arange(256)).astype(np.uint8)
    samples = np.random.default_rng(0).integers(0, 256, (600, 700, 4)).astype(np.uint8)
    made = look_up(samples, table, alpha=True)
    np.testing.assert_array_equal(made[..., :3], 255 - samples[..., :3])
    np.testing.assert_array_equal(made[..., 3], samples[..., 3])
