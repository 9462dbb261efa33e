"""Memory that is freed is taken again without asking the system for it."""

import os
import subprocess
import sys

import pytest

from photochrom.core.memory import KEEP_FREED

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
