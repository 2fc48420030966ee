"""Layers and CKA of one architecture of each family of timm, and of some of transformers, with random weights.

`python -m tests.benchmarks.architectures` takes about ten minutes on one core; names of models run these alone.
One row per architecture:

    px        size of the images, the smallest one that the architecture takes
    layers    layers of `all`
    windows   layers whose output has several rows per example
    left out  layers of `all` without rows of each example
    blocks    blocks found
    stages    stages found
    error     largest difference of CKA between up to 40 layers from float64 CKA, whose features come from one
              example at a time, so that it does not know where the rows of an example are; without layers whose
              spread is below a thousandth of their mean, which models in single precision cannot tell

transformers' models are built from small configurations, if it is installed.
"""

import sys
from collections import defaultdict
from contextlib import suppress
from time import perf_counter

import torch

import zoo  # noqa: F401  makes timm importable beside a CPU-only torch
from compare.errors import CompareError
from compare.model.layer_grams import LayerGrams
from compare.model.select_layers import select

EXAMPLES, CHANNELS, CLASSES, MOST_LAYERS = 12, 3, 10, 40
# Least spread of a layer, as a fraction of its norm.
SPREAD = 1e-3
SIZES = (32, 64, 96, 128, 160, 192, 224, 240, 256, 299, 331, 384, 448, 512)
TIMM = """
beit_base_patch16_224 halonet_h1 mobileone_s0 cait_xxs24_224 coat_lite_tiny coat_mini convit_tiny convmixer_768_32
convnext_atto cpubone_nano crossvit_tiny_240 csatv2 cs3darknet_focus_s cspresnet50 cspnext_s davit_tiny
deit_tiny_distilled_patch16_224 densenet121 dla46_c dla60 dpn48b edgenext_xx_small efficientformer_l1
efficientformerv2_s0 efficientnet_b0 efficientvim_m1 efficientvit_b0 efficientvit_m0 eva02_tiny_patch14_224
fasternet_t0 fastvit_t8 focalnet_tiny_srf gcvit_xxtiny ghostnet_050 hardcorenas_a hgnetv2_b0 hiera_tiny_224
sam2_hiera_tiny hrnet_w18_small iformer_s inception_next_atto inception_resnet_v2 inception_v3 inception_v4
lambda_resnet26t lcnetv2_base levit_128s lowformer_b0 mambaout_femto maxvit_pico_rw_256 coatnet_nano_rw_224
poolformerv2_s12 gmlp_ti16_224 mixer_s32_224 lcnet_035 mnasnet_050 mobilenetv3_small_050 mobilenetv4_conv_small
mobilenetv5_base mobilevit_xxs mobilevitv2_050 mvitv2_tiny naflexvit_base_patch16_gap nasnetalarge nest_tiny
nextvit_small test_nfnet pit_ti_224 pnasnet5large pvt_v2_b0 qwen3_vit_88m rdnet_tiny regnetx_002 repghostnet_050
repvgg_a0 repvit_m0_9 res2next50 resnest14d resnet10t resnetv2_18 rexnet_100 selecsls42 legacy_seresnet18
sequencer2d_s shvit_s1 skresnet18 starnet_s050 swiftformer_xs swin_tiny_patch4_window7_224 swinv2_tiny_window8_256
swinv2_cr_tiny_224 tiny_vit_5m_224 tnt_s_legacy_patch16_224 tresnet_m twins_svt_small vgg11_bn visformer_tiny test_vit
vit_tiny_r_s16_p8_224 test_vit_relpos samvit_base_patch16_224 vitamin_small_224 volo_d1_224 ese_vovnet19b_dw
legacy_xception xception41 xcit_nano_12_p16_224
"""
SMALL = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
TRANSFORMERS = {
    "ViTForImageClassification": SMALL | {"image_size": 64},
    "DeiTForImageClassification": SMALL | {"image_size": 64},
    "BeitForImageClassification": SMALL | {"image_size": 64},
    "SwinForImageClassification": {
        "image_size": 64,
        "embed_dim": 16,
        "depths": [2, 2],
        "num_heads": [2, 4],
        "window_size": 4,
    },
    "Swinv2ForImageClassification": {
        "image_size": 64,
        "embed_dim": 16,
        "depths": [2, 2],
        "num_heads": [2, 4],
        "window_size": 4,
    },
    "ConvNextForImageClassification": {"depths": [1, 1, 2, 1], "hidden_sizes": [8, 16, 24, 32]},
    "ResNetForImageClassification": {"depths": [1, 1, 2, 1], "hidden_sizes": [8, 16, 24, 32], "embedding_size": 8},
    "MobileNetV2ForImageClassification": {"depth_multiplier": 0.35, "initializer_range": 0.2},
    "Dinov2ForImageClassification": SMALL | {"image_size": 56},
    "SegformerForImageClassification": {},
    "LevitForImageClassification": {"image_size": 64},
    "Dinov2Model": SMALL | {"image_size": 56},
    "SiglipVisionModel": SMALL | {"image_size": 64},
    "CLIPVisionModel": SMALL | {"image_size": 64},
}


