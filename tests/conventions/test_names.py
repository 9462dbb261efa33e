"""The vocabulary: every name that an operation gives a port or control is known, and means the same everywhere."""

from __future__ import annotations

import re

import pytest
import torch

import photochrom
from photochrom.core.controls import parse
from photochrom.core.registry import registry

PORTS = {"image", "images", "reference", "content", "style", "source", "target", "scribbles", "times", "response",
         "background", "mask", "guide", "edges", "flow",
         "lut", "lut_domain", "image_mask", "reference_mask", "style_mask", "source_mask", "target_mask",
         "scribbles_mask"}

# A name is added here once, with its meaning; the next operation that means the same takes the same name.
CONTROLS = {
    "sigma": "a standard deviation, in pixels and never a radius; of noise, in 8-bit levels",
    "radius": "pixels on each side of the centre",
    "kernel_size": "pixels across",
    "amount": "a gain",
    "alpha": "opacity",
    "gamma": "an exponent",
    "coefficient": "a factor before a power",
    "centre": "the value that stays",
    "stops": "doublings of light",
    "black": "the value that becomes black",
    "white": "the value that becomes white",
    "out_black": "the value that black becomes",
    "out_white": "the value that white becomes",
    "border": "what lies outside the picture",
    "space": "where light is mixed",
    "resample": "the kernel of a change of size",
    "seed": "the only way in for randomness",
    "levels": "a number of levels",
    "bins": "a number of bins",
    "threshold": "where a decision falls",
    "softness": "how far a step is spread",
    "points": "points of a curve",
    "low": "the lower limit",
    "high": "the upper limit",
    "dither": "the pattern that hides steps",
    "estimate": "how the colour of the light is found",
    "neutral": "a colour that should be grey",
    "point": "a place",
    "interpolation": "how a table is read between its entries",
    "beyond": "what becomes of colours outside a table",
    "theta": "the hue that becomes lighter, in degrees",
    "bound": "the largest difference in lightness that chroma makes",
    "weights": "what a grey is made of",
    "axes": "the colour space whose axes are matched",
    "iterations": "how often a step is repeated",
    "regrain": "how much of the original's grain is given back",
    "eps": "a small number that keeps a division apart from 0",
    "assume": "what is known of a camera without measuring it",
    "fog": "how the black of a camera or film is found",
    "align": "whether pictures are moved onto each other first",
    "largest_shift": "the greatest move looked for, in pixels",
    "smoothness": "the weight of a curve's second differences",
    "contrast_weight": "the exponent of a measure of quality, 0 to leave it out",
    "saturation_weight": "the exponent of a measure of quality, 0 to leave it out",
    "exposedness_weight": "the exponent of a measure of quality, 0 to leave it out",
    "clipped": "the share of pixels left out at either end, in per cent",
    "key": "the value that the log-average of a scene becomes",
    "bias": "how a logarithm's base passes from dark to light",
    "base_contrast": "the contrast of the large-scale light",
    "sigma_tone": "a standard deviation in decades of luminance",
    "detail": "the gain of a detail layer",
    "film": "which film curve",
    "operator": "which way of tone mapping",
    "saturation": "the gain of colourfulness",
    "clip_limit": "the most a level of a histogram may hold, as a multiple of its even share",
    "tiles": "how many tiles down and across",
    "acts_on": "whether luminance or each band is changed",
    "bands": "whether bands are treated apart or together",
    "counts": "whether a value counts in one bin or is shared by two",
    "boost": "the gain of a picture before its blur is taken away",
    "sigma_range": "a standard deviation in values",
    "part": "which part of a result",
    "scheme": "the weights of a derivative",
    "neighbours": "which pixels around a pixel count",
    "thresholds": "what limits are counted in",
    "norm": "how the size of a vector is taken",
    "arithmetic": "whether values are rounded on the way",
    "darkness": "the exponent of a stroke",
    "shade": "how much of a picture lies under strokes",
    "size": "height and width of the result",
    "scale": "the factor of both sides",
    "a": "the slope of the cubic kernel at distance 1, as its paper calls it",
    "antialias": "whether weights widen where a picture shrinks",
    "factor": "a whole number of pixels for one",
    "prefilter": "the blur before pixels are left out",
    "between": "what is put between pixels",
    "box": "a part of the picture",
    "matrix": "where points of the picture go",
    "from_points": "places in the picture",
    "to_points": "where those places go",
    "angle": "degrees, counter-clockwise as seen",
    "grow": "whether the result becomes as large as what it shows",
    "direction": "which sides change places",
    "left": "pixels added on a side", "top": "pixels added on a side",
    "right": "pixels added on a side", "bottom": "pixels added on a side",
    "offset": "how far something is moved, x and y in pixels",
    "gradients": "whose changes from pixel to pixel are taken",
    "monochrome": "whether one channel's changes serve for all",
    "edge": "what changes across the edge of a region",
    "keep": "how firmly colours stay as they are",
    "pivot": "the size of change that stays as it is",
    "exponent": "the power to which changes are raised",
    "red": "the gain of a channel", "green": "the gain of a channel", "blue": "the gain of a channel",
    "surroundings": "how much colour stays around a region",
    "weighting": "how likeness becomes a weight",
    "spread": "how widely likeness reaches, in variances",
    "neighbourhood": "which pixels count as neighbours",
    "hints": "whether what is drawn is kept or only pulls",
    "dots": "single pixels and their colour, rows x, y, red, green, blue",
    "solid": "how much of its full colour a stroke has where it counts",
    "firmness": "how much a soft hint counts",
    "smoothing": "the weight of smoothness beside nearness",
    "search": "how far away something is looked for",
    "kernel": "the weights of a filter",
    "method": "how a result is computed that is the same by all",
    "cutoff": "the frequency where a filter ends",
    "unit": "what a frequency is counted in",
    "shape": "how a filter falls off",
    "order": "how steeply",
    "mirror": "whether the mirror image lies outside, or the other side",
    "at": "where in the spectrum",
    "width": "the radius of a hole in the spectrum",
    "model": "which network",
    "ensemble": "whether the mean over turned and mirrored pictures is taken",
    "precision": "the numbers a network computes with",
    "backend": "what computes a network",
    "keep_mean": "whether the mean of each channel stays",
    "unknown": "what is done about noise whose strength is not known",
    "noise": "the power of noise, as a share of the picture's",
    "clip": "whether what leaves the display range is cut off",
    "quality": "how much a lossy file keeps, 1 to 100",
    "subsampling": "the resolution of colour in a lossy file",
}
NOISE = {"add_noise", "denoise"}
"""Operations whose sigma is that of noise."""
UNITS = {"", "px", "EV", "deg", "%", "levels"}


