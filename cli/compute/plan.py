"""How models are compared, from the options of the command line."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cli.terminal.analysis_options import MatrixOptions, PairOptions

if TYPE_CHECKING:
    from compare.engine.plan import Plan


def plan_of(options: MatrixOptions, seed: int = 0) -> "Plan":
    """The plan of a comparison, which checks the options before images are loaded.

    Args:
        options: of two models, or of several.
        seed: random seed of a null distribution.

    Raises:
        CompareError: an option is out of range.
    """
    from compare.engine.plan import Plan
    from compare.similarity.measures import DEFAULT_MEASURES

    plan = Plan(
        layers=options.layers or "all",
        passes=options.passes,
        precision=options.precision,
        tolerance=options.tolerance,
        pool=options.pool,
    )
    if not isinstance(options, PairOptions):
        return plan
    added = (name for name in options.measures if name not in DEFAULT_MEASURES)
    return replace(
        plan, measures=(*DEFAULT_MEASURES, *added), permutations=options.permutations, seed=seed, components=1
    )
