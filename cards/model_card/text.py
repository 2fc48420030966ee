"""What a model card says, to be filled in."""

from zoo.model_folder.folder import CURVE

CIFAR = """\
A ResNet of depth {depth} and width {width:.12g} ({parameters:,} parameters, {layers} representations), trained on
{data}.
It belongs to the family of width and depth variants of Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021): post-activation basic
blocks, a 3x3 stem without pooling, 1x1 shortcuts. `resnet-zoo` trains such variants, publishes them, and compares any
two."""

IMAGENET = """\
A ResNet of depth {depth} whose third stage has width {width:.12g} ({parameters:,} parameters), trained on
{data}.
It belongs to the ImageNet family of width and depth variants of Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021): ResNet-50 with only
its third stage scaled, here to {blocks} blocks. timm builds and loads it as it is. `resnet-zoo` trains such variants,
publishes them, and compares any two."""

TIMM = """\
timm's `{architecture}` ({parameters:,} parameters), trained from scratch on
{data}.
timm builds and loads it as it is. `resnet-zoo` trained it, and compares any two models."""

BODY = """\
# {name}

{what}

## Accuracy

**{accuracy:.2%}** of {test_images} test images (95 % interval {low:.1%} to {high:.1%}).
The weights are those of the last epoch; the test images had no part in choosing them.

| class | test images | right | accuracy |
|---|---|---|---|
{classes}

## Training

    {command}

{how}SGD with momentum {momentum:g}, learning rate {lr:g} {rise}falling to 0 along a cosine, weight decay
{weight_decay:g} on kernels, {epochs} epochs of batches of {batch_size}, {train_images} training images ({subset} of
the data set). Final training loss {loss:.4f}. {penalty}It took {seconds:.0f} s on {device}. Every epoch, all settings
and versions are in `training.json`.
"""

WARM_UP = "reached by a warm-up over {share:.0%} of the training, then "

PENALTY = """\
The paper's PC regularisation, with weight {alpha:g}, kept down the first principal components of its layers.
"""

PRUNED = """
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

CURVES = f"""
![Loss and accuracy while it was trained]({CURVE})
"""

INSIDE = """
## Inside

![CKA between its own layers]({picture})

How alike its own layers are (linear CKA on {examples} test images, from 0, unrelated, to 1, alike; input lower left).
{structure}
"""

USE = """
## Use

With `resnet-zoo`, which fetches and checks it:

```python
import zoo

model = zoo.load("{repo}")  # takes images in [0, 1], shape (n, {shape}), and returns logits
```

With timm, once `resnet-zoo` is installed (`import zoo` makes timm know the architecture):

```python
import zoo, timm

model = timm.create_model("hf-hub:{repo}", pretrained=True)
```
"""

USE_TIMM = """
## Use

With timm alone:

```python
import timm

model = timm.create_model("hf-hub:{repo}", pretrained=True).eval()
config = timm.data.resolve_model_data_config(model)  # images of {shape}, and how they are scaled
transform = timm.data.create_transform(**config)  # of PIL images
```

With `resnet-zoo`, which checks what it fetches:

```python
import zoo

model = zoo.load("{repo}")  # takes images in [0, 1], and returns logits
```
"""

WEIGHTS = """
Its weights alone, without either:

```python
from huggingface_hub import hf_hub_download
from safetensors.torch import load_file

weights = load_file(hf_hub_download("{repo}", "model.safetensors"))
```

What it shares with another model, and where the two differ:

    compare {repo} OTHER
"""

CITATION = """
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
