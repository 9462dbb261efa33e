"""`--memory` is what the whole process takes, as the system counts it."""

import os
import sys

import numpy as np
import pytest
import pyvips

from photochrom.core.errors import ControlError
from photochrom.engine.plan import LIBRARIES, for_pictures

RECIPE = """version = 1
[[step]]
op = "power"
gamma = 0.8
[[step]]
op = "gaussian"
[[step]]
op = "levels"
white = 0.98
"""


def peak(*words):
    """Run the command and return its exit code and the most memory it had, in bytes."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-m", "photochrom.cli.main", *map(str, words)], os.environ)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the budget is measured for Linux")
@pytest.mark.parametrize(("shape", "ending", "copies", "memory"), [
    ((1200, 30000), "tif", 1, "768M"), ((3000, 4000), "jpg", 4, "640M"), ((3000, 4000), "png", 4, "1G")])
def test_the_process_stays_within_its_memory(tmp_path, shape, ending, copies, memory):
    tile = np.random.default_rng(0).integers(0, 65536, (300, 1000, 3)).astype(np.uint16)
    whole = pyvips.Image.new_from_array(tile).copy(interpretation="rgb16").replicate(shape[1] // 1000, shape[0] // 300)
    (tmp_path / "in").mkdir()
    for number in range(copies):
        picture = whole if ending == "tif" else whole.colourspace("srgb")
        picture.write_to_file(str(tmp_path / "in" / f"{number}.{ending}"))
    (tmp_path / "r.toml").write_text(RECIPE)
    code, most = peak("run", tmp_path / "r.toml", tmp_path / "in", "-o", tmp_path / "out", "--jobs", "2", "--memory",
                      memory)
    assert code == 0
    assert len(list((tmp_path / "out").glob(f"*.{ending}"))) == copies
    assert most <= {"640M": 640, "768M": 768, "1G": 1024}[memory] << 20


def test_what_the_program_takes_is_set_aside_first():
    assert for_pictures(1 << 30) == (1 << 30) - LIBRARIES
    assert for_pictures(2 << 30, 2) == (2 << 30) - 2 * LIBRARIES
    with pytest.raises(ControlError, match=r"448.0 MiB before any picture; raise --memory"):
        for_pictures(256 << 20)
