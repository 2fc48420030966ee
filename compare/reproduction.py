"""The result of a study: its claims judged, with the networks and pictures that they rest on."""

from collections.abc import Sequence

from compare.claims import judge
from compare.inspection import Inspection
from compare.reproduction_result import Heatmap, Reproduction
from compare.run import versions
from compare.study import Study


def reproduction(study: Study, heatmaps: Sequence[Heatmap], example: Inspection) -> Reproduction:
    """Judge every claim of the paper.

    Args:
        study: what was measured.
        heatmaps: of some of the networks.
        example: of one network, for what all inspections share: the images, and how it was computed.

    Source:
        Nguyen, Raghu & Kornblith 2021, arXiv:2010.15327.
    """
    return Reproduction(
        dataset=example.dataset,
        claims=judge(study),
        networks=study.networks,
        agreements=study.agreements,
        errors=study.errors,
        heatmaps=tuple(heatmaps),
        settings=example.settings | {"base_depth": study.base_depth, "base_width": study.base_width},
        versions=versions(),
        notes=(),
    )
