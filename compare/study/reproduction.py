"""Judge the claims of the paper on a finished study."""

from collections.abc import Sequence

from compare.result.inspection import Inspection
from compare.result.study import Heatmap, Reproduction
from compare.study.claims import judge
from compare.study.networks import Study
from compare.study.power import Cell, powers

SCOPE = (
    "the unit of every test is the seed, because networks with the same seed share the order of images and, where "
    "their shapes agree, initial weights. P-values are about other seeds, not about other images: all networks learn "
    "from the same dataset and are measured on the same images."
)


def reproduction(
    study: Study, heatmaps: Sequence[Heatmap], example: Inspection, notes: Sequence[str] = ()
) -> Reproduction:
    """Judge every claim of the paper.

    Args:
        study: measurements of all networks.
        heatmaps: CKA within some of the networks.
        example: inspection of one network; its dataset, settings, and versions are those of all networks.
        notes: notes about single networks.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327.
    """
    cells = [Cell(net.depth, net.width, net.subset, net.seed) for net in study.networks]
    return Reproduction(
        dataset=example.dataset,
        claims=judge(study),
        networks=study.networks,
        agreements=study.agreements,
        errors=study.errors,
        heatmaps=tuple(heatmaps),
        settings=example.settings | {"base_depth": study.base_depth, "base_width": study.base_width},
        versions=example.versions,
        notes=(SCOPE, *notes),
        power=powers(cells, study.base_depth, study.base_width),
    )
