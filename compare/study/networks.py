"""The networks of a study and what was measured of them, in the order that the claims ask for."""

from dataclasses import dataclass
from fractions import Fraction

from compare.result.study import Agreement, Errors, Network


@dataclass(frozen=True)
class Study:
    """What was measured.

    Args:
        networks: all of them.
        base_depth: depth at which the widths are varied.
        base_width: width at which the depths are varied.
        agreements: between networks.
        errors: of a deep and a wide architecture, if there are such.
    """

    networks: tuple[Network, ...]
    base_depth: int
    base_width: float
    agreements: tuple[Agreement, ...] = ()
    errors: Errors | None = None

    @property
    def subsets(self) -> list[str]:
        """Parts of the data, the largest first."""
        return sorted({net.subset for net in self.networks}, key=Fraction, reverse=True)

    @property
    def architectures(self) -> list[tuple[int, float]]:
        """Depths and widths, in order."""
        return sorted({(net.depth, net.width) for net in self.networks})

    def depths(self, subset: str) -> dict[str, list[Network]]:
        """Networks of the base width on a part of the data, by depth, in order."""
        chosen = [net for net in self.networks if net.width == self.base_width and net.subset == subset]
        depths = sorted({net.depth for net in chosen})
        return {f"depth {depth}": [net for net in chosen if net.depth == depth] for depth in depths}

    def widths(self, subset: str) -> dict[str, list[Network]]:
        """Networks of the base depth on a part of the data, by width, in order."""
        chosen = [net for net in self.networks if net.depth == self.base_depth and net.subset == subset]
        widths = sorted({net.width for net in chosen})
        return {f"width {width:g}": [net for net in chosen if net.width == width] for width in widths}

    def of(self, depth: int, width: float, subset: str) -> list[Network]:
        """The seeds of one architecture on a part of the data."""
        return [net for net in self.networks if (net.depth, net.width, net.subset) == (depth, width, subset)]


def part_name(subset: str) -> str:
    """A part of the data in words, such as `1/4 of the data`."""
    return "all data" if subset == "1" else f"{subset} of the data"
