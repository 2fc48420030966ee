"""The model card of a trained model: README.md of its folder and of its repository on the Hub."""

from dataclasses import asdict
from shlex import quote
from typing import Any, cast

from cards.model_card.text import (
    BODY,
    CIFAR,
    CITATION,
    CURVES,
    IMAGENET,
    INSIDE,
    PENALTY,
    PRUNED,
    TIMM,
    USE,
    USE_TIMM,
    WARM_UP,
    WEIGHTS,
)
from cards.words.legible import number
from cards.words.markdown import plain_markdown
from cards.words.verdict import structure
from compare.result.comparison import Comparison
from compare.stats.interval import wilson_interval
from zoo.model_folder.card_marker import MARKER, NO_OWNER
from zoo.model_folder.folder import HEATMAP
from zoo.record.fields import ClassAccuracy
from zoo.record.names import hub_id, short_name
from zoo.record.pruning import Measured, Pruned
from zoo.record.training import CARD_KEY, TAG, TrainingRecord

LONGEST_NAME = 100
LICENSE = "apache-2.0"


def model_card(
    record: TrainingRecord,
    inside: Comparison | None = None,
    *,
    repo_id: str | None = None,
    license_name: str | None = None,
) -> str:
    """Write a model card with the metadata that the Hub understands.

    It ends with `MARKER`. Text below the marker belongs to the user.

    Args:
        record: training record of the model.
        inside: the model compared with itself. With it, the card shows the pictures `CURVE` and `HEATMAP`.
        repo_id: repository of the model; None for a placeholder in the examples.
        license_name: license identifier of the Hub; None for apache-2.0.

    Returns:
        The card as Markdown.
    """
    parts = [f"---\n{_metadata(record, license_name or LICENSE)}\n---\n", _body(record)]
    if record.pruned is not None:
        parts.append(_removed(record, record.pruned))
    if inside is not None:
        spans, layers = inside.block_structure.a, inside.models.a.layers
        sentence = plain_markdown(structure("It", spans, layers))
        parts += [CURVES, INSIDE.format(picture=HEATMAP, examples=inside.dataset.examples, structure=sentence)]
    parts.append(_use(record, repo_id or NO_OWNER))
    return "\n".join(parts) + f"\n{MARKER}"


def training_command(record: TrainingRecord) -> str:
    """The command that reproduces a model: `zoo train`, or `zoo prune` for a pruned model.

    Args:
        record: training record of the model.
    """
    if record.pruned is not None:
        return _pruning_command(record.pruned)
    recipe, data = record.recipe, record.data
    options = _architecture(record) | {
        "dataset": data.name,
        "subset": data.subset,
        "seed": record.seed,
        "epochs": recipe.epochs,
        "lr": recipe.lr,
        "weight-decay": recipe.weight_decay,
        "batch-size": recipe.batch_size,
    }
    if recipe.pc_regularize:
        options["pc-regularize"] = recipe.pc_regularize
    return "zoo train " + " ".join(f"--{name} {quote(str(value))}" for name, value in options.items())


def _architecture(record: TrainingRecord) -> dict[str, object]:
    spec = record.spec
    if spec.depth is None or spec.width is None:
        return {"arch": spec.architecture}
    family = {} if record.timm_variant is None else {"family": "imagenet"}
    return family | {"depth": spec.depth, "width": f"{spec.width:.12g}"}


def _pruning_command(pruned: Pruned) -> str:
    # Names without an owner are folders written by `zoo train`.
    original = pruned.original if "/" in pruned.original else f"models/{pruned.original}"
    command = f"zoo prune {quote(original)} --remove {','.join(pruned.removed)}"
    tuning = pruned.fine_tuning
    return command if tuning is None else f"{command} --fine-tune {tuning.recipe.epochs} --seed {tuning.seed}"


