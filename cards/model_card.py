"""The model card of a trained variant: README.md of its folder."""

import re
from html import escape
from shlex import quote

from compare.disagreement import wilson
from zoo.record import TrainingRecord, model_name

_TEXT = """\
---
license: apache-2.0
library_name: resnet-zoo
pipeline_tag: image-classification
tags:
- resnet-zoo
- cifar_resnet
---

# {name}

A ResNet of depth {depth} and width {width:.12g} ({parameters:,} parameters, {layers} representations), trained on
{data}.
It belongs to the family of width and depth variants of Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021).

## Accuracy

**{accuracy:.2%}** of {test_images} test images (95 % interval {low:.1%} to {high:.1%}).
The weights are those of the last epoch; the test images had no part in choosing them.

| class | test images | right |
|---|---|---|
{classes}

## Training

    {command}

SGD with momentum {momentum:g}, learning rate {lr:g} falling to 0 along a cosine, weight decay {weight_decay:g} on
kernels, {epochs} epochs of batches of {batch_size}, {train_images} training images ({subset} of the data set). Final
training loss {loss:.4f}. It took {seconds:.0f} s on {device}. Every epoch, all settings and versions are in
`training.json`.

## Use

```python
from zoo.checkpoint import load_checkpoint

model = load_checkpoint("{name}")  # images scaled to [0, 1], shape (n, {shape}), in; logits out
```

After `import zoo`, `timm.create_model("local-dir:{name}", pretrained=True)` gives the same model.
To compare it with another:

    compare {name} OTHER
"""


def model_card(record: TrainingRecord) -> str:
    """Markdown with the metadata that the Hub understands.

    Args:
        record: what is known of the model.
    """
    variant, recipe, data = record.variant, record.recipe, record.data
    _, low, high = wilson(record.test_right, record.test_images)
    return _TEXT.format(
        name=model_name(variant, data.name, data.subset, record.seed),
        depth=variant.depth,
        width=variant.width,
        parameters=variant.parameters,
        layers=variant.representations,
        data=_plain(data.name),
        accuracy=record.accuracy,
        test_images=record.test_images,
        low=low,
        high=high,
        classes="\n".join(f"| {_plain(row.name)} | {row.examples} | {row.right} |" for row in record.test),
        command=training_command(record),
        momentum=recipe.momentum,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        train_images=data.train_images,
        subset="all" if data.subset == "1" else data.subset,
        loss=record.history[-1].loss,
        seconds=record.seconds,
        device=record.device,
        shape=", ".join(map(str, data.input_size)),
    )


def training_command(record: TrainingRecord) -> str:
    """The command line that trains the model again."""
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
    return "zoo train " + " ".join(f"--{name} {quote(str(value))}" for name, value in options.items())


def _plain(text: str) -> str:
    """Text from elsewhere, without effect as HTML, as Markdown or in its tables."""
    return re.sub(r"([\\`*_\[\]!~])", r"\\\1", escape(" ".join(text.split()))).replace("|", "&#124;")
