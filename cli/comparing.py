"""`compare A B` and `zoo compare A B`: what two models share and where they differ."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import BatchSize, Device, Json, Seed
from cli.output import check_result_path, interruptible, show, write_result
from cli.progress import Tracked, progress_bar
from zoo.errors import ZooError
from zoo.hub import resolve

if TYPE_CHECKING:
    from compare.result import Comparison, ModelResult
    from zoo.checkpoint import ModelConfig
    from zoo.data import ImageSet

JSON_START, PNG_START = b'{"format', b"\x89PNG\r\n\x1a\n"


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A model folder.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="Another, for the same classes.", show_default=False)],
    dataset: Annotated[str | None, typer.Option(help="Data set to compare on.", show_default="A's own")] = None,
    split: Annotated[str, typer.Option(help="Its split.")] = "test",
    max_examples: Annotated[
        int | None, typer.Option(help="At most so many, class-balanced.", show_default="all")
    ] = None,
    layers: Annotated[str, typer.Option(help="all, or globs such as 'stage3.*,head.*'.")] = "all",
    batch_size: BatchSize = None,
    passes: Annotated[int, typer.Option(help="Passes over the images for CKA.")] = 1,
    precision: Annotated[str, typer.Option(help="Of the Gram matrices: fp32 or fp64.")] = "fp32",
    seed: Seed = 0,
    device: Device = "auto",
    json_file: Json = None,
    png: Annotated[Path | None, typer.Option(help="Write the heatmaps as a picture.", show_default=False)] = None,
) -> None:
    """Show what two models share and where they differ.

    CKA within and between them, block structure, and their disagreement on classes and images. For example:
    compare models/resnet14-w1-digits-s0 models/resnet74-w1-digits-s0
    """
    if json_file is not None and json_file == png:
        raise ZooError(f"--json and --png must be two files, got {png} for both.")
    for path, beginning in ((json_file, JSON_START), (png, PNG_START)):
        if path is not None:
            check_result_path(path, beginning)
    with interruptible("nothing was written"):
        result = compare_folders(
            resolve(a),
            resolve(b),
            dataset=dataset,
            split=split,
            max_examples=max_examples,
            layers=layers,
            batch_size=batch_size,
            passes=passes,
            precision=precision,
            seed=seed,
            device=device,
        )
    if json_file is not None:
        write_result(json_file, result.to_json().encode() + b"\n")
    if png is not None:
        from cards.picture import heatmaps_png

        write_result(png, heatmaps_png(result))
    if str(json_file) != "-":
        from cli.report import Report

        show(Report(result))


def compare_folders(
    folder_a: Path,
    folder_b: Path,
    *,
    dataset: str | None,
    split: str,
    max_examples: int | None,
    layers: str,
    batch_size: int | None,
    passes: int,
    precision: str,
    seed: int,
    device: str,
) -> "Comparison":
    """Compare the models of two folders on a split of a data set; arguments as in the command."""
    from compare.gram import MIN_EXAMPLES
    from compare.run import compare_models, default_batch_size
    from zoo.checkpoint import load_checkpoint, read_config
    from zoo.data import ShuffledBatches, balanced_subset
    from zoo.device import pick_device
    from zoo.sources import load_images
    from zoo.transforms import takes_images

    device = pick_device(device)
    config_a, config_b = read_config(folder_a), read_config(folder_b)
    data = load_images(dataset or config_a.zoo.dataset, split)
    check_fit(config_a, config_b, data)
    if max_examples is not None:
        data = balanced_subset(data, min(max_examples, len(data)), seed)
    if batch_size is None:
        batch_size = default_batch_size(len(data))
    elif batch_size < MIN_EXAMPLES:
        raise ZooError(f"--batch-size must be at least {MIN_EXAMPLES}, got {batch_size}.")
    model_a, model_b = (
        takes_images(load_checkpoint(folder), config.pretrained_cfg.mean, config.pretrained_cfg.std).to(device)
        for folder, config in ((folder_a, config_a), (folder_b, config_b))
    )
    with progress_bar() as progress:
        batches = Tracked(ShuffledBatches(data, batch_size, seed), progress, "comparing", passes)
        result = compare_models(
            model_a,
            model_b,
            batches,
            layers=layers,
            passes=passes,
            precision=precision,
            class_names=data.classes,
        )
    return replace(
        result,
        models=replace(
            result.models,
            a=_identify(result.models.a, folder_a, config_a),
            b=_identify(result.models.b, folder_b, config_b),
        ),
        dataset=replace(result.dataset, name=data.name, split=data.split, fingerprint=data.fingerprint),
        settings=result.settings | {"seed": seed, "device": device, "max_examples": max_examples},
    )


def check_fit(config_a: "ModelConfig", config_b: "ModelConfig", data: "ImageSet") -> None:
    """Refuse models that cannot see the same images and name the same classes.

    Args:
        config_a: of the first model.
        config_b: of the second.
        data: the images.

    Raises:
        ZooError: classes or input sizes differ.
    """
    for side, config in (("a", config_a), ("b", config_b)):
        if config.label_names != data.classes:
            raise ZooError(
                f"expected models for the {len(data.classes)} classes of {data.name} ({_some(data.classes)}), "
                f"got {side} for {config.num_classes} ({_some(config.label_names)}); compare models of one data set."
            )
        size = config.pretrained_cfg.input_size
        if size != data.input_size:
            raise ZooError(
                f"expected models for images of {_size(data.input_size)} as in {data.name}, got {side} for "
                f"{_size(size)} (channels x height x width); compare models of one data set."
            )


def _identify(model: "ModelResult", folder: Path, config: "ModelConfig") -> "ModelResult":
    from zoo.checkpoint import file_sha256
    from zoo.folder import WEIGHTS

    return replace(
        model,
        ref=str(folder),
        name=folder.resolve().name,
        sha256=file_sha256(folder / WEIGHTS),
        architecture=config.architecture,
    )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _size(size: tuple[int, int, int]) -> str:
    return "x".join(map(str, size))
