"""Measurements of all networks of a study, and selections of networks that the claims need."""

from dataclasses import dataclass
from fractions import Fraction

from compare.result.study import Agreement, Errors, Network
from compare.stats.units import PERMUTATIONS


@dataclass(frozen=True)
class Study:
    """Measurements of a study.

    Args:
        networks: all networks.
        base_depth: depth of the networks whose width varies.
        base_width: width of the networks whose depth varies.
        agreements: CKA between networks.
        errors: errors of a deep and a wide architecture; None if the study has no such pair.
        permutations: number of random permutations of a test.
    """

    networks: tuple[Network, ...]
    base_depth: int
    base_width: float
    agreements: tuple[Agreement, ...] = ()
    errors: Errors | None = None
    permutations: int = PERMUTATIONS

    @property
    def subsets(self) -> list[str]:
        """Parts of the data as fractions, largest first, such as `1` and `1/4`."""
        return sorted({net.subset for net in self.networks}, key=Fraction, reverse=True)

    @property
    def seeds(self) -> list[int]:
        """All seeds, in ascending order."""
        return sorted({net.seed for net in self.networks})

    @property
    def architectures(self) -> list[tuple[int, float]]:
        """Depth and width of each architecture, in ascending order."""
        return sorted({(net.depth, net.width) for net in self.networks})

    def depths(self, subset: str) -> dict[str, list[Network]]:
        """Networks of the base width on a part of the data, by increasing depth."""
        chosen = [net for net in self.networks if net.width == self.base_width and net.subset == subset]
        depths = sorted({net.depth for net in chosen})
        return {f"depth {depth}": [net for net in chosen if net.depth == depth] for depth in depths}

    def widths(self, subset: str) -> dict[str, list[Network]]:
        """Networks of the base depth on a part of the data, by increasing width."""
        chosen = [net for net in self.networks if net.depth == self.base_depth and net.subset == subset]
        widths = sorted({net.width for net in chosen})
        return {f"width {width:g}": [net for net in chosen if net.width == width] for width in widths}

    def of(self, depth: int, width: float, subset: str) -> list[Network]:
        """All seeds of one architecture on a part of the data."""
        return [net for net in self.networks if (net.depth, net.width, net.subset) == (depth, width, subset)]


def part_name(subset: str) -> str:
    """Name of a part of the data, such as `1/4 of the data`."""
    return "all data" if subset == "1" else f"{subset} of the data"
