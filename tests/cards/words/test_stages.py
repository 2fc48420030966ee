"""Stages of a network from its layer names."""

from cards.words.stages import named_stages, stages


def names(layers):
    return [(stage.name, stage.stop - stage.start) for stage in stages(layers)]


def test_stages_are_runs_of_the_first_component():
    layers = ["conv1", *(f"stage1.{i}.conv" for i in range(3)), "stage2.0.conv", "stage2.0.conv#2", "fc"]
    assert names(layers) == [("conv1", 1), ("stage1", 3), ("stage2", 2), ("fc", 1)]


def test_component_of_nearly_all_layers_is_divided():
    blocks = [f"blocks.{block}.{part}" for block in range(7) for part in ("norm", "attn", "mlp")]
    expected = [("patch_embed", 1), *((f"blocks.{block}", 3) for block in range(7)), ("head", 1)]
    assert names(["patch_embed.proj", *blocks, "head"]) == expected


def test_components_of_all_layers_are_divided_again_and_dropped_from_names():
    blocks = [f"vit.encoder.layer.{block}.{part}" for block in range(3) for part in ("norm", "attn", "mlp", "out")]
    layers = ["vit.embeddings.proj", *blocks, "vit.layernorm"]
    assert names(layers) == [
        ("vit.embeddings", 1),
        *((f"layer.{block}", 4) for block in range(3)),
        ("vit.layernorm", 1),
    ]


def test_single_layers_are_not_divided_further():
    assert names(["blocks.0"]) == [("blocks.0", 1)]


def test_longer_stages_are_named_and_of_many_alike_every_second():
    def named(layers):
        return [stage.name for stage in named_stages(stages(layers))]

    assert named(["conv1", *["stage1"] * 20, *["stage2"] * 30, *["norm", "fc"]]) == ["stage1", "stage2"]
    assert named([f"blocks.{block}" for block in range(7)]) == [f"blocks.{block}" for block in range(7)]
    assert named([f"blocks.{block}" for block in range(24)]) == [f"blocks.{block}" for block in range(0, 24, 2)]
