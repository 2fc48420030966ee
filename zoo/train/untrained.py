"""Untrained copies of models: the same architecture with fresh initial weights."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zoo.base.device import to_device
from zoo.data.batches import pick
from zoo.data.image_set import ImageSet
from zoo.hub.find import FoundModel
from zoo.model_folder.preprocess import takes_images
from zoo.model_folder.timm_load import untrained_timm_model
from zoo.model_folder.transformers_load import untrained_transformers_model
from zoo.train.build import build
from zoo.train.evaluate import settle_batch_norm_on

# Copies use the other end of the range of seeds, so that no model was trained from the initial weights of a copy.
LAST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class UntrainedCopy(FoundModel):
    """An untrained copy of a model. It stands in for a `FoundModel` wherever models run.

    Args:
        seed: seed of the initial weights, from 0.
        data: images that the batch norm statistics come from, as the model sees them.
        batch_size: images per minibatch for the batch norm statistics.
    """

    seed: int
    data: ImageSet = field(repr=False, compare=False)
    batch_size: int

    @property
    def sha256(self) -> str:
        """A hash that stands for the weights; configuration and seed determine them."""
        return hashlib.sha256(f"untrained, seed {self.seed}".encode()).hexdigest()

    def load(self, device: str, cropped: bool = False) -> nn.Module:
        """Build the copy in eval mode. It takes images as the trained model does.

        The trained model must have been loaded before, which checks that config.json fits the weights file.

        Args:
            device: a torch device.
            cropped: whether the images that it gets are decoded for this model.

        Raises:
            ZooError: the architecture cannot be built.
        """
        model = takes_images(to_device(self._build(), device), self.config.pretrained_cfg, cropped)
        settle_batch_norm_on(model, (images.to(device) for images in self._minibatches()))
        return model.eval()

    def _build(self) -> nn.Module:
        generator = torch.Generator().manual_seed(LAST_SEED - self.seed)
        if self.config.spec is not None:
            return build(self.config.spec, generator)
        if self.config.transformers_class is not None:
            return untrained_transformers_model(self.folder, self.config, generator)
        return untrained_timm_model(self.folder, self.config, generator)

    def _minibatches(self) -> Iterator[Tensor]:
        """Minibatches in random order, since images may be sorted by class."""
        generator = torch.Generator().manual_seed(self.seed)
        parts = torch.randperm(len(self.data), generator=generator).split(self.batch_size)
        return pick(self.data.images, parts)


def untrained_copy(model: FoundModel, seed: int, data: ImageSet, batch_size: int) -> UntrainedCopy:
    """An untrained copy of a model, not built yet.

    Members of both families are initialised as in the paper's code, other architectures as in timm or transformers.
    Batch norm statistics are means over the minibatches of the given images.

    Args:
        model: the trained model.
        seed: seed of the initial weights, from 0.
        data: images for the batch norm statistics, as the model sees them.
        batch_size: images per minibatch.
    """
    return UntrainedCopy(
        ref=f"untrained copy of {model.ref}",
        name=model.name,
        folder=model.folder,
        config=model.config,
        revision=model.revision,
        seed=seed,
        data=data,
        batch_size=batch_size,
    )
