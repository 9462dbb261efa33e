"""The convolutional parts of three classifiers, whose inner pictures LPIPS compares."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Backbone:
    """A classifier's features, cut where they are compared.

    Attributes:
        layers: the layers as torchvision numbers them.
        cuts: the layers after which a picture is taken.
        files: how the names of its published files begin.
    """

    layers: tuple[nn.Module, ...]
    cuts: tuple[int, ...]
    files: tuple[str, ...]


class Fire(nn.Module):
    """Squeeze to few channels, expand by 1 x 1 and 3 x 3 side by side.

    Reference:
        Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters. arXiv 1602.07360, 2016.
    """

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        """Take `channels`, give twice `expanded`."""
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 2 expanded, H, W)."""
        small = functional.relu(self.squeeze(x))
        return functional.relu_(torch.cat([self.expand1x1(small), self.expand3x3(small)], 1))


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)   # of a convolution's result, which nobody else reads


def squeeze() -> Backbone:
    """SqueezeNet 1.1."""
    pool = [nn.MaxPool2d(3, 2, ceil_mode=True) for _ in range(3)]
    return Backbone((nn.Conv2d(3, 64, 3, 2), _relu(), pool[0], Fire(64, 16, 64), Fire(128, 16, 64), pool[1],
                     Fire(128, 32, 128), Fire(256, 32, 128), pool[2], Fire(256, 48, 192), Fire(384, 48, 192),
                     Fire(384, 64, 256), Fire(512, 64, 256)), (1, 4, 7, 9, 10, 11, 12), ("squeezenet1_1",))


def alex() -> Backbone:
    """AlexNet as torchvision has it (Krizhevsky: One weird trick. arXiv 1404.5997, 2014)."""
    return Backbone((nn.Conv2d(3, 64, 11, 4, 2), _relu(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2),
                     _relu(), nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), _relu(),
                     nn.Conv2d(384, 256, 3, padding=1), _relu(), nn.Conv2d(256, 256, 3, padding=1), _relu()),
                    (1, 4, 7, 9, 11), ("alexnet",))


def vgg() -> Backbone:
    """VGG of 16 layers (Simonyan, Zisserman: Very deep convolutional networks. ICLR 2015)."""
    layers: list[nn.Module] = []
    channels = 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if layers:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), _relu()]
            channels = width
    return Backbone(tuple(layers), (3, 8, 15, 22, 29), ("vgg16",))


BACKBONES = {"squeeze": squeeze, "alex": alex, "vgg": vgg}
