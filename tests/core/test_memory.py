"""Memory that is freed is taken again without asking the system for it."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from photochrom.core.memory import KEEP_FREED, empty, written, zeros

TAKE = """
import resource, sys, threading
import numpy as np
from photochrom.core.memory import keep_freed

if "keep" in sys.argv:
    keep_freed()

def pieces():
    for turn in range(60):
        held = [np.ones(3 << 20, np.uint8) for _ in range(4)]   # 3000 pages
        del held

before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=pieces)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux") or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"),
                    reason="sets what glibc offers")
def test_freed_memory_is_kept_however_it_is_asked_for():
    def pages(*words, **variables):
        result = subprocess.run([sys.executable, "-c", TAKE, *words], env=os.environ | variables, capture_output=True,
                                text=True, check=True)
        return int(result.stdout)

    plain = {"MALLOC_TOP_PAD_": "131072"}   # also keeps glibc from moving its own thresholds while it runs
    assert pages(**plain) > 100_000
    assert pages("keep", **plain) < 20_000
    assert pages(**plain, **KEEP_FREED) < 20_000


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8, torch.bool])
def test_what_is_written_through_an_array_stays_the_tensor_s(dtype):
    made = empty((2, 3), dtype)
    through = written(made[1])
    through[:] = [1, 0, 1]
    assert made[1].tolist() == [1, 0, 1]
    assert made.untyped_storage().resizable()   # what `Tensor.numpy` has shown no longer is
    del made
    assert through.tolist() == [1, 0, 1]


@pytest.mark.parametrize("shape", [(3, 5), (9, 1025, 1031)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zeros_are_zeros_and_begin_at_a_line_of_the_cache(shape, dtype):
    for _ in range(2):   # the second time it may be memory that was used before
        made = zeros(shape, dtype)
        assert made.shape == shape
        assert made.dtype == dtype
        assert made.data_ptr() % 64 == 0
        assert made.is_contiguous()
        assert not made.any()
        made += 1


def test_a_large_clone_is_not_copied_on_its_way_out():
    import photochrom

    rng = np.random.default_rng(0)
    target, source = (rng.random((200, 200, 3), dtype=np.float32) for _ in range(2))
    mask = np.zeros((200, 200), np.uint8)
    mask[5:-5, 5:-5] = 255
    made = photochrom.seamless_clone(target, source, mask)
    assert made.base is not None   # the planes that the membrane was written into, seen as pixels
