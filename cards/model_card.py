"""The model card of a trained variant: README.md of its folder, and of its repository on the Hub."""

from dataclasses import asdict
from shlex import quote
from typing import Any, cast

from cards.markdown import plain_markdown
from cards.verdict import structure
from compare.result import Comparison
from compare.statistics import wilson
from zoo.card import MARKER, NO_OWNER
from zoo.dataset_name import hub_id, short_name
from zoo.folder import CURVE, HEATMAP
from zoo.record import CARD_KEY, TAG, ClassAccuracy, Measured, Pruned, TrainingRecord, model_name

LONGEST_NAME = 100
LICENSE = "apache-2.0"

_BODY = """\
# {name}

A ResNet of depth {depth} and width {width:.12g} ({parameters:,} parameters, {layers} representations), trained on
{data}.
It belongs to the family of width and depth variants of Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021): post-activation basic
blocks, a 3x3 stem without pooling, 1x1 shortcuts. `resnet-zoo` trains such variants, publishes them, and compares any
two.

## Accuracy

**{accuracy:.2%}** of {test_images} test images (95 % interval {low:.1%} to {high:.1%}).
The weights are those of the last epoch; the test images had no part in choosing them.

| class | test images | right | accuracy |
|---|---|---|---|
{classes}

## Training

    {command}

{how}SGD with momentum {momentum:g}, learning rate {lr:g} falling to 0 along a cosine, weight decay {weight_decay:g} on
kernels, {epochs} epochs of batches of {batch_size}, {train_images} training images ({subset} of the data set). Final
training loss {loss:.4f}. {penalty}It took {seconds:.0f} s on {device}. Every epoch, all settings and versions are in
`training.json`.
"""

_PENALTY = """\
The paper's PC regularisation, with weight {alpha:g}, kept down the first principal components of its layers.
"""

_PRUNED = """
## Removed blocks

After training, {count} of the {total} residual blocks of {original} (sha256 of its weights: {sha256}) were removed with
their skip connections kept, and the others renumbered: {removed}.
{fine_tuning}
|  | before | after |
|---|---|---|
| parameters | {before.parameters:,} | {after.parameters:,} |
| multiply-adds per image | {before.multiply_adds:,} | {after.multiply_adds:,} |
| seconds per 1,000 images, on {device} | {before.seconds_per_1000:.3g} | {after.seconds_per_1000:.3g} |
| test images right, of {before.examples} | {before_right} | {after_right} |
"""

_CURVE = f"""
![Loss and accuracy while it was trained]({CURVE})
"""

_INSIDE = """
## Inside

![CKA between its own layers]({picture})

How alike its own layers are (linear CKA on {examples} test images, from 0, unrelated, to 1, alike; input lower left).
{structure}
"""

_USE = """
## Use

With `resnet-zoo`, which fetches and checks it:

```python
from zoo.checkpoint import load_checkpoint
from zoo.hub import resolve

model = load_checkpoint(resolve("{repo}"))  # images scaled to [0, 1], shape (n, {shape}), in; logits out
```

With timm, once `resnet-zoo` is installed (`import zoo` makes timm know the architecture):

```python
import zoo, timm

model = timm.create_model("hf-hub:{repo}", pretrained=True)
```

Its weights alone, without either:

```python
from huggingface_hub import hf_hub_download
from safetensors.torch import load_file

weights = load_file(hf_hub_download("{repo}", "model.safetensors"))
```

What it shares with another model, and where the two differ:

    compare {repo} OTHER

## Citation

```bibtex
@inproceedings{{nguyen2021wide,
  title={{Do Wide and Deep Networks Learn the Same Things? Uncovering How Neural Network Representations Vary with Width
         and Depth}},
  author={{Nguyen, Thao and Raghu, Maithra and Kornblith, Simon}},
  booktitle={{International Conference on Learning Representations}},
  year={{2021}}
}}
```
"""


