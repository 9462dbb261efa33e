"""A network with its description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelHubMixin
from torch import Tensor, nn

from photochrom.core.errors import ControlError
from photochrom.nets.card import card_text
from photochrom.nets.descriptor import Descriptor, build, halo_of


class Network(nn.Module, ModelHubMixin):
    """A module that takes and gives pictures (B, C, H, W) in 0..1, and what is known of its weights."""

    def __init__(self, body: nn.Module, descriptor: Descriptor) -> None:
        super().__init__()
        self.body = body
        self.descriptor = replace(descriptor, halo=halo_of(body))

    @classmethod
    def new(cls, descriptor: Descriptor) -> Network:
        """Return the network of a description, with weights drawn at random."""
        return cls(build(descriptor.architecture, descriptor.parameters), descriptor)

    def forward(self, image: Tensor, scale: int | None = None) -> Tensor:
        """Restore a picture, or several of one size.

        Args:
            image: (B, C, H, W) in 0..1; enlarged beforehand where the description says `interpolated`.
            scale: which of the factors, where several are offered.

        Returns:
            The restored picture; not clipped.
        """
        known = self.descriptor
        if scale is not None and scale not in known.scales:
            raise ControlError(f"{known.name}: expected a scale of {', '.join(map(str, known.scales))}, got {scale}")
        black, white = known.range
        plain = (black, white) == (0, 1)
        given = image if plain else image * (white - black) + black
        if len(known.scales) > 1 and not known.interpolated:
            made: Tensor = self.body(given, scale=scale or known.scales[0])
        else:
            made = self.body(given)
        return made if plain else (made - black) / (white - black)

    def finite(self) -> bool:
        """Tell whether all weights are numbers."""
        return all(bool(torch.isfinite(part).all()) for part in self.state_dict().values() if part.is_floating_point())

    def _save_pretrained(self, save_directory: Path) -> None:
        from photochrom.nets.weights import save

        save(self, save_directory / "model.safetensors")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, *, force_download: bool = False,
                        token: str | bool | None = None, cache_dir: str | Path | None = None,
                        local_files_only: bool = False, revision: str | None = None, **_: Any) -> Network:
        """Return the network of a folder that `save_pretrained` wrote, or of a repository of a hub.

        All that is needed is in the file of weights; the hub's `config.json` is not asked for.

        Args:
            pretrained_model_name_or_path: the folder, or owner/repository.
            force_download: fetch what is in the cache already.
            token: for repositories that are not open to all.
            cache_dir: in place of the hub's own cache.
            local_files_only: look into the cache alone.
            revision: a branch, a tag or a commit.

        Raises:
            FileError: there is no such thing, it is damaged or cannot be reached.
        """
        from photochrom.nets.hub import fetch
        from photochrom.nets.weights import load

        folder = Path(pretrained_model_name_or_path)
        if folder.is_dir():
            return load(folder / "model.safetensors")
        return load(fetch(str(pretrained_model_name_or_path), revision=revision, cache_dir=cache_dir,
                          force_download=force_download, local_files_only=local_files_only, token=token))

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """Return the card of these weights: what they do, figures, data and licences."""
        return ModelCard(card_text(self.descriptor))
