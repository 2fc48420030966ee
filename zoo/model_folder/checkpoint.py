"""Save and load model folders; files are checked before a model is built from them."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from torch import nn

from zoo.base.files import utf8_path
from zoo.errors import ZooError
from zoo.family.cifar import Variant
from zoo.family.cifar_resnet import CifarResNet
from zoo.model_folder.config import ModelConfig
from zoo.model_folder.config_reader import read_config
from zoo.model_folder.config_writer import family_config, timm_config
from zoo.model_folder.folder import CONFIG, INDEX, RECORD, WEIGHTS
from zoo.model_folder.weights import tensors_by_part, weight_files
from zoo.record.training import TrainingRecord


def save_checkpoint(folder: Path, model: nn.Module, record: TrainingRecord) -> None:
    """Write model.safetensors, config.json, and training.json into a folder.

    Args:
        folder: an empty folder, such as `zoo.model_folder.folder.new_folder` yields for atomic writes.
        model: the trained model.
        record: its training record.
    """
    from safetensors.torch import save

    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))
    (folder / CONFIG).write_bytes(_config(model, record))
    (folder / RECORD).write_text(record.to_json(), encoding="utf-8")


def _config(model: nn.Module, record: TrainingRecord) -> bytes:
    if record.variant is not None:
        return family_config(record)
    from zoo.model_folder.timm_load import parts

    return timm_config(record, parts(model))


def load_checkpoint(folder: str | Path) -> nn.Module:
    """Load the model of a folder: a member of the CIFAR family, or any image model of timm or transformers.

    Args:
        folder: a model folder.

    Returns:
        The model, in eval mode on the CPU. It takes images that are normalised as `read_config(folder).pretrained_cfg`
        says (members of the CIFAR family: scaled to [0, 1]), shape (n, channels, height, width), and returns logits,
        shape (n, classes), or the features of an encoder.

    Raises:
        ZooError: a file is missing, damaged, or belongs to another model.
    """
    from safetensors import SafetensorError

    folder = Path(folder)
    config = read_config(folder)
    files = weight_files(folder)
    try:
        with utf8_path(folder) as place:
            return _load(place, config, [place / file.name for file in files]).eval()
    except SafetensorError as error:
        names = " or ".join(map(str, files[:2]))
        raise ZooError(f"{names} is damaged ({error}); train or download the model again.") from error


def meta_model(folder: Path, config: ModelConfig) -> nn.Module:
    """Build the model of a folder on the meta device, where it takes no memory.

    Args:
        folder: a model folder; its weights are not read.
        config: its configuration.

    Returns:
        The model in eval mode, without weights.

    Raises:
        Exception: timm or transformers cannot build it.
    """
    if config.variant is not None:
        import torch

        with torch.device("meta"):
            return CifarResNet(config.variant).eval()
    if config.transformers_class is None:
        from zoo.model_folder.timm_load import meta_timm_model

        return meta_timm_model(folder, config).eval()
    from zoo.model_folder.transformers_load import meta_transformers_model

    return meta_transformers_model(folder, config).eval()


def check_known(folder: Path, config: ModelConfig) -> None:
    """Check that the installed packages know the architecture of a model, before its weights are downloaded.

    Args:
        folder: the folder of its config.json.
        config: its configuration.

    Raises:
        ZooError: they do not.
    """
    if config.transformers_class is not None:
        from zoo.model_folder.transformers_load import known_class

        known_class(folder, config)
    elif config.variant is None:
        from zoo.family.timm_build import check_architecture

        check_architecture(config.architecture)


def _load(folder: Path, config: ModelConfig, files: Sequence[Path]) -> nn.Module:
    tensors = [_tensors(path) for path in files]
    if files[0].name != WEIGHTS:
        if config.transformers_class is None and not config.in_wrapper:
            raise ZooError(f"expected all weights of {config.architecture} in {folder / WEIGHTS}, got {INDEX}.")
        _check_index(folder / INDEX, {path.name: part for path, part in zip(files, tensors, strict=True)})
    if config.variant is not None:
        return _load_member(config.variant, folder / WEIGHTS, tensors[0])
    if config.transformers_class is None:
        from zoo.model_folder.timm_load import load_timm_model

        return load_timm_model(
            folder, config, files, sum(prod(shape) for part in tensors for _, shape in part.values())
        )
    from zoo.model_folder.transformers_load import load_transformers_model

    return load_transformers_model(folder, config, files)


# Data type and shape of a tensor in a weights file.
Kind = tuple[str, list[int]]


def _tensors(path: Path) -> dict[str, Kind]:
    """Read data types and shapes from the header of a weights file."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {name: (part.get_dtype(), part.get_shape()) for name, part in slices.items()}


def _load_member(variant: Variant, path: Path, tensors: dict[str, Kind]) -> nn.Module:
    import torch
    from safetensors.torch import load_file

    # The meta device allocates no memory, so a config.json cannot request more than its weights file holds.
    with torch.device("meta"):
        model = CifarResNet(variant)
    types = {"torch.float32": "F32", "torch.int64": "I64"}
    expected = {name: (types[str(t.dtype)], list(t.shape)) for name, t in model.state_dict().items()}
    wrong = sorted(name for name in expected.keys() | tensors.keys() if expected.get(name) != tensors.get(name))
    if wrong:
        raise ZooError(
            f"{path} does not fit {variant.name}: expected {wrong[0]} as {_describe(expected.get(wrong[0]))}, got "
            f"{_describe(tensors.get(wrong[0]))}."
        )
    model.load_state_dict(load_file(path), assign=True)
    return model


def _check_index(index: Path, tensors: dict[str, dict[str, Kind]]) -> None:
    """Check that each file has the tensors that the index expects in it."""
    for name, part in tensors_by_part(index).items():
        if name not in tensors[part]:
            raise ZooError(f"{index} expects {name[:100]} in {part}, which has no such tensor; download it again.")


def _describe(kind: Kind | None) -> str:
    return "no tensor" if kind is None else f"{kind[0]} of shape {tuple(kind[1])}"
