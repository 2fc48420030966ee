"""The paper's claims in words, shared by the page, the picture, and the terminal."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from shlex import quote

from cards.words.legible import chance, counted, number, probability
from compare.result.base import Estimate
from compare.result.study import Claim, Heatmap, Power, Reproduction, Verdict

# Below this, a study is more likely to miss a true claim than to show it.
LITTLE_POWER = 0.5
VERDICTS: tuple[Verdict, ...] = ("shown", "not shown", "opposite", "not measurable")


def claims_verdict(result: Reproduction) -> str:
    """Summary of a study in a few sentences: how many networks, and which claims they show."""
    return " ".join(_sentences(result))


def _sentences(result: Reproduction) -> Iterator[str]:
    networks = result.networks
    seeds, sizes = len({net.seed for net in networks}), len({(net.depth, net.width) for net in networks})
    is_complete = len(networks) == seeds * len({(net.depth, net.width, net.subset) for net in networks})
    yield (
        f"{len(networks)} networks of {sizes} architectures, {'' if is_complete else 'up to '}"
        f"{counted(seeds, 'seed')} each on each part of {result.dataset.name or 'the data'}, compared "
        f"with {len(result.claims)} claims of the paper."
    )
    for verdict, opening in zip(VERDICTS, ("Shown", "Not shown", "Opposite shown", "Not measurable"), strict=True):
        statements = [claim.statement.rstrip(".") for claim in result.claims if claim.verdict == verdict]
        if statements:
            yield f"{opening} ({len(statements)}): {'; '.join(map(_lower, statements))}."


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def measured(result: Reproduction) -> tuple[Claim, ...]:
    """The claims that could be tested."""
    return tuple(claim for claim in result.claims if claim.verdict != "not measurable")


def not_measurable_fact(result: Reproduction) -> str:
    """The claims that could not be tested, by reason; empty if there are none."""
    by_reason: dict[str, list[str]] = {}
    for claim in result.claims:
        if claim.verdict == "not measurable":
            by_reason.setdefault(claim.reason.rstrip("."), []).append(_lower(claim.statement.rstrip(".")))
    if not by_reason:
        return ""
    reasons = (f"{'; '.join(statements)} ({reason})" for reason, statements in by_reason.items())
    count = sum(map(len, by_reason.values()))
    return f"Not measurable ({count} of {len(result.claims)}): {'; '.join(reasons)}."


def measuring_command(result: Reproduction) -> str:
    """The command that repeats a study with more seeds, and with all sizes and parts of the data that the tests need.

    Networks that are trained already are used again if OUT is the same folder.
    """
    networks = result.networks
    depth, width = min((net.depth for net in networks), default=0), min((net.width for net in networks), default=0)
    depths = sorted({net.depth for net in networks if net.width == width})
    widths = sorted({net.width for net in networks if net.depth == depth})
    subsets = sorted({net.subset for net in networks}, key=Fraction, reverse=True)
    values = {
        "--depths": [str(depth) for depth in depths],
        "--widths": [f"{width:g}" for width in widths],
        "--subsets": subsets,
    }
    # With fewer than two values, the default is better.
    options = [f"{name} {','.join(of_option)}" for name, of_option in values.items() if len(of_option) > 1]
    dataset = [f"--dataset {quote(result.dataset.name)}"] if result.dataset.name else []
    seeds = _more_seeds(len({net.seed for net in networks}))
    return " ".join(("zoo reproduce OUT", *dataset, *options, f"--seeds 0-{seeds - 1}"))


def _more_seeds(seeds: int) -> int:
    return 2 * max(seeds, 5)


def effect_fact(claim: Claim) -> str:
    """The effect with its interval and p-values, such as `+0.83, p = 0.0001 (Holm 0.0009)`."""
    if claim.effect.value is None or claim.p_value is None:
        return "-"
    return f"{estimate_fact(claim.effect, '+')}, {chance(claim.p_value)} (Holm {probability(claim.p_adjusted)})"


def estimate_fact(estimate: Estimate, sign: str = "") -> str:
    """A number with its interval, rounded to suit its size."""
    ends = ends_fact(estimate, sign)
    return value_fact(estimate, sign) if ends == "-" else f"{value_fact(estimate, sign)} ({ends})"


def value_fact(estimate: Estimate, sign: str = "") -> str:
    """A number without its interval, rounded to suit its size, or a dash."""
    return number(estimate.value, _form(estimate, sign))


def ends_fact(estimate: Estimate, sign: str = "") -> str:
    """The ends of the interval of a number, or a dash."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    form = _form(estimate, sign)
    return f"{estimate.low:{form}} to {estimate.high:{form}}"


def _form(estimate: Estimate, sign: str) -> str:
    return f"{sign}z.2f" if abs(estimate.value or 0) < 10 else f"{sign}z.1f"


def claim_facts(claim: Claim) -> Iterator[str]:
    """Sentences on one claim: its verdict, the reason, and what was measured."""
    effect = "" if claim.p_value is None else f": {effect_fact(claim)}"
    yield f"{claim.verdict.capitalize()}{effect} ({claim.source})."
    reason = claim.reason if claim.verdict != "shown" else ""
    if reason:
        yield reason[0].upper() + reason[1:]
    if claim.remark:
        yield claim.remark
    yield f"Measured: {claim.quantity}. {claim.test}"
    if claim.unit:
        yield f"The unit is {claim.unit}"


def power_verdict(powers: Sequence[Power], seeds: int) -> str:
    """Which claims a study can hardly show even if they are true, and what would help; empty if it can show all.

    Args:
        powers: the power for each claim.
        seeds: number of seeds of each network.
    """
    weak = [power.statement.rstrip(".") for power in powers if power.power < LITTLE_POWER]
    if not weak:
        return ""
    return (
        f"Even if they are true as assumed, this study will probably not show {len(weak)} of {len(powers)} claims: "
        f"{'; '.join(map(_lower, weak))}. More seeds help, such as --seeds 0-{_more_seeds(seeds) - 1}."
    )


def columns(heatmaps: Sequence[Heatmap]) -> list[tuple[int, float]]:
    """Depths and widths in display order: first the series of depths, then the series of widths."""
    narrowest = min((heatmap.width for heatmap in heatmaps), default=0.0)
    sizes = {(heatmap.depth, heatmap.width) for heatmap in heatmaps}
    return sorted(sizes, key=lambda size: (size[1] > narrowest, size))
