"""The page of a comparison of two groups of seeds."""

import numpy as np

from cards.page.charts import COLOURS, Interval, differences_chart
from cards.page.page import Chart, Page, Section, folded, render, section
from cards.page.settings import settings_section
from cards.tables.groups import (
    class_tests_table,
    confirmed_classes_table,
    confirmed_images_table,
    groups_table,
    spread_table,
)
from cards.words.group_facts import share_fact, skill_fact
from cards.words.group_verdict import group_verdict
from cards.words.legible import LONGEST_TEXT, chance, legible, percent, plotly_text, printable, probability
from compare.result.groups import ClassTests, GroupComparison, GroupRow
from compare.stats.paired import LEVEL

# With more points, the chart would be slow and the points would overlap.
MOST_POINTS = 5000
MOST_ROWS = 100


def groups_html(result: GroupComparison) -> bytes:
    """Render the page of two groups of seeds.

    Args:
        result: the result to show.

    Returns:
        HTML as UTF-8, in a single file.
    """
    readable = legible(result)
    classes = readable.dataset.classes
    models = {f"{side}{i}": model for side in "ab" for i, model in enumerate(getattr(result, side).models, 1)}
    sections = (
        section("Groups", groups_table(readable)),
        section(
            "Do they get different images right?",
            spread_table(readable),
            _images_chart(readable),
            texts=[skill_fact(readable.spread)],
        ),
        _classes("class", "Classes", readable.classes),
        *((_classes("superclass", "Superclasses", readable.superclasses),) if readable.superclasses else ()),
        section(
            "Confirmation with other seeds",
            confirmed_classes_table(readable.confirmed_classes, classes),
            confirmed_images_table(readable.confirmed_examples, classes),
            texts=["Selected on half of the seeds of each group, and tested on the others."],
        ),
        settings_section(models, result.dataset, result.settings, result.versions),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in result.notes)
    title = f"{readable.a.models[0].name}, ... and {readable.b.models[0].name}, ..."
    return render(Page(title, group_verdict(readable), notes, sections))


def _images_chart(result: GroupComparison) -> Chart:
    """Accuracy of every image over the seeds of both groups, as in the paper's figure 7."""
    examples = result.examples
    random = np.random.default_rng(0)
    chosen = np.sort(random.permutation(len(examples.index))[:MOST_POINTS])
    x, y = (
        (100 * (np.array(values)[chosen] + random.uniform(-0.3, 0.3, len(chosen)) / len(group.models)))
        .round(1)
        .tolist()
        for values, group in ((examples.accuracy_a, result.a), (examples.accuracy_b, result.b))
    )
    texts = [
        f"image {examples.index[i]}, {plotly_text(result.dataset.classes[examples.label[i]], 40)}<br>"
        f"a {percent(examples.accuracy_a[i])} %, b {percent(examples.accuracy_b[i])} %"
        for i in chosen
    ]
    points = {"type": "scatter", "mode": "markers", "x": x, "y": y, "hovertext": texts, "hoverinfo": "text"}
    points["marker"] = {"size": 6, "opacity": 0.4, "color": COLOURS[3]}
    layout = {
        "xaxis": {"title": {"text": "seeds of a that are right, %"}},
        "yaxis": {"title": {"text": "seeds of b that are right, %"}},
        "showlegend": False,
    }
    caption = "One point per image, with random jitter of less than one seed."
    if len(chosen) < len(examples.index):
        caption += f" A random sample of {MOST_POINTS:,} of {len(examples.index):,} images."
    return Chart("images", "Accuracy of every image", {"data": [points], "layout": layout}, 480, caption)


def _classes(name: str, plural: str, tests: ClassTests) -> Section:
    intervals = [_interval(row) for row in tests.rows if row.difference is not None]
    chart = differences_chart(name, intervals)
    table = folded(class_tests_table(name, tests), MOST_ROWS)
    return section(plural, chart, table, texts=[share_fact(plural, tests)])


def _interval(row: GroupRow) -> Interval:
    return Interval(
        row.name,
        100 * (row.difference or 0),
        100 * (row.ci_low or 0),
        100 * (row.ci_high or 0),
        row.p_holm is not None and row.p_holm < LEVEL,
        _text(row),
    )


def _text(row: GroupRow) -> str:
    return (
        f"<b>{plotly_text(row.name, 40)}</b>, {row.examples} images<br>"
        f"a {percent(row.accuracy_a)} %, b {percent(row.accuracy_b)} %<br>"
        f"{chance(row.p_value)}, {probability(row.p_holm)} (Holm), {probability(row.p_bh)} (BH)"
    )
