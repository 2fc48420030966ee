"""Tables of the paper's claims and of the networks that were measured."""

from collections.abc import Sequence

from cards.tables.table import Table
from cards.words.claims import ends_fact, estimate_fact, value_fact
from cards.words.legible import number, probability
from compare.result.study import Claim, Network, Power


def claims_table(claims: Sequence[Claim]) -> Table | None:
    """The claims with their verdicts, effects, and p-values; None without claims."""
    rows = tuple(
        (
            claim.statement,
            claim.verdict,
            claim.source,
            value_fact(claim.effect, "+"),
            ends_fact(claim.effect, "+"),
            probability(claim.p_value),
            probability(claim.p_adjusted),
        )
        for claim in claims
    )
    headings = ("claim", "verdict", "in the paper", "effect", "95 % interval", "p", "p (Holm)")
    caption = (
        "Effects above 0 agree with the paper. p (Holm) is corrected for testing all claims; if it is below 0.05, the "
        "claim or its opposite is shown."
    )
    title = "Claims of the paper and results of these networks"
    return Table(title, headings, rows, 3, caption) if rows else None


def readings_table(claim: Claim) -> Table | None:
    """The means that were measured for a claim, or None if there are none."""
    rows = tuple(
        (reading.series, reading.label, estimate_fact(reading.mean), str(len(reading.units)))
        for reading in claim.readings
    )
    return Table("Means", ("", "", "mean (95 % interval)", "units"), rows, 2) if rows else None


def power_table(powers: Sequence[Power]) -> Table:
    """How likely a study is to show each claim."""
    rows = tuple((row.statement, row.assumption, f"{row.power:.2f}") for row in powers)
    caption = (
        "power: share of simulated studies with the same networks that show the claim if the assumption is true. "
        "inside, outside: of block structure; SD: standard deviation between networks."
    )
    return Table("Power of this study", ("claim", "assumption", "power"), rows, 2, caption)


def networks_table(networks: Sequence[Network]) -> Table:
    """The networks with their accuracy and block structure."""
    rows = tuple(
        (
            network.name,
            f"{100 * network.accuracy:.2f}",
            str(network.depth),
            f"{network.width:g}",
            network.subset,
            str(network.seed),
            f"{network.score:.2f}",
            str(network.blocks),
            number(network.block_contrast, ".2f"),
            number(network.block_contrast_without, ".2f"),
        )
        for network in networks
    )
    headings = (
        "network",
        "accuracy %",
        "depth",
        "width",
        "data",
        "seed",
        "score",
        "block structures",
        "contrast",
        "w/o PC1",
    )
    caption = (
        "score: block structure score, from 0 to 1; contrast: mean CKA within block structure minus across its "
        "borders, at equal distances in layers; w/o PC1: the same without first components."
    )
    return Table("All networks", headings, rows, 1, caption)
