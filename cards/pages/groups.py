"""Two groups of seeds as a page."""

from collections.abc import Sequence

import numpy as np

from cards.page.charts import COLOURS, Interval, differences_chart
from cards.page.page import Chart, Page, Table, render, section
from cards.page.tables import reproduction
from cards.words.facts import count_fact, spread_facts, surely_different
from cards.words.group_verdict import group_verdict
from cards.words.legible import LONGEST_TEXT, chance, legible, percent, plotly_text, printable, probability
from compare.result.groups import ClassTests, Confirmation, Group, GroupComparison, GroupRow, Spread
from compare.stats.paired import LEVEL

# Of more images, the chart would be slow, and no point could be told from another.
MOST_POINTS = 5000
MOST_ROWS = 100


def groups_html(result: GroupComparison) -> bytes:
    """A page of one file, with all that was found.

    Args:
        result: what to show.
    """
    shown = legible(result)
    classes = shown.dataset.classes
    sections = (
        section("Groups", _groups_table(shown)),
        section("Do they get different images right?", _spread_table(shown.spread), _images_chart(shown)),
        section("Class by class", *_class_parts("classes", shown.classes)),
        section("Superclasses", *_class_parts("superclasses", shown.superclasses)),
        section(
            "What is left with other seeds",
            _confirmed("Classes that differ most by half of the seeds", shown.confirmed_classes, classes, False),
            _confirmed("Images that differ most by half of the seeds", shown.confirmed_examples, classes, True),
            texts=["Selected with half of the seeds of each group, and looked at again with the others."],
        ),
        reproduction(
            {f"{side}{i}": model for side in "ab" for i, model in enumerate(getattr(result, side).models, 1)},
            *(result.dataset, result.settings, result.versions),
        ),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in result.notes)
    title = f"{shown.a.models[0].name}, ... and {shown.b.models[0].name}, ..."
    return render(Page(title, group_verdict(shown), notes, sections))


def _groups_table(result: GroupComparison) -> Table:
    difference = result.accuracy
    caption = (
        f"a - b: {100 * difference.difference:+.2f} points, 95 % interval {100 * difference.ci_low:+.2f} to "
        f"{100 * difference.ci_high:+.2f}; {chance(difference.p_value)}."
    )
    rows = tuple((side, *_group(group)) for side, group in (("a", result.a), ("b", result.b)))
    return Table("", ("", "models", "seeds", "parameters", "accuracy %", "standard error"), rows, 2, caption)


def _group(group: Group) -> tuple[str, ...]:
    names = ", ".join(model.name for model in group.models)
    counts = str(len(group.models)), f"{group.models[0].parameters:,}"
    return (names, *counts, f"{100 * group.accuracy:.2f}", f"{100 * group.standard_error:.2f}")


def _spread_table(spread: Spread) -> Table:
    title = "Mean squared difference of the accuracies of an image, times 1,000"
    cells = tuple((what, f"{1000 * value:.2f}") for what, value in spread_facts(spread).items())
    return Table(title, ("", "x 1,000"), cells, 1, f"{chance(spread.p_value)}, from models dealt anew to two groups.")


def _images_chart(result: GroupComparison) -> Chart:
    """The paper's figure 7: accuracy of every image over the seeds of both groups."""
    examples = result.examples
    random = np.random.default_rng(0)
    chosen = np.sort(random.permutation(len(examples.index))[:MOST_POINTS])
    moved = (
        (100 * (np.array(values)[chosen] + random.uniform(-0.3, 0.3, len(chosen)) / len(group.models)))
        .round(1)
        .tolist()
        for values, group in ((examples.accuracy_a, result.a), (examples.accuracy_b, result.b))
    )
    x, y = moved
    texts = [
        f"image {examples.index[i]}, {plotly_text(result.dataset.classes[examples.label[i]], 40)}<br>"
        f"a {percent(examples.accuracy_a[i])} %, b {percent(examples.accuracy_b[i])} %"
        for i in chosen
    ]
    points = {"type": "scatter", "mode": "markers", "x": x, "y": y, "hovertext": texts, "hoverinfo": "text"}
    points["marker"] = {"size": 6, "opacity": 0.4, "color": COLOURS[3]}
    layout = {
        "xaxis": {"title": {"text": "right by seeds of a, %"}},
        "yaxis": {"title": {"text": "right by seeds of b, %"}},
        "showlegend": False,
    }
    caption = "One point per image, moved at random within the step that one seed makes."
    if len(chosen) < len(examples.index):
        caption += f" Of {len(examples.index):,} images, {MOST_POINTS:,} drawn at random."
    return Chart("images", "Accuracy of every image", {"data": [points], "layout": layout}, 480, caption)


def _class_parts(key: str, tests: ClassTests | None) -> tuple[Chart | Table | None, ...]:
    if tests is None:
        return ()
    known = [row for row in tests.rows if row.difference is not None]
    intervals = [
        Interval(
            *(row.name, 100 * (row.difference or 0), 100 * (row.ci_low or 0), 100 * (row.ci_high or 0)),
            *(row.p_holm is not None and row.p_holm < LEVEL, _text(row)),
        )
        for row in known
    ]
    return differences_chart(key, intervals), _rows_table(tests)


def _text(row: GroupRow) -> str:
    return (
        f"<b>{plotly_text(row.name, 40)}</b>, {row.examples} images<br>"
        f"a {percent(row.accuracy_a)} %, b {percent(row.accuracy_b)} %<br>"
        f"{chance(row.p_value)}, {probability(row.p_holm)} (Holm), {probability(row.p_bh)} (BH)"
    )


def _rows_table(tests: ClassTests) -> Table:
    ordered = sorted(tests.rows, key=lambda row: surely_different(row.p_value, row.difference))
    cells = tuple(
        (
            *(row.name, str(row.examples), percent(row.accuracy_a), percent(row.accuracy_b)),
            percent(row.difference, "+.1f"),
            f"{percent(row.ci_low, '+.1f')} to {percent(row.ci_high, '+.1f')}",
            *(probability(p) for p in (row.p_value, row.p_holm, row.p_bh)),
        )
        for row in ordered[:MOST_ROWS]
    )
    numbers = ("images", "a %", "b %", "a - b", "95 % interval", "p", "p (Holm)", "p (BH)")
    return Table("As numbers", ("class", *numbers), cells, 1, count_fact(tests.count), folded=True)


def _confirmed(title: str, found: Confirmation, classes: Sequence[str], images: bool) -> Table | None:
    rows = tuple(
        (
            *((str(item.item),) if images else ()),
            *(classes[item.label], f"{100 * item.selecting:+.1f}", percent(item.accuracy_a), percent(item.accuracy_b)),
            f"{100 * item.difference:+.1f}",
        )
        for item in found.selected
    )
    headings = (*(("image",) if images else ()), "class", "selected by", "a %", "b %", "a - b")
    caption = f"All {len(rows)}: {100 * found.selecting:.1f} points became {100 * found.confirming:.1f}"
    if found.ci_low is not None and found.ci_high is not None:
        caption += f", 95 % interval {100 * found.ci_low:+.1f} to {100 * found.ci_high:+.1f}"
    return Table(title, headings, rows, 2 if images else 1, f"{caption}; {chance(found.p_value)}.") if rows else None