def timm_model(name):
    """A model of timm, and the smallest size of images that it takes."""
    import timm

    for size in SIZES:
        for options in ({"img_size": size}, {}):
            with suppress(Exception):
                # Fast, since tensors on the meta device have shapes alone.
                with torch.device("meta"):
                    runs(timm.create_model(name, num_classes=CLASSES, **options), torch.zeros(2, CHANNELS, size, size))
                torch.manual_seed(0)
                model = timm.create_model(name, num_classes=CLASSES, **options).eval()
                runs(model, torch.zeros(2, CHANNELS, size, size))
                return model, size
    raise ValueError("no size of images works")


def runs(model, images):
    """Run a model once; architectures refuse sizes in all ways."""
    with torch.no_grad():
        model.eval()(images)


def transformers_model(name):
    """A model of transformers, and its size of images."""
    import timm  # noqa: F401  imports torchvision, which transformers needs, beside a CPU-only torch
    import transformers

    kind = getattr(transformers, name)
    torch.manual_seed(0)
    options = TRANSFORMERS[name]
    return kind(kind.config_class(**options)).eval(), options.get("image_size", 64)


def cka(grams):
    """CKA of all pairs of Gram matrices of one minibatch (Song et al. 2012), in float64, shape (L, L)."""
    n = grams.shape[-1]
    grams = grams.double().clone()
    grams.diagonal(dim1=1, dim2=2).zero_()
    rows = grams.sum(2, keepdim=True) / (n - 2)
    grams += grams.sum((1, 2), keepdim=True) / ((n - 1) * (n - 2)) - rows - rows.mT
    grams.diagonal(dim1=1, dim2=2).zero_()
    hsic = torch.einsum("aij,bij->ab", grams, grams)
    return hsic / (hsic.diagonal()[:, None] * hsic.diagonal()).sqrt()


def features_of_each(model, images, names):
    """Features of modules that run once, one example at a time, float64, by name: shape (n, d)."""
    seen = defaultdict(list)

    def hook(name):
        def record(module, inputs, output):
            while isinstance(output, (tuple, list, dict)):
                output = next(iter(output.values() if isinstance(output, dict) else output))
            seen[name].append(output.double().flatten().clone())

        return record

    modules = dict(model.named_modules())
    handles = [modules[name].register_forward_hook(hook(name)) for name in names if name in modules]
    with torch.no_grad():
        for image in images:
            model(image[None])
    for handle in handles:
        handle.remove()
    return {name: torch.stack(rows) for name, rows in seen.items() if len(rows) == len(images)}


def largest_error(model, images, run, grams):
    """Largest difference of CKA from the reference, over pairs of some layers, and their number."""
    # Names of `bn1.drop`, which hands on the output of `bn1`, stand for another place in the reference.
    drops = {name.removesuffix(".drop") for name, _ in model.named_modules() if name.endswith(".drop")}
    names = [name for name in run.names if "#" not in name and name not in drops]
    names = names[:: -(-len(names) // MOST_LAYERS)]
    truth = features_of_each(model, images, names)
    names = [name for name in names if name in truth]
    centred = [truth[name] - truth[name].mean(0) for name in names]
    varied = [rows.norm() > SPREAD * truth[name].norm() for name, rows in zip(names, centred, strict=True)]
    names, centred = ([item for item, keep in zip(items, varied, strict=True) if keep] for items in (names, centred))
    true = cka(torch.stack([rows @ rows.T for rows in centred]))
    ours = cka(grams[[run.names.index(name) for name in names]])
    return (true - ours)[~(true - ours).isnan()].abs().max().item(), len(names)


def row(name, build):
    """One row of the table."""
    start = perf_counter()
    model, size = build(name)
    images = torch.randn(EXAMPLES, CHANNELS, size, size, generator=torch.Generator().manual_seed(0))
    with LayerGrams(model, "all") as run:
        run.find(images)
        grams = torch.empty(len(run.names), EXAMPLES, EXAMPLES)
        run.run(images, grams)
        windows = sum(rows.count > 1 or rows.axis > 0 for rows in run._rows.values())
    counts = []
    for layers in ("blocks", "stages"):
        with LayerGrams(model, layers) as part:
            part.find(images)
        counts.append(len(part.names))
        if len(part.names) < len(select(model, layers)):
            counts[-1] = f"{len(part.names)}/{len(select(model, layers))}"
    error, checked = largest_error(model, images, run, grams)
    remarks = "; ".join([*sorted(run.left_out)[:3], *run.remarks])
    return (
        f"{size:4} {len(run.names):6} {windows:7} {len(run.left_out):8} {counts[0]:>6} {counts[1]:>6} {error:8.0e} "
        f"({checked}) {perf_counter() - start:5.0f} s  {remarks}"
    )


def main():
    """Print the table."""
    print(f"{'':34}   px layers windows left out blocks stages    error")
    for name in sys.argv[1:] or [*TIMM.split(), *TRANSFORMERS]:
        try:
            result = row(name, transformers_model if name in TRANSFORMERS else timm_model)
        except (CompareError, ValueError, RuntimeError, ImportError) as error:
            result = f"fails: {type(error).__name__}: {str(error).splitlines()[0]}"
        print(f"{name:34} {result}", flush=True)


if __name__ == "__main__":
    main()