def model_card(
    record: TrainingRecord,
    inside: Comparison | None = None,
    *,
    repo_id: str | None = None,
    license_name: str | None = None,
) -> str:
    """Markdown with the metadata that the Hub understands, down to `zoo.card.MARKER`, below which a person may write.

    Args:
        record: what is known of the model.
        inside: the model compared with itself; with it the card shows the pictures `CURVE` and `HEATMAP`.
        repo_id: where it is published; until then the examples have a placeholder.
        license_name: one of the Hub's; apache-2.0 if None.
    """
    parts = [f"---\n{_metadata(record, license_name or LICENSE)}\n---\n", _body(record)]
    if record.pruned is not None:
        parts.append(_removed(record, record.pruned))
    if inside is not None:
        spans, layers = inside.block_structure.a, len(inside.models.a.layers)
        said = plain_markdown(structure("It", spans, layers))
        parts += [_CURVE, _INSIDE.format(picture=HEATMAP, examples=inside.dataset.examples, structure=said)]
    parts.append(_USE.format(repo=repo_id or NO_OWNER, shape=", ".join(map(str, record.data.input_size))))
    return "\n".join(parts) + f"\n{MARKER}"


def training_command(record: TrainingRecord) -> str:
    """The command line that trains the model again; that removes blocks again of a pruned model's original."""
    if record.pruned is not None:
        return _pruning_command(record.pruned)
    variant, recipe, data = record.variant, record.recipe, record.data
    options = {
        "depth": variant.depth,
        "width": f"{variant.width:.12g}",
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


def _pruning_command(pruned: Pruned) -> str:
    # What has no owner is where `zoo train` puts it.
    original = pruned.original if "/" in pruned.original else f"models/{pruned.original}"
    command = f"zoo prune {quote(original)} --remove {','.join(pruned.removed)}"
    tuning = pruned.fine_tuning
    return command if tuning is None else f"{command} --fine-tune {tuning.recipe.epochs} --seed {tuning.seed}"


def _removed(record: TrainingRecord, pruned: Pruned) -> str:
    tuning, count = pruned.fine_tuning, len(pruned.removed)
    fine_tuning = "Nothing was trained after that, batch norm included.\n"
    if tuning is not None:
        epochs = f"{tuning.recipe.epochs} {'epoch' if tuning.recipe.epochs == 1 else 'epochs'}"
        fine_tuning = f"It was then fine-tuned for {epochs}, from a learning rate of {tuning.recipe.lr:g}.\n"
    return _PRUNED.format(
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
    _, low, high = wilson(measured.right, measured.examples)
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
        # Not timm: its snippet on the Hub could not build the architecture.
        library_name="resnet-zoo",
        pipeline_tag="image-classification",
        tags=[TAG, summary.architecture],
        datasets=[hub_id(data.name) or short_name(data.name)],
        metrics=["accuracy"],
        model_name=_name(record),
        eval_results=[result],
        **cast(dict[str, Any], {CARD_KEY: asdict(summary)}),
    )
    return card.to_yaml()


def _body(record: TrainingRecord) -> str:
    variant, recipe, data = record.variant, record.recipe, record.data
    _, low, high = wilson(record.test_right, record.test_images)
    return _BODY.format(
        name=plain_markdown(_name(record)),
        depth=variant.depth,
        width=variant.width,
        parameters=variant.parameters,
        layers=variant.representations,
        data=plain_markdown(data.name),
        accuracy=record.accuracy,
        test_images=record.test_images,
        low=low,
        high=high,
        classes="\n".join(map(_class_row, record.test)),
        command=training_command(record),
        how="" if record.pruned is None else "Its original: ",
        momentum=recipe.momentum,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        train_images=data.train_images,
        penalty=_PENALTY.format(alpha=recipe.pc_regularize) if recipe.pc_regularize else "",
        subset="all" if data.subset == "1" else data.subset,
        loss=record.history[-1].loss,
        seconds=record.seconds,
        device=plain_markdown(record.device),
    )


def _class_row(row: ClassAccuracy) -> str:
    name = plain_markdown(row.name[:LONGEST_NAME])
    return f"| {name} | {row.examples} | {row.right} | {row.right / row.examples:.1%} |"


def _name(record: TrainingRecord) -> str:
    return model_name(record.variant, record.data.name, record.data.subset, record.seed)
