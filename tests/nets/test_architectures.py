"""Networks have the published numbers of weights, and a finite reach that is the true one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from photochrom.nets import ARCHITECTURES
from photochrom.nets.descriptor import build, halo_of
from photochrom.nets.dncnn import B, S
from photochrom.nets.edsr import BASELINE, FULL
from photochrom.nets.inference import drift, restore
from photochrom.nets.joined import Joined
from photochrom.nets.ready import ready
from photochrom.nets.weights import Descriptor, Network, parameters

# Papers count in different ways: SRCNN and VDSR weights without biases, the others all of them, to two digits.
WEIGHTS = [("srcnn", {"kernels": (9, 1, 5)}, 8032), ("srcnn", {"kernels": (9, 3, 5)}, 24416),
           ("srcnn", {"kernels": (9, 5, 5)}, 57184), ("vdsr", {}, 664704)]
MILLIONS = [("edsr", {**FULL, "scale": 3}, 43, 0), ("edsr", {**BASELINE, "scale": 4}, 1.5, 1),
            ("mdsr", {"blocks": 80}, 8.0, 1), ("mdsr", {"blocks": 16}, 3.2, 1), ("rdn", {"scale": 3}, 22.3, 1),
            ("rcan", {"scale": 4}, 15.6, 1), ("srresnet", {}, 1.5, 1)]
# By hand from the layers of the papers: 3x3 convolutions of 64, normalisations between, 5x5-3x3-3x3 for ESPCN.
COUNTS = [("espcn", {"scale": 3}, 25 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * 9 + 9),
          ("dncnn", S, 9 * 64 + 15 * (9 * 64 * 64 + 2 * 64) + 9 * 64),
          ("dncnn", B, 9 * 64 + 18 * (9 * 64 * 64 + 2 * 64) + 9 * 64),
          ("dncnn", {**B, "channels": 3}, 27 * 64 + 18 * (9 * 64 * 64 + 2 * 64) + 27 * 64)]
SMALL: dict[str, dict[str, Any]] = {
    "srcnn": {}, "vdsr": {"depth": 4, "features": 8}, "espcn": {"scale": 3}, "dncnn": {"depth": 4, "features": 8},
    "srresnet": {"blocks": 1, "features": 8, "scale": 2}, "edsr": {"blocks": 1, "features": 8, "scale": 3},
    "mdsr": {"blocks": 1, "features": 8}, "rcan": {"groups": 1, "blocks": 1, "features": 16, "reduction": 4},
    "rdn": {"features": 8, "growth": 4, "blocks": 2, "layers": 2, "scale": 4},
}


def small(name: str) -> Network:
    """Return a small network of an architecture with weights from a seed, all of which matter."""
    torch.manual_seed(7)
    made = build(name, SMALL[name])
    with torch.no_grad():
        for part in made.parameters():
            part.copy_(torch.randn_like(part) * (1.5 / max(1, part[0].numel()) ** 0.5 if part.ndim > 1 else 0.05))
    colour = name not in ("srcnn", "vdsr", "espcn", "dncnn")
    scale = {"espcn": 3, "srresnet": 2, "edsr": 3, "mdsr": (2, 3, 4), "rcan": 2, "rdn": 4}.get(name, (2, 3, 4))
    known = Descriptor(name, name, SMALL[name], task="denoise" if name == "dncnn" else "upscale",
                       scale=1 if name == "dncnn" else scale,
                       channels="rgb" if colour else "gray" if name == "dncnn" else "y")
    return Network(made, known).eval().requires_grad_(False)


@pytest.mark.parametrize(("name", "settings", "expected"), WEIGHTS)
def test_weights_without_biases_are_as_published(name: str, settings: dict, expected: int) -> None:
    assert sum(part.numel() for part in build(name, settings).parameters() if part.ndim == 4) == expected


@pytest.mark.parametrize(("name", "settings", "millions", "digits"), MILLIONS)
def test_millions_of_weights_are_as_published(name: str, settings: dict, millions: float, digits: int) -> None:
    with torch.device("meta"):
        count = parameters(build(name, settings)) / 1e6
    assert (int(count) if digits == 0 else round(count, digits)) == millions


@pytest.mark.parametrize(("name", "settings", "expected"), COUNTS)
def test_counts_by_hand(name: str, settings: dict, expected: int) -> None:
    assert parameters(build(name, settings)) == expected


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "rcan"])
def test_the_reach_is_the_true_one(name: str) -> None:
    """A changed pixel changes the result within the halo, and the halo is not more than one pixel too wide."""
    network = small(name)
    body, channels = network.body, 3 if network.descriptor.channels == "rgb" else 1
    reach = halo_of(body)
    assert reach is not None
    if name == "srcnn":
        assert reach == 4 + 2 + 2
    middle = reach + 3
    image = torch.rand(1, channels, 5, 2 * middle + 1, generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4
    other = image.clone()
    other[..., middle] += 0.3
    settings = {"scale": 2} if name == "mdsr" else {}
    with torch.no_grad():
        moved = (body(image, **settings) != body(other, **settings)).any(2).any(1)[0].nonzero().flatten()
    larger = 2 if name == "mdsr" else {"espcn": 3, "srresnet": 2, "edsr": 3, "rdn": 4}.get(name, 1)
    first, last = int(moved.min()) / larger, (int(moved.max()) + 1) / larger
    assert middle - reach <= first <= middle - reach + 2
    assert middle + reach - 1 <= last <= middle + reach + 1


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_tiles_are_the_whole(name: str) -> None:
    network = small(name)
    channels = 3 if network.descriptor.channels == "rgb" else 1
    image = torch.rand(1, channels, 53, 47, generator=torch.Generator().manual_seed(2))
    scale = 1 if name == "dncnn" else network.descriptor.scales[-1]
    done: list[int] = []
    whole = restore(network, image, scale=scale, tile=4096)
    parts = restore(network, image, scale=scale, tile=24, progress=done.append)
    assert whole.shape == (1, channels, 53 * scale, 47 * scale)
    assert (parts - whole).abs().max() <= 1e-5 * whole.abs().max().clamp(min=1)
    if name == "rcan":
        assert network.descriptor.halo is None
        assert len(done) == 1, "a network that looks at the whole picture gets it"
    else:
        assert len(done) > 3
    assert abs(sum(done) - 53 * 47) <= len(done)


@pytest.mark.parametrize("name", ["espcn", "dncnn"])
def test_the_mean_over_eight_ways_turns_with_the_picture(name: str) -> None:
    network = small(name)
    image = torch.rand(1, 1, 12, 17, generator=torch.Generator().manual_seed(3))
    turned = torch.rot90(image, 1, (-2, -1)).flip(-1)
    made = restore(network, image, ensemble=True)
    again = restore(network, turned, ensemble=True)
    assert torch.allclose(torch.rot90(made, 1, (-2, -1)).flip(-1), again, atol=1e-5)
    assert not torch.allclose(made, restore(network, image), atol=1e-4)


def test_what_is_learnt_afterwards_is_seen() -> None:
    network = small("espcn")
    image = torch.full((1, 1, 6, 6), 0.5)
    before = restore(network, image)
    with torch.no_grad():
        next(network.parameters()).mul_(2)
    assert not torch.equal(restore(network, image), before)


def test_normalisation_is_folded() -> None:
    network = small("dncnn")
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1, generator=torch.Generator().manual_seed(4))
            part.running_var.uniform_(0.5, 2, generator=torch.Generator().manual_seed(5))
    image = torch.rand(1, 1, 9, 11, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        assert torch.allclose(restore(network, image), network(image), atol=1e-5)


WIDE: dict[str, dict[str, Any]] = {
    "vdsr": {"depth": 4, "features": 32}, "dncnn": {"depth": 5, "features": 64, "channels": 3}, "espcn": {"scale": 2},
    "srresnet": {"blocks": 1, "scale": 2}, "edsr": {"blocks": 2, "scale": 3}, "mdsr": {"blocks": 1},
    "rcan": {"groups": 1, "blocks": 1, "scale": 2}, "rdn": {"blocks": 1, "layers": 2, "scale": 2}}
JOINED = {"vdsr": 3, "dncnn": 4, "espcn": 0, "srresnet": 4, "edsr": 6, "mdsr": 7, "rcan": 5, "rdn": 5}
"""Of these, by hand, the convolutions that run as chains: 3x3, of at least 32 channels, worth the way."""


@pytest.mark.parametrize("name", list(WIDE))
def test_chains_of_convolutions_compute_what_the_network_does(name: str) -> None:
    torch.manual_seed(8)
    body = build(name, WIDE[name])
    scale = 2 if name == "mdsr" else WIDE[name].get("scale", 1)
    colour = name not in ("vdsr", "espcn")
    known = Descriptor(name, name, WIDE[name], task="denoise" if name == "dncnn" else "upscale",
                       scale=(2, 3, 4) if name in ("mdsr", "vdsr") else scale, channels="rgb" if colour else "y")
    network = Network(body, known).eval().requires_grad_(False)
    quick = ready(network, quick="fp32")
    layers = [layer for part in quick.modules() if isinstance(part, Joined) for layer in part.layers]
    assert len(layers) == JOINED[name]
    image = torch.rand(1, 3 if colour else 1, 21, 18)
    settings = {"scale": 2} if name == "mdsr" else {}
    expected = network(image, **settings)
    made = quick(image, **settings)
    assert (made - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert torch.equal(restore(network, image, scale=settings.get("scale")), made) or name == "vdsr"


def test_what_is_not_finite_reaches_as_far_as_the_network_reads() -> None:
    network = Network.new(Descriptor("wide", "dncnn", {"depth": 3, "features": 32}, task="denoise", channels="gray"))
    image = torch.rand(1, 1, 20, 20)
    image[..., 10, 10] = torch.nan
    holes = restore(network.eval(), image).isnan()[0, 0].nonzero()
    assert (holes.min(0).values.tolist(), holes.max(0).values.tolist()) == ([7, 7], [13, 13])


def test_a_picture_that_learns_gets_a_gradient() -> None:
    network = Network.new(Descriptor("wide", "dncnn", {"depth": 3, "features": 32}, task="denoise", channels="gray"))
    image = torch.rand(1, 1, 9, 9, requires_grad=True)
    restore(network.eval(), image).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().min() > 0


def test_drift_is_the_change_of_the_mean() -> None:
    assert drift(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 8, 8), 0.25)).unique().item() == 0.25


def test_the_picture_is_not_rounded_before_bfloat16() -> None:
    """Half a level of a light pixel would be lost: 0.9 lies between bfloat16's 0.8984 and 0.9023."""
    body = ready(small("espcn")).body
    first = next(part for part in body.modules() if isinstance(part, torch.nn.Conv2d))
    image = torch.full((1, 1, 12, 12), 0.9)
    seen: list[torch.Tensor] = []
    handle = first.register_forward_hook(lambda part, given, made: seen.extend((given[0], made)))
    with torch.autocast("cpu", torch.bfloat16):
        body(image)
    handle.remove()
    assert torch.equal(seen[0], image)
    assert seen[1].dtype == torch.float32
