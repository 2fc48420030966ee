"""The result of a study: its claims judged, with the networks and pictures that they rest on."""

from collections.abc import Sequence

from compare.result.inspection import Inspection
from compare.result.study import Heatmap, Reproduction
from compare.study.claims import judge
from compare.study.networks import Study

SHARED = (
    "networks of one seed begin with the same weights as far as their shapes agree, and the parts of the data lie "
    "within each other: the units of a test are not wholly independent, so its p-value may be too small."
)


def reproduction(
    study: Study, heatmaps: Sequence[Heatmap], example: Inspection, found: Sequence[str] = ()
) -> Reproduction:
    """Judge every claim of the paper.

    Args:
        study: what was measured.
        heatmaps: of some of the networks.
        example: of one network, for what all inspections share: the images, and how it was computed.
        found: what is to be noted of single networks.

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
        versions=example.versions,
        notes=(SHARED, *found),
    )
