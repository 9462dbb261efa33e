"""The card of a set of weights, in Markdown with the header that model hubs read."""

from __future__ import annotations

import json

from photochrom.nets.descriptor import Descriptor

_TASKS = {"upscale": "image-super-resolution", "denoise": "image-denoising", "deblock": "image-deblocking"}
_DOES = {"upscale": "enlarges pictures", "denoise": "takes noise off pictures",
         "deblock": "takes JPEG's blocks off pictures"}


def card_text(known: Descriptor) -> str:
    """Return the card of a description.

    Example:
        >>> print(card_text(Descriptor("espcn-x3", "espcn", scale=3)).splitlines()[7])
        # espcn-x3
    """
    header = ["---", f"license: {json.dumps(known.licence)}", "library_name: photochrom",
              "pipeline_tag: image-to-image", f"tags: [photochrom, {known.architecture}, {_TASKS[known.task]}]", "---"]
    facts = {
        "architecture": f"{known.architecture} {known.parameters or ''}".strip(),
        "scale": ", ".join(map(str, known.scales)) if known.task == "upscale" else "",
        "noise": "{:g} to {:g} of 255".format(*known.sigma) if known.sigma[1] else "",
        "channels": {"y": "luminance", "gray": "grey", "rgb": "colour"}[known.channels],
        "reads around a pixel": "the whole picture" if known.halo is None else f"{known.halo} pixels",
        "training data": known.data, "licence of the data": known.data_licence, "licence of the weights": known.licence,
        "SHA-256 of the tensors": known.sha256,
    }
    lines = ["", f"# {known.name}", "", f"A network that {_DOES[known.task]}.", "", "| | |", "|---|---|",
             *(f"| {name} | {fact} |" for name, fact in facts.items() if fact)]
    if known.figures:
        lines += ["", "| score | |", "|---|---|",
                  *(f"| {name} | {value:.4g} |" for name, value in known.figures.items())]
        if known.protocol:
            lines += ["", f"Protocol: {known.protocol}."]
    lines += ["", "```python", "from photochrom.nets.weights import load", "",
              f'network = load("{known.name}")', "```", ""]
    return "\n".join(header + lines)
