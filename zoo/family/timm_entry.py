"""Entry of the CIFAR family in timm's registry: `timm.create_model("cifar_resnet", depth=14, width=1)`."""

from collections.abc import Sequence
from typing import Any, cast

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model

from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet

default_cfgs = generate_default_cfgs(
    {
        "cifar_resnet": {
            "num_classes": 10,
            "input_size": (3, 32, 32),
            "mean": (0.0, 0.0, 0.0),
            "std": (1.0, 1.0, 1.0),
            "crop_pct": 1.0,
            "pool_size": None,
            "first_conv": "stem.conv",
            "classifier": "head.fc",
        }
    }
)


@register_model
def cifar_resnet(pretrained: bool = False, **kwargs: Any) -> CifarResNet:
    """Build a member of the CIFAR family; model arguments are those of `zoo.family.cifar.Variant`."""
    return build_model_with_cfg(_build, "cifar_resnet", pretrained, **kwargs)


def _build(
    depth: int = 14,
    width: float = 1.0,
    in_chans: int = 3,
    num_classes: int = 10,
    stage_blocks: Sequence[int] | None = None,
) -> CifarResNet:
    # A config.json gives a list of any length; `Variant` checks it.
    blocks = None if stage_blocks is None else cast(tuple[int, int, int], tuple(stage_blocks))
    return CifarResNet(Variant(depth, width, in_chans, num_classes, blocks))