@pytest.mark.parametrize("name", registry.names())
def test_names_belong_to_the_vocabulary(name: str) -> None:
    operation = registry.get(name)
    assert operation.main in ("image", "images")
    assert set(operation.ports) <= PORTS, "a new port name is a decision: add it to PORTS"
    assert set(operation.controls) <= set(CONTROLS), "a new control name is a decision: add it to CONTROLS"
    for control in operation.controls.values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", control.name)
        assert control.range is None or control.range.unit in UNITS
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name.replace("color2gray", "gray"))   # the paper's name


@pytest.mark.parametrize("name", registry.names())
def test_lengths_are_in_pixels(name: str) -> None:
    for control in registry.get(name).controls.values():
        if control.name in ("sigma", "radius", "kernel_size"):
            assert control.range is not None
            noise = control.name == "sigma" and name in NOISE
            assert control.range.unit == ("levels" if noise else "px")
            assert control.kind == ("float" if control.name == "sigma" else "int")


@pytest.mark.parametrize("name", registry.names())
def test_a_name_means_the_same_choices_everywhere(name: str) -> None:
    for control in registry.get(name).controls.values():
        if control.kind == "choice":
            for other in photochrom.operations():
                twin = other.controls.get(control.name)
                if twin is not None:   # an operation may offer a part of them
                    assert set(twin.choices) <= set(control.choices) or set(control.choices) <= set(twin.choices)


def test_conversions_are_called_a_to_b() -> None:
    import photochrom.color.l_alpha_beta as lab
    import photochrom.color.srgb as srgb

    for module in (lab, srgb):
        public = [name for name, value in vars(module).items()
                  if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")]
        assert len(public) == 2
        for name in public:
            assert re.fullmatch(r"\w+_to_\w+", name)
            there, back = name.split("_to_")
            assert f"{back}_to_{there}" in public


def test_points_are_x_y_and_sizes_h_w_written_as_people_write_them() -> None:
    assert parse("point", "3,5") == (3.0, 5.0)
    assert parse("size", "640x480") == (480, 640), "typed width x height, kept as (h, w)"


def test_chapters_are_those_of_the_house() -> None:
    from photochrom.ops import CHAPTERS

    known = ("tone histogram transfer gray colorize filter frequency gradient hdr geometry degrade restore style face "
             "compose")
    assert set(CHAPTERS) <= set(known.split())


def test_errors_are_one_sentence_naming_operation_argument_expected_and_got() -> None:
    image = torch.zeros(1, 3, 4, 4)
    wrong = [lambda: photochrom.gaussian(image, sigma=1000), lambda: photochrom.gaussian(image, sigma="wide"),
             lambda: photochrom.gaussian(image, border="wall"), lambda: photochrom.gaussian(image, sigmma=1),
             lambda: photochrom.gaussian(image.byte()), lambda: photochrom.gaussian("photo.jpg"),
             lambda: photochrom.gaussian(image[0]), lambda: photochrom.gaussian(),
             lambda: photochrom.transfer_statistics(image), lambda: photochrom.transfer_statistics(image[:, :2], image),
             lambda: photochrom.Step(photochrom.gaussian, strength=3)]
    for call in wrong:
        with pytest.raises(photochrom.PhotochromError) as error:
            call()
        text = str(error.value)
        assert re.match(r"(gaussian|transfer_statistics)\b", text)
        assert re.search(r"\b(got|needs|no control)\b", text)
        assert "\n" not in text
        assert not text.endswith(".")
        assert isinstance(error.value, ValueError)
