"""The page of a comparison of two groups of seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cards.page.charts import COLOURS, Interval, differences_chart
from cards.page.images import data_uri
from cards.page.page import Chart, Gallery, Page, Picture, Section, folded, render, section
from cards.page.settings import command_line, exact_ref, settings_section
from cards.pages.tiles import groups_tiles
from cards.pictures.groups import jittered
from cards.pictures.inspection import Image
from cards.tables.groups import (
    IMAGES,
    class_tests_table,
    confirmed_classes_table,
    confirmed_images_table,
    groups_table,
    spread_table,
)
from cards.tables.table import Table
from cards.words.facts import source_fact
from cards.words.group_facts import class_facts, confirmation_fact, differing, skill_fact
from cards.words.group_verdict import group_verdict
from cards.words.legible import LONGEST_TEXT, chance, legible, percent, plotly_text, printable, probability
from compare.result.groups import ClassTests, GroupComparison, GroupRow, Selected
from compare.stats.interval import LEVEL

# With more points, the chart would be slow and the points would overlap.
MOST_POINTS = 5000
MOST_ROWS = 100


def groups_html(result: GroupComparison, images: Mapping[int, Image]) -> bytes:
    """Render the page of two groups of seeds.

    Args:
        result: the result to show.
        images: images by index; the page shows those on which the groups differ.

    Returns:
        HTML as UTF-8, in a single file.
    """
    readable = legible(result)
    classes = readable.dataset.classes
    models = {f"{side}{i}": model for side in "ab" for i, model in enumerate(getattr(result, side).models, 1)}
    sections = (
        section(
            IMAGES,
            _gallery(readable, images),
            folded(confirmed_images_table(readable.confirmed_examples, classes)),
            texts=[] if differing(readable.confirmed_examples) else ["None of them differs on the others."],
            short="Images",
        ),
        section("Groups", groups_table(readable)),
        section(
            "Do they get different images right?",
            _images_chart(readable),
            spread_table(readable),
            texts=[skill_fact(readable.spread)],
            short="Spread",
        ),
        _classes("class", "Classes", readable.classes, confirmed_classes_table(readable.confirmed_classes, classes)),
        *((_classes("superclass", "Superclasses", readable.superclasses),) if readable.superclasses else ()),
        settings_section(models, result.dataset, result.settings, result.versions, _command(result)),
    )
    notes = tuple(printable(note, LONGEST_TEXT) for note in result.notes if note not in result.cautions)
    title = f"{readable.a.models[0].name}, ... and {readable.b.models[0].name}, ..."
    return render(Page(title, group_verdict(readable), notes, sections, groups_tiles(readable)))


def _command(result: GroupComparison) -> str:
    """The command that compares these groups again."""
    groups = ("--a", *map(exact_ref, result.a.models), "--b", *map(exact_ref, result.b.models))
    source = result.settings.get("superclasses")
    superclasses = () if source is None else ("--superclasses", str(source))
    settings = {name: result.settings.get(name) for name in ("seed", "max_examples")}
    return command_line(("zoo", "groups", *groups, *superclasses), result.dataset, settings)


def _gallery(result: GroupComparison, images: Mapping[int, Image]) -> Gallery | None:
    """The images on which the groups differ on other seeds than those that selected them, if they are available."""
    pictures = tuple(
        _picture(example, result.dataset.classes[example.label], images[example.item])
        for example in differing(result.confirmed_examples)
        if example.item in images
    )
    return Gallery("", pictures, confirmation_fact(result.confirmed_examples)) if pictures else None


def _picture(example: Selected, label: str, image: Image) -> Picture:
    a, b = percent(example.accuracy_a, ".0f"), percent(example.accuracy_b, ".0f")
    lines = [f"image {example.item}: {label}", f"a {a} %, b {b} %"]
    if source := source_fact(example):
        lines.append(source)
    tags = {"class": label, "more often right": "a" if example.difference > 0 else "b"}
    return Picture(data_uri(image), ", ".join(lines), tuple(lines), tags)


def _images_chart(result: GroupComparison) -> Chart:
    """Accuracy of every image over the seeds of both groups, as in the paper's figure 7."""
    examples = result.examples
    random = np.random.default_rng(0)
    chosen = np.sort(random.permutation(len(examples.index))[:MOST_POINTS])
    x, y = (
        jittered(np.array(values)[chosen], len(group.models), random).round(1).tolist()
        for values, group in ((examples.accuracy_a, result.a), (examples.accuracy_b, result.b))
    )
    texts = [
        f"image {examples.index[i]}, {plotly_text(result.dataset.classes[examples.label[i]], 40)}<br>"
        f"a {percent(examples.accuracy_a[i])} %, b {percent(examples.accuracy_b[i])} %{_source(result, i)}"
        for i in chosen
    ]
    points = {"type": "scatter", "mode": "markers", "x": x, "y": y, "hovertext": texts, "hoverinfo": "text"}
    points["cliponaxis"] = False
    points["marker"] = {"size": 6, "opacity": 0.4, "color": COLOURS[3]}
    layout = {"xaxis": _share_axis("a"), "yaxis": _share_axis("b"), "showlegend": False}
    caption = "One point per image, with random jitter of less than a third of one seed."
    if len(chosen) < len(examples.index):
        caption += f" A random sample of {MOST_POINTS:,} of {len(examples.index):,} images."
    return Chart("images", "Accuracy of every image", {"data": [points], "layout": layout}, 480, caption)


def _source(result: GroupComparison, place: int) -> str:
    """File or row of an image on a line of its own, if it is known."""
    examples = result.examples
    if examples.path:
        return f"<br>{plotly_text(examples.path[place])}"
    return f"<br>row {examples.row[place]}" if examples.row else ""


def _share_axis(side: str) -> dict[str, Any]:
    return {"title": {"text": f"seeds of {side} that are right, %"}, "range": [0, 100], "zeroline": False}


def _classes(name: str, plural: str, tests: ClassTests, confirmed: Table | None = None) -> Section:
    intervals = [_interval(row) for row in tests.rows if row.difference is not None]
    table = folded(class_tests_table(name, tests), MOST_ROWS)
    return section(plural, differences_chart(name, intervals), confirmed, table, texts=class_facts(name, tests))


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
