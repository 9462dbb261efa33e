"""A step: an operation with its controls and pictures bound, and with the two controls every step has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.core.alpha import with_alpha
from photochrom.core.controls import Control
from photochrom.core.door import enter, enter_port, fit_channels
from photochrom.core.errors import ControlError, nearest
from photochrom.core.op import Operation, Statistics, operation_of
from photochrom.core.types import Range

STRENGTH = Control("strength", "float", 1.0, Range(0, 1, neutral=0), (), True,
                   "how much of the operation is taken; 0 gives the input back bit for bit, 1 the whole operation")
MASK_HELP = "where the operation acts: white = fully, black = not at all; of the size of the picture"


class Tensors(nn.Module):
    """Named tensors of a step. Kept in the module's own tables, so that no name can shadow an attribute."""

    def __setitem__(self, name: str, value: Tensor) -> None:
        self.discard(name)
        if isinstance(value, nn.Parameter):
            self._parameters[name] = value
        else:
            self._buffers[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute: nn.Module would look among the tensors first, where one may be called `training`."""
        if isinstance(value, Tensor):
            self[name] = value
        else:
            object.__setattr__(self, name, value)

    def discard(self, name: str) -> None:
        """Forget a tensor, if it is there."""
        self._parameters.pop(name, None)
        self._buffers.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._parameters or name in self._buffers

    def items(self) -> dict[str, Tensor]:
        """Return all tensors by name."""
        return {name: value for table in (self._parameters, self._buffers)
                for name, value in table.items() if value is not None}


class Step(nn.Module):
    """One operation of a recipe, as a module.

    Args:
        operation: an operation, such as `photochrom.unsharp_mask`.
        strength: 0 gives the input back bit for bit, 1 the operation; a number or a floating tensor.
        mask: (B or 1, 1, H, W) in 0..1, or any picture the door takes, or the name of a file to be bound later.
        arguments: the operation's controls by name, and its further pictures (tensors, arrays, PIL, file names).

    Raises:
        ControlError: an unknown name, or a value of the wrong type or outside its range.

    Example:
        >>> import torch, photochrom
        >>> step = photochrom.Step(photochrom.brightness, amount=0.25, strength=0.5)
        >>> step(torch.zeros(1, 3, 2, 2)).unique().item()
        0.125
    """

    def __init__(self, operation: Any, /, *, strength: Any = 1.0, mask: Any = None, **arguments: Any) -> None:
        super().__init__()
        self.operation: Operation = operation_of(operation)
        self.controls: dict[str, Any] = {}
        self.tensors = Tensors()
        self.pictures = Tensors()
        self.files: dict[str, str] = {}
        self.brought: frozenset[str] = frozenset()
        """Ports that were filled by what was given for another: an alpha, a table's domain."""
        if not self.operation.chains:
            raise ControlError(f"{self.operation.name} does not turn one picture into one, so it cannot be a step")
        ports = self.operation.others
        for name in [name for name in dict.fromkeys(("mask", *ports)) if name in arguments or name == "mask"]:
            picture = mask if name == "mask" else arguments.pop(name)
            if picture is not None:
                self.bind(name, picture)
        for name in arguments:
            if name not in self.operation.controls:
                known = [*self.operation.controls, *ports, "strength", "mask"]
                raise ControlError(f"{self.operation.name} has no control '{name}'{nearest(name, known)}")
        self.set("strength", strength)
        for name, control in self.operation.controls.items():
            self.set(name, arguments.get(name, control.default))
        self._check_size({**self.controls, **self.tensors.items()})

    def set(self, name: str, value: Any) -> None:
        """Set one control; a tensor becomes a parameter if it is one, else a buffer."""
        control = STRENGTH if name == "strength" else self.operation.controls[name]
        checked = control.check(value, self.operation.name)
        self._check_size({**self.controls, **self.tensors.items(), name: checked})
        self.controls.pop(name, None)
        self.tensors.discard(name)
        if isinstance(checked, Tensor):
            self.tensors[name] = checked
        else:
            self.controls[name] = checked

    def bind(self, name: str, picture: Any) -> None:
        """Bind a picture to a port (or to `mask`): a picture the door takes, or a file name to be bound later."""
        if name == "mask":
            self._check_size({**self.controls, **self.tensors.items()}, masked=True)
        if isinstance(picture, (str, Path)):
            self.files[name] = str(picture)
            return
        for port, tensor in enter_port(self.operation, name, picture).items():
            if port == name or port not in self.pictures or port in self.brought:
                self.pictures[port] = tensor
                self.brought = self.brought - {port} if port == name else self.brought | {port}

    def _check_size(self, known: Mapping[str, Any], masked: bool = False) -> None:
        """Raise where a result of another size would have to be blended with the picture."""
        if any(name not in known for name in ("strength", *self.operation.controls)):
            return   # still being set up
        masked = masked or "mask" in self.pictures or "mask" in self.files
        whole = not isinstance(known["strength"], Tensor) and known["strength"] == 1
        if (not whole or (masked and "mask" not in self.operation.ports)) and self.operation.changes_size(
                {name: known[name] for name in self.operation.controls}):
            raise ControlError(f"{self.operation.name} changes the size, so it takes neither strength nor mask")

    def values(self) -> dict[str, Any]:
        """Return the operation's controls, tensors included."""
        known = {**self.controls, **self.tensors.items()}
        return {name: known[name] for name in self.operation.controls}

    def forward(self, image: Any) -> Any:
        """Run the step on a picture of any kind the door takes; the same kind comes back."""
        opened = enter(image, self.operation.name)
        return opened.back(*self.run(opened.image, opened.alpha))

    def references(self) -> dict[str, Tensor]:
        """Return the pictures bound to the operation's ports; raise if one is missing."""
        bound = self.pictures.items()
        for name in self.operation.others:
            if name not in bound and (name in self.files or not self.operation.ports[name].optional):
                missing = f"the file {self.files[name]!r} is not read yet" if name in self.files else "none is bound"
                raise ControlError(f"{self.operation.name} needs the picture '{name}': {missing}")
        return {name: fit_channels(self.operation, name, bound[name])
                for name in self.operation.others if name in bound}

    def measure(self, image: Tensor, alpha: Tensor | None = None, rows: slice = slice(None)) -> Statistics:
        """Return the statistics of some rows of the image, for an operation that is measured."""
        weights = self._cut(image, rows).get("image_mask")
        own = {} if weights is None else {"image_mask": weights}
        return self.operation.statistics(image, alpha, own, self.values(), rows.start or 0)["image"]

    def measure_references(self, like: Tensor) -> dict[str, Statistics]:
        """Return the statistics of the pictures bound to the ports, in the dtype and on the device of `like`."""
        others = {name: picture.to(like) for name, picture in self.references().items() if name != "image_mask"}
        known = self.operation.statistics(like, None, others, self.values())
        return {name: found for name, found in known.items() if name != "image"}

    def colours(self) -> int | None:
        """Return how many colour channels the step needs, None for any: a control may hold a number for each."""
        numbers = {name: value for name, value in self.tensors.items().items()
                   if name != "strength" and self.operation.controls[name].kind == "float"}
        found = {value.shape[1] for value in numbers.values() if value.ndim == 2 and value.shape[1] > 1}
        return self.operation.channels if self.operation.channels is not None else max(found, default=None)

    def _fit(self, image: Tensor) -> Tensor:
        """Return the image with the channels the step needs: grey is three equal channels, else raise."""
        image, needed = fit_channels(self.operation, "image", image), self.colours()
        if needed is None or image.shape[1] == needed:
            return image
        if needed == 3 and image.shape[1] == 1:
            return image.expand(-1, 3, -1, -1)
        raise ControlError(f"{self.operation.name}: a control holds a number for each of {needed} channels, the "
                           f"picture has {image.shape[1]}")

    def channels_out(self, channels: int) -> int:
        """Return how many colour channels come out when `channels` go in."""
        strength, gives = self.strength(), self.operation.gives
        if gives is None or (isinstance(strength, float) and strength == 0):
            return channels
        whole = isinstance(strength, float) and strength == 1 and "mask" not in self.pictures
        return gives if whole else max(gives, channels)

    def strength(self) -> float | Tensor:
        """Return the strength, a number or a tensor."""
        return {**self.controls, **self.tensors.items()}["strength"]

    def _cut(self, like: Tensor, rows: slice) -> dict[str, Tensor]:
        """Return the pictures of the ports, those that lie over the image cut to `rows`."""
        return {name: (picture[..., rows, :] if self.operation.ports[name].aligned else picture).to(like)
                for name, picture in self.references().items()}

    def run(self, image: Tensor, alpha: Tensor | None = None, *, rows: slice = slice(None),
            statistics: Mapping[str, Statistics] | None = None) -> tuple[Tensor, Tensor | None]:
        """Run the step on a tensor that may be some rows of a larger picture.

        Args:
            image: (B, C, h, W).
            alpha: (B, 1, h, W) or None.
            rows: which rows of the whole picture these are, so that mask and aligned pictures are cut alike.
            statistics: by port, those of the whole pictures; measured here if not given.

        Returns:
            The new image and alpha.
        """
        strength = self.strength()
        if isinstance(strength, float) and strength == 0:
            return image, alpha
        image = self._fit(image)
        result, covered = with_alpha(self.operation, image, alpha, self.values(),
                                     self._call(image, alpha, rows, statistics))
        mask = self._mask(image, result, rows)
        if mask is None and isinstance(strength, float) and strength == 1:
            return result, covered
        weight = strength if mask is None else mask * strength
        if not isinstance(weight, Tensor):
            weight = torch.tensor(weight)
        weight = weight.to(result)
        if weight.ndim == 1:
            weight = weight[:, None, None, None]
        if result.shape[1] != image.shape[1]:   # a grey result mixed into a colour picture
            channels = max(result.shape[1], image.shape[1])
            image, result = image.expand(-1, channels, -1, -1), result.expand(-1, channels, -1, -1)
        blended = torch.lerp(image.to(result), result, weight)
        if alpha is not None and covered is not None and covered is not alpha:
            covered = torch.lerp(alpha, covered, weight)
        return blended, covered

    def _call(self, image: Tensor, alpha: Tensor | None, rows: slice,
              statistics: Mapping[str, Statistics] | None) -> Callable[..., Tensor]:
        measured, values = self.operation.measured, self.values()
        others = self._cut(image, rows)
        if measured is None:
            self.operation.check_weights(image, others)
            return lambda picture, **changed: self.operation.function(picture, **others, **{**values, **changed})
        known = statistics or self.operation.statistics(image, alpha, others, values)
        return lambda picture, **changed: measured.apply(picture, known, **{**values, **changed})

    def _mask(self, image: Tensor, result: Tensor, rows: slice) -> Tensor | None:
        mask = None if "mask" in self.operation.ports else self.pictures.items().get("mask")
        if mask is None:
            if "mask" in self.files and "mask" not in self.operation.ports:
                raise ControlError(f"{self.operation.name}: the mask file {self.files['mask']!r} is not read yet")
            return None
        part = mask[..., rows, :]
        if part.shape[-2:] != image.shape[-2:] or result.shape[-2:] != image.shape[-2:]:
            raise ControlError(f"{self.operation.name}: the mask is {mask.shape[-1]} x {mask.shape[-2]} pixels, "
                               f"the picture is of another size")
        return part.to(result)

    def extra_repr(self) -> str:
        """Show what one would type."""
        shown = [f"{name}={value!r}" for name, value in self.controls.items()]
        return ", ".join([self.operation.name, *shown])
