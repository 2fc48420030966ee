"""Templates of the texts in a model card."""

from zoo.model_folder.folder import CURVE

CIFAR = """\
A ResNet of depth {depth} and width {width:.12g} ({parameters:,} parameters, {layers} representations), trained on
{data}.
It belongs to the CIFAR family of width and depth variants from Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021): post-activation basic
blocks, a 3x3 stem without pooling, and 1x1 shortcuts. It was trained with `resnet-zoo`, which trains such variants and
compares any two models."""

IMAGENET = """\
A ResNet of depth {depth} whose third stage has width {width:.12g} ({parameters:,} parameters), trained on
{data}.
It belongs to the ImageNet family of width and depth variants from Nguyen, Raghu & Kornblith,
[Do Wide and Deep Networks Learn the Same Things?](https://arxiv.org/abs/2010.15327) (ICLR 2021): ResNet-50 with only
its third stage scaled, here to {blocks} blocks. timm loads it directly. It was trained with `resnet-zoo`, which trains
such variants and compares any two models."""

TIMM = """\
timm's `{architecture}` ({parameters:,} parameters), trained from scratch on
{data}.
timm loads it directly. It was trained with `resnet-zoo`, which compares any two models."""

BODY = """\
# {name}

{what}

## Accuracy

**{accuracy:.2%}** of {test_images} test images (95 % interval {low:.1%} to {high:.1%}).
The weights are from the last epoch and were not selected on the test images.

| class | test images | right | accuracy |
|---|---|---|---|
{classes}

## Training

    {command}

{how}SGD with momentum {momentum:g}, learning rate {lr:g} {rise}with cosine decay to 0, weight decay {weight_decay:g} on
kernels, {epochs} with batch size {batch_size}, {train_images} training images ({subset} of the dataset). Final
training loss {loss:.4f}. {penalty}Training took {seconds:.0f} s on {device}. `training.json` contains the loss and
accuracy of every epoch, all settings, and the versions.
"""

WARM_UP = "after a warm-up over {share:.0%} of the training, "

PENALTY = """\
PC regularisation as in the paper, with weight {alpha:g}, suppressed the first principal components of the layers.
"""

PRUNED = """
## Removed blocks

After training, {count} of the {total} residual blocks of {original} (sha256 of the weights: {sha256}) were removed:
{removed}. Their skip connections were kept, and the other blocks were renumbered.
{fine_tuning}
|  | before | after |
|---|---|---|
| parameters | {before.parameters:,} | {after.parameters:,} |
| multiply-adds per image | {before.multiply_adds:,} | {after.multiply_adds:,} |
| seconds per 1,000 images, on {device} | {before.seconds_per_1000:.3g} | {after.seconds_per_1000:.3g} |
| test images right, of {before.examples} | {before_right} | {after_right} |
"""

CURVES = f"""
![Loss and accuracy during training]({CURVE})
"""

INSIDE = """
## Layer similarity

![CKA between the layers]({picture})

Similarity between the layers of the model (linear CKA on {examples} test images: 0 for unrelated layers, 1 for equal
ones; the input is at the lower left). {structure}
"""

USE = """
## Use

With `resnet-zoo`, which downloads the model and verifies it:

```python
import zoo

model = zoo.load("{repo}")  # input: images in [0, 1], shape (n, {shape}); output: logits
```

With timm, if `resnet-zoo` is installed (`import zoo` registers the architecture with timm):

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
config = timm.data.resolve_model_data_config(model)  # input size {shape}, mean, and standard deviation
transform = timm.data.create_transform(**config)  # for PIL images
```

With `resnet-zoo`, which verifies the download:

```python
import zoo

model = zoo.load("{repo}")  # takes images in [0, 1], and returns logits
```
"""

WEIGHTS = """
The weights alone, without timm or `resnet-zoo`:

```python
from huggingface_hub import hf_hub_download
from safetensors.torch import load_file

weights = load_file(hf_hub_download("{repo}", "model.safetensors"))
```

To compare it with another model:

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