def _removed(record: TrainingRecord, pruned: Pruned) -> str:
    assert record.variant is not None
    tuning, count = pruned.fine_tuning, len(pruned.removed)
    fine_tuning = "Nothing was retrained after that, not even batch norm.\n"
    if tuning is not None:
        fine_tuning = (
            f"It was then fine-tuned for {tuning.recipe.length}, from a learning rate of {tuning.recipe.lr:g}.\n"
        )
    return PRUNED.format(
        count=count,
        total=sum(record.variant.blocks) + count,
        original=plain_markdown(pruned.original),
        sha256=pruned.sha256,
        removed=", ".join(pruned.removed),
        fine_tuning=fine_tuning,
        device=plain_markdown(pruned.device),
        before=pruned.before,
        after=pruned.after,
        before_right=_share(pruned.before),
        after_right=_share(pruned.after),
    )


def _share(measured: Measured) -> str:
    low, high = wilson_interval(measured.right, measured.examples)
    return f"{measured.right} ({measured.accuracy:.2%}; {low:.1%} to {high:.1%})"


def _metadata(record: TrainingRecord, license_name: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    summary, data = record.summary, record.data
    result = EvalResult(
        task_type="image-classification",
        dataset_type=hub_id(data.name) or short_name(data.name),
        dataset_name=data.name,
        dataset_split="test",
        dataset_revision=data.test_fingerprint,
        dataset_args={"examples": record.test_images, "trained_on": data.subset},
        metric_type="accuracy",
        metric_name="test accuracy",
        metric_value=round(record.accuracy, 6),
        metric_args={"seed": record.seed},
    )
    card = ModelCardData(
        license=license_name,
        # The Hub shows a snippet for timm, which cannot build the CIFAR family.
        library_name="resnet-zoo" if record.timm_variant is None else "timm",
        pipeline_tag="image-classification",
        tags=[TAG, summary.architecture],
        datasets=[hub_id(data.name) or short_name(data.name)],
        metrics=["accuracy"],
        model_name=record.name,
        eval_results=[result],
        **cast(
            dict[str, Any], {CARD_KEY: {name: value for name, value in asdict(summary).items() if value is not None}}
        ),
    )
    return card.to_yaml()


def _body(record: TrainingRecord) -> str:
    recipe, data = record.recipe, record.data
    low, high = wilson_interval(record.test_right, record.test_images)
    return BODY.format(
        name=plain_markdown(record.name),
        what=_what(record),
        accuracy=record.accuracy,
        test_images=record.test_images,
        low=low,
        high=high,
        classes="\n".join(map(_class_row, record.test)),
        command=training_command(record),
        how="" if record.pruned is None else "Training of the original: ",
        momentum=recipe.momentum,
        lr=recipe.lr,
        rise=WARM_UP.format(share=recipe.warm_up) if recipe.warm_up else "",
        weight_decay=recipe.weight_decay,
        epochs=recipe.length,
        batch_size=recipe.batch_size,
        train_images=data.train_images,
        penalty=PENALTY.format(alpha=recipe.pc_regularize) if recipe.pc_regularize else "",
        subset="all" if data.subset == "1" else data.subset,
        loss=record.history[-1].loss,
        seconds=record.seconds,
        device=plain_markdown(record.device),
    )


def _what(record: TrainingRecord) -> str:
    """Description of the model and its training data."""
    spec, data = record.spec, plain_markdown(record.data.name)
    if record.variant is not None:
        text, blocks = CIFAR, 0
    elif record.timm_variant is not None and record.timm_variant.imagenet is not None:
        text, blocks = IMAGENET, record.timm_variant.imagenet.blocks[2]
    else:
        text, blocks = TIMM, 0
    return text.format(
        architecture=spec.architecture,
        depth=spec.depth,
        width=spec.width,
        parameters=spec.parameters,
        layers=spec.representations,
        blocks=blocks,
        data=data,
    )


def _use(record: TrainingRecord, repo_id: str) -> str:
    """How to load the model, and what to cite for the two families."""
    text = (USE if record.timm_variant is None else USE_TIMM) + WEIGHTS
    if record.spec.depth is not None:
        text += CITATION
    return text.format(repo=repo_id, shape=", ".join(map(str, record.data.input_size)))


def _class_row(row: ClassAccuracy) -> str:
    name = plain_markdown(row.name[:LONGEST_NAME])
    return f"| {name} | {row.examples} | {row.right} | {number(row.accuracy, '.1%')} |"
