"""Operations, one file each. This list is the registry: the function NAME lives in `ops/CHAPTER/NAME.py`."""

from photochrom.core.registry import registry

CHAPTERS: dict[str, tuple[str, ...]] = {
    "tone": ("exposure", "power", "brightness", "contrast", "negative", "levels"),
    "filter": ("gaussian", "box", "unsharp_mask"),
    "transfer": ("transfer_statistics",),
}

registry.declare("photochrom.ops", CHAPTERS)
