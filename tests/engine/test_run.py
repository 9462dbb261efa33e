"""The planned run gives the numbers of the plain module."""

import numpy as np
import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError

TIGHT = 4_000_000
"""A budget that cuts the pictures below into several tiles."""


def recipe(*pairs):
    return photochrom.Recipe([photochrom.Step(operation, **controls) for operation, controls in pairs])


def picture(height=700, width=90, channels=3):
    """A photograph with a little noise, so that no two rows are alike; a fourth channel is alpha."""
    import skimage.data

    noise = np.random.default_rng(0).normal(0, 0.02, (height, width, 4))
    rows = np.pad(skimage.data.astronaut()[:, :width] / 255, ((0, max(0, height - 512)), (0, 0), (0, 0)), "reflect")
    values = np.concatenate([rows[:height], np.linspace(0.2, 1, width)[None, :, None].repeat(height, 0)], 2) + noise
    return torch.from_numpy(values.clip(0, 1).astype(np.float32)).movedim(-1, 0)[None, :channels].contiguous()


REFERENCE = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(9))
CHAINS = {
    "pixels": recipe((photochrom.power, {}), (photochrom.exposure, {"stops": -1.0}),
                     (photochrom.levels, {"black": 0.1})),
    "windows": recipe((photochrom.gaussian, {"sigma": 3.0}), (photochrom.box, {"radius": 4, "border": "normalize"})),
    "mixed": recipe((photochrom.power, {}), (photochrom.unsharp_mask, {"sigma": 2.0}), (photochrom.negative, {})),
    "frame": recipe((photochrom.power, {}), (photochrom.gaussian, {"border": "circular"}), (photochrom.negative, {})),
    "measured": recipe((photochrom.gaussian, {}), (photochrom.transfer_statistics, {"reference": REFERENCE}),
                       (photochrom.contrast, {})),
    "measured twice": recipe((photochrom.transfer_statistics, {"reference": REFERENCE, "strength": 0.5}),
                             (photochrom.gaussian, {}),
                             (photochrom.transfer_statistics, {"reference": 1 - REFERENCE})),
    "measured, frame": recipe((photochrom.transfer_statistics, {"reference": REFERENCE}),
                              (photochrom.box, {"border": "circular"})),
}


@pytest.mark.parametrize("name", CHAINS)
def test_tiled_equals_untiled(name):
    image = picture()
    memory = 10**8 if "frame" in name else TIGHT
    # The contract holds each operation to 1e-6; two transfers in a row may add up.
    tolerance = 2e-6 if name == "measured twice" else 1e-6
    torch.testing.assert_close(photochrom.run(CHAINS[name], image, memory=memory), CHAINS[name](image),
                               atol=tolerance, rtol=0)


def test_the_tight_budget_really_tiles():
    from photochrom.engine.plan import plan

    assert plan(list(CHAINS["mixed"]), 700, 90, 3, TIGHT).rows < 700


@pytest.mark.parametrize("name", ["mixed", "measured", "windows"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("bands", [3, 4])
def test_arrays_come_back_as_from_the_plain_module(name, dtype, bands):
    values = picture(channels=bands)[0].movedim(0, -1).numpy()
    array = values if dtype == np.float32 else (values * np.iinfo(dtype).max).round().astype(dtype)
    planned, plain = photochrom.run(CHAINS[name], array, memory=TIGHT), CHAINS[name](array)
    assert planned.dtype == plain.dtype == dtype
    apart = np.abs(planned.astype(np.float64) - plain.astype(np.float64)).max()
    assert apart <= (2e-6 if dtype == np.float32 else 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(256, 256), (256, 256, 1), (128, 256, 2), (64, 128, 3), (64, 128, 4)])
def test_a_table_is_bit_identical_to_the_unfused_chain(dtype, shape):
    levels = np.iinfo(dtype).max + 1
    array = np.random.default_rng(1).permutation(np.arange(np.prod(shape)) % levels).astype(dtype).reshape(shape)
    chain = CHAINS["pixels"]
    assert np.array_equal(photochrom.run(chain, array), chain(array))


def test_all_levels_of_16_bits_go_through_a_table_exactly():
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for chain in (CHAINS["pixels"], recipe((photochrom.contrast, {"amount": 3.0}), (photochrom.brightness, {}))):
        assert np.array_equal(photochrom.run(chain, array), chain(array))


def test_alpha_passes_a_table_untouched():
    array = np.random.default_rng(2).integers(0, 256, (50, 40, 4), dtype=np.uint8)
    result = photochrom.run(CHAINS["pixels"], array)
    assert np.array_equal(result[..., 3], array[..., 3])
    assert not np.array_equal(result[..., :3], array[..., :3])


def test_a_mask_is_cut_with_the_tiles():
    mask = torch.zeros(1, 1, 700, 90)
    mask[..., 300:, :40] = 1
    chain = recipe((photochrom.power, {"mask": mask}), (photochrom.gaussian, {"mask": mask, "strength": 0.5}))
    image = picture()
    result = photochrom.run(chain, image, memory=TIGHT)
    torch.testing.assert_close(result, chain(image), atol=1e-6, rtol=0)
    assert torch.equal(result[..., :300, :], image[..., :300, :])


def test_a_mask_of_another_size_is_refused_before_any_work():
    chain = recipe((photochrom.power, {"mask": torch.ones(1, 1, 5, 5)}))
    with pytest.raises(ControlError, match="mask is 5 x 5 pixels, the picture 90 x 700"):
        photochrom.run(chain, picture())


def test_with_gradients_wanted_the_recipe_runs_as_a_module():
    image = picture(20, 20).requires_grad_()
    photochrom.run(CHAINS["mixed"], image).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


def test_a_grey_array_takes_a_palette_in_three_channels():
    array = np.random.default_rng(3).integers(0, 256, (50, 40), dtype=np.uint8)
    warm = REFERENCE * torch.tensor([1, 0.5, 0.2])[:, None, None]
    chain = recipe((photochrom.transfer_statistics, {"reference": warm}))
    assert photochrom.run(chain, array).shape == (50, 40, 3)


def test_progress_adds_up_to_the_pixels():
    done = []
    photochrom.run(CHAINS["mixed"], picture(), memory=TIGHT, progress=done.append)
    assert len(done) > 1
    assert sum(done) == 700 * 90


def test_an_exception_in_progress_stops_the_run():
    def stop(pixels):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        photochrom.run(CHAINS["mixed"], picture(), memory=TIGHT, progress=stop)


def test_one_thread_and_two_give_the_same_bits():
    from photochrom.num.parallel import limit_threads

    for name in ("mixed", "measured", "pixels"):
        image = picture(900, 300)
        with limit_threads(1):
            single = photochrom.run(CHAINS[name], image)
        assert torch.equal(single, photochrom.run(CHAINS[name], image))
