"""The training loop: what it is given, that it learns, stops, and goes on as if it had never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom.core.errors import ControlError, FileError, PhotochromError
from photochrom.learn.checkpoints import read_checkpoint, write_checkpoint
from photochrom.learn.config import Config, Loss, Optimizer, load_config, parse_config
from photochrom.learn.judge import Judge
from photochrom.learn.patches import Patches, original, picture_files
from photochrom.learn.rules import descriptor_of, loss_of, rate_at
from photochrom.learn.starts import pass_through, warm
from photochrom.nets.descriptor import build
from photochrom.nets.weights import load

ROOT = Path(__file__).parents[2]
SET5 = ROOT.parent / "shared" / "data" / "sr" / "Set5"
CONFIGURATIONS = sorted((ROOT / "training").glob("*.toml"))

TINY = """
version = 1
name = "tiny"
[network]
architecture = "espcn"
task = "upscale"
parameters = { scale = 2, features = [6, 4] }
[data]
scales = [2]
patch = 8
batch = 3
[[degrade]]
op = "resize"
scale = "1/scale"
resample = "matlab-bicubic-float"
[[degrade]]
op = "add_noise"
on = "patch"
sigma = { low = 0, high = 5 }
[[judged]]
op = "resize"
scale = "1/scale"
resample = "matlab-bicubic-float"
[optimizer]
rate = 2e-3
warmup = 5
[run]
steps = 30
ema = 0.9
validate_every = 10
keep_every = 10
log_every = 5
"""


def tiny(**changed: str) -> Config:
    """Return the small configuration with some of its lines exchanged."""
    text = TINY
    for name, value in changed.items():
        lines = [line for line in text.splitlines() if line.startswith(f"{name} =")]
        assert lines, name
        text = text.replace(lines[0], f"{name} = {value}")
    return parse_config(text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    y, x = np.mgrid[:60, :70]
    for number in range(8):
        waves = np.sin(x / (2 + number)) + np.cos(y / (3 + number)) + np.sin((x + y) / 5)
        Image.fromarray(np.uint8(127 + 40 * waves)).save(folder / f"{number}.png")
    return folder


def fabric(precision: str = "32-true"):
    pytest.importorskip("lightning_fabric")
    from photochrom.learn.rules import fabric_for

    return fabric_for(precision)


def run(config: Config, data: Path, folder: Path, **settings):
    from photochrom.learn.loop import train

    return train(config, [data], folder, fabric=fabric(config.run.precision), **settings)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_shipped_configurations_are_understood(path: Path) -> None:
    config = load_config(path)
    known = descriptor_of(config)
    assert config.name == path.stem == known.name
    build(known.architecture, known.parameters)


@pytest.mark.parametrize(("name", "value", "words"), [
    ("version", "2", "version = 1"), ("patch", "0", "at least 1"), ("batch", '"many"', "a whole number"),
    ("steps", "true", "a whole number"), ("rate", "nan", "finite"), ("architecture", "3", "text"),
    ("task", '"cook"', "one of upscale, denoise, deblock"), ("scales", "[]", "a list"), ("ema", "1.0", "below 1"),
    ("sigma", "{ low = 0 }", "low"), ("on", '"planet"', "one of picture, patch"),
])
def test_a_bad_configuration_is_one_sentence(name: str, value: str, words: str) -> None:
    with pytest.raises(PhotochromError, match=words) as caught:
        tiny(**{name: value})
    assert "\n" not in str(caught.value)


def test_unknown_and_missing_entries_are_named() -> None:
    with pytest.raises(PhotochromError, match="did you mean 'batch'"):
        parse_config(TINY.replace("batch =", "bach ="))
    with pytest.raises(PhotochromError, match="'patch' is missing"):
        parse_config(TINY.replace("patch = 8\n", ""))
    with pytest.raises(PhotochromError, match="validation draws nothing by chance"):
        parse_config(TINY[:TINY.index("[[judged]]")] + TINY[TINY.index("[optimizer]"):])


def test_patches_of_the_small_picture_lie_over_those_of_the_large(data: Path) -> None:
    """Where nothing is added, a small pixel is about the mean of those it stands for, in all eight turns."""
    config = parse_config(TINY.replace("high = 5", "high = 0").replace("batch = 3", "batch = 64"))
    patches = Patches([original(path, "y") for path in picture_files([data], "training")], config)
    batch = patches.batch(4)
    assert batch.given.shape == (64, 1, 8, 8)
    assert batch.wanted.shape == (64, 1, 16, 16)
    means = torch.nn.functional.avg_pool2d(batch.wanted, 2)
    wrong = torch.nn.functional.avg_pool2d(batch.wanted.flip(-1), 2)
    assert (means - batch.given).abs().mean() < 0.01 < 0.05 < (wrong - batch.given).abs().mean()


def test_a_batch_follows_from_seed_process_and_step_alone(data: Path) -> None:
    pictures = [original(path, "y") for path in picture_files([data], "training")]
    one, again = Patches(pictures, tiny()), Patches(pictures, tiny())
    again.batch(1)
    assert torch.equal(one.batch(7).given, again.batch(7).given)
    for other in (one.batch(8), Patches(pictures, tiny(), rank=1).batch(7)):
        assert not torch.equal(one.batch(7).given, other.given)


def test_noise_differs_from_patch_to_patch(data: Path) -> None:
    flat = [torch.full((1, 1, 40, 40), 0.5)]
    given = Patches(flat, parse_config(TINY.replace("high = 5", "high = 50"))).batch(0).given
    spreads = given.std((1, 2, 3))
    assert spreads.min() > 0
    assert spreads.max() > 1.05 * spreads.min()
    assert not torch.allclose(given[0] / spreads[0], given[1] / spreads[1], atol=0.1)


def test_several_scales_take_turns(data: Path) -> None:
    config = parse_config(TINY.replace("scales = [2]", "scales = [2, 3]"))
    patches = Patches([original(path, "y") for path in picture_files([data], "training")], config)
    found = {patches.batch(step).scale: patches.batch(step).wanted.shape[-1] for step in range(20)}
    assert found == {2: 16, 3: 24}


def test_losses_are_their_formulas() -> None:
    made, wanted = torch.rand(2, 1, 9, 9), torch.rand(2, 1, 9, 9)
    away = made - wanted
    assert torch.allclose(loss_of(made, wanted, Loss("l1")), away.abs().mean())
    assert torch.allclose(loss_of(made, wanted, Loss("l2", shave=2)), (away[..., 2:7, 2:7] ** 2).mean())
    assert torch.allclose(loss_of(made, wanted, Loss("charbonnier", eps=0.1)), (away ** 2 + 0.01).sqrt().mean())


def test_rates_fall_as_they_are_told() -> None:
    steps = Optimizer(rate=0.1, schedule="steps", drops=(0.5, 0.75), factor=0.1)
    assert [round(rate_at(at, 100, steps), 6) for at in (0, 49, 50, 75)] == [0.1, 0.1, 0.01, 0.001]
    assert rate_at(0, 100, Optimizer(rate=1.0, warmup=10, schedule="constant")) == pytest.approx(0.1)
    assert rate_at(100, 100, Optimizer(rate=1.0, last=0.02)) == pytest.approx(0.02)


def test_it_learns(data: Path, tmp_path: Path) -> None:
    heard = []
    found = run(tiny(steps="300", validate_every="100"), data, tmp_path / "out", tell=heard.append)
    judged = [told.judged.mean for told in heard if told.judged is not None]
    assert judged[-1] > judged[0] + 1
    kept = load(tmp_path / "out" / "best.safetensors")
    assert kept.descriptor.figures == {"held out x2 PSNR": round(found.best, 3)}
    assert kept.descriptor.sigma == (0.0, 5.0)
    assert list((tmp_path / "out" / "tensorboard").glob("events*"))


@pytest.mark.parametrize("clip_by", ["norm", "value", "rate"])
def test_clipping_limits_a_step(clip_by: str, data: Path, tmp_path: Path) -> None:
    """By plain descent a step is rate times gradient: of at most clip, or for `rate` of clip / rate, that is clip."""
    text = TINY.replace("[optimizer]", f'[optimizer]\nkind = "sgd"\nmomentum = 0.0\nschedule = "constant"\n'
                        f'clip = 1e-4\nclip_by = "{clip_by}"').replace("steps = 30", "steps = 1")
    text = text.replace("warmup = 5\n", "").replace("ema = 0.9", "ema = 0.0")
    config = parse_config(text)
    found = run(config, data, tmp_path / "out")
    torch.manual_seed(config.run.seed)
    start = build("espcn", config.network.parameters).state_dict()
    moved = torch.cat([(tensor - start[name]).flatten() for name, tensor in found.network.state_dict().items()])
    size = float(moved.norm() if clip_by == "norm" else moved.abs().max())
    assert size == pytest.approx(1e-4 if clip_by == "rate" else 2e-7, rel=0.05)


def test_two_runs_are_equal_and_a_resumed_one_too(data: Path, tmp_path: Path) -> None:
    config = tiny()
    whole = run(config, data, tmp_path / "whole").network.state_dict()
    heard = []

    def stop(told) -> None:
        heard.append(told)
        if told.step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(config, data, tmp_path / "part", tell=stop)
    resumed = run(config, data, tmp_path / "part", resume=tmp_path / "part" / "last.ckpt").network.state_dict()
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name


LONG = """
import sys
from pathlib import Path
from photochrom.learn.config import load_config
from photochrom.learn.loop import train
config, data, folder = sys.argv[1:4]
train(load_config(config), [data], folder, resume=sys.argv[4] if len(sys.argv) > 4 else None)
"""


def test_a_killed_training_goes_on_bit_for_bit(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    config = tmp_path / "tiny.toml"
    config.write_text(TINY.replace("steps = 30", "steps = 1500").replace("validate_every = 10", "validate_every = 500"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}

    def started(folder: Path, *more: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", LONG, str(config), str(data), str(folder), *more],
                                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    process = started(tmp_path / "killed")
    checkpoint = tmp_path / "killed" / "last.ckpt"
    deadline = time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    at = read_checkpoint(checkpoint)["step"]
    assert at < 1500, "it was killed too late to show anything"
    assert started(tmp_path / "killed", str(checkpoint)).wait(60) == 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run(load_config(config), data, tmp_path / "whole")
    finally:
        torch.set_num_threads(threads)
    one, other = (read_checkpoint(tmp_path / name / "last.ckpt") for name in ("killed", "whole"))
    assert one["step"] == other["step"] == 1500
    for part in ("network", "mean"):
        for name, tensor in other[part].items():
            assert torch.equal(one[part][name], tensor), (part, name)
    for number, state in other["optimizer"]["state"].items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(one["optimizer"]["state"][number][name]), torch.as_tensor(value))
    assert torch.equal(one["chance"]["cpu"], other["chance"]["cpu"])
    assert one["best"] == other["best"]


def test_what_is_no_number_stops_with_a_sentence_and_is_not_kept(data: Path, tmp_path: Path) -> None:
    text = TINY.replace("[optimizer]\nrate = 2e-3", '[optimizer]\nkind = "sgd"\nschedule = "constant"\nrate = 1e12')
    with pytest.raises(ControlError, match="no longer a number") as caught:
        run(parse_config(text.replace("log_every = 5", "log_every = 10")), data, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "last.ckpt").exists()


def test_folders_without_pictures_are_errors(data: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileError, match="training pictures, the folder holds none"):
        run(tiny(), empty, tmp_path / "out")
    with pytest.raises(FileError, match="validation pictures, the folder holds none"):
        run(tiny(), data, tmp_path / "out", validation=[empty])
    with pytest.raises(FileError, match="no such folder"):
        run(tiny(), tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(ControlError, match="no training picture has room"):
        run(tiny(patch="40"), data, tmp_path / "out")
    assert not (tmp_path / "out" / "last.ckpt").exists()


def test_damaged_and_foreign_checkpoints_are_sentences(data: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.ckpt"
    write_checkpoint(good, {"config": "", "step": 3, "network": {}, "optimizer": {}, "chance": {}})
    assert read_checkpoint(good)["step"] == 3
    damaged, foreign = tmp_path / "damaged.ckpt", tmp_path / "foreign.ckpt"
    damaged.write_bytes(good.read_bytes()[:100])
    torch.save({"weights": torch.zeros(3)}, foreign)
    for path in (damaged, foreign, tmp_path / "nowhere.ckpt"):
        with pytest.raises(FileError) as caught:
            read_checkpoint(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ControlError, match="another network"):
        run(tiny(), data, tmp_path / "out", resume=good)


def test_a_warm_start_takes_what_fits(tmp_path: Path, data: Path) -> None:
    run(tiny(steps="2"), data, tmp_path / "first")
    theirs = load(tmp_path / "first" / "best.safetensors").body.state_dict()
    network = build("espcn", {"scale": 3, "features": [6, 4]})
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    warm(network, str(tmp_path / "first" / "best.safetensors"))
    for name, tensor in network.state_dict().items():
        fits = theirs[name].shape == tensor.shape
        assert torch.equal(tensor, theirs[name] if fits else before[name])
    with pytest.raises(ControlError, match="none of the"):
        warm(build("srcnn"), str(tmp_path / "first" / "best.safetensors"))


@pytest.mark.parametrize(("name", "parameters", "size"), [("srcnn", {"kernels": [9, 1, 5]}, 1), ("espcn", {}, 3)])
def test_a_network_may_begin_as_one_that_changes_nothing(name: str, parameters: dict, size: int) -> None:
    torch.manual_seed(0)
    network = build(name, parameters)
    pass_through(network)
    image = torch.linspace(0.1, 0.9, 40).expand(1, 1, 40, 40)
    wanted = torch.nn.functional.interpolate(image, scale_factor=size, mode="bilinear")
    inner = (..., slice(8 * size, -8 * size), slice(8 * size, -8 * size))
    with torch.no_grad():
        # tanh bends by 2 %; the other filters count for little: each of ESPCN's 288 taps by about 0.001.
        away = (network(image)[inner] - wanted[inner]).abs()
    assert away.mean() < 0.015
    assert away.max() < 0.06


@pytest.mark.skipif(not SET5.is_dir(), reason="needs ../shared/data/sr/Set5")
@pytest.mark.parametrize(("scale", "figure"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_the_judge_gives_the_published_figures_of_bicubic(scale: int, figure: float) -> None:
    """Set5, luma, border of `scale` shaved: the first column of every paper on super-resolution."""
    config = load_config(ROOT / "training" / f"srcnn-x{scale}.toml")
    pictures = [original(path, "y") for path in picture_files([SET5 / f"x{scale}"], "validation")]
    assert len(pictures) == 5
    assert Judge(pictures, config).judge(lambda image, scale: image).mean == pytest.approx(figure, abs=0.03)
