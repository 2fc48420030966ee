"""Tables of the paper's claims and of the networks that were measured."""

from collections.abc import Sequence

from cards.tables.table import Table
from cards.words.claims import ends_fact, estimate_fact, value_fact
from cards.words.legible import probability
from compare.result.study import Claim, Network


def claims_table(claims: Sequence[Claim]) -> Table:
    """The claims with their verdicts, effects, and p-values."""
    rows = tuple(
        (
            claim.statement,
            claim.source,
            claim.verdict,
            value_fact(claim.effect, "+"),
            ends_fact(claim.effect, "+"),
            probability(claim.p_value),
            probability(claim.p_adjusted),
        )
        for claim in claims
    )
    headings = ("claim", "in the paper", "verdict", "effect", "95 % interval", "p", "p (Holm)")
    caption = (
        "Effects above 0 agree with the paper. p (Holm) is corrected for testing all claims; if it is below 0.05, the "
        "claim or its opposite is shown."
    )
    return Table("Claims of the paper and results of these networks", headings, rows, 3, caption)


def readings_table(claim: Claim) -> Table | None:
    """The means that were measured for a claim, or None if there are none."""
    rows = tuple(
        (reading.series, reading.label, estimate_fact(reading.mean), str(len(reading.units)))
        for reading in claim.readings
    )
    return Table("Means", ("", "", "mean (95 % interval)", "units"), rows, 2) if rows else None


def networks_table(networks: Sequence[Network]) -> Table:
    """The networks with their accuracy and block structure."""
    rows = tuple(
        (
            network.name,
            str(network.depth),
            f"{network.width:g}",
            network.subset,
            str(network.seed),
            f"{100 * network.accuracy:.2f}",
            f"{network.score:.2f}",
            str(network.blocks),
            str(network.surviving),
        )
        for network in networks
    )
    headings = ("network", "depth", "width", "data", "seed", "accuracy %", "score", "block structures", "left w/o PC1")
    caption = (
        "score: block structure score, from 0 to 1; left w/o PC1: block structures whose layers are similar even "
        "without their first components."
    )
    return Table("All networks", headings, rows, 1, caption)
