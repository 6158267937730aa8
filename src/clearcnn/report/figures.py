"""The report's figures as PNG files, for slides and papers; drawn without pyplot."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from clearcnn.language import ENGLISH, Language, say
from clearcnn.report.fonts import find_font
from clearcnn.report.number_format import plain, score_sentence, share
from clearcnn.report.terms import translate_term
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.ticker import MaxNLocator

TRAINING, VALIDATION = "#0b7a75", "#cf5a1c"
_DPI = 144
_MOST_TICKS = 40
_MOST_NUMBERS = 20
_LONGEST_NAME = 24
_WHOLE = (0.0, 0.0, 1.0, 1.0)


def write_curves(path: Path, history: History, language: Language = ENGLISH) -> None:
    """Draw training and validation accuracy and loss over the epochs, with the best epoch marked.

    Metrics that the history lacks are left out; the words are in `language`.
    """
    with _plain_style(language) as figure_class:
        figure = figure_class(figsize=(9, 3.6))
        figure.subplots_adjust(left=0.07, right=0.99, bottom=0.14, top=0.91, wspace=0.16)
        for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
            _draw_curve(axes, history, metric, language)
        figure.savefig(path, dpi=_DPI)


def write_confusion(path: Path, evaluation: Evaluation, language: Language = ENGLISH) -> None:
    """Draw the confusion matrix, shaded by the share of each true class, in a language."""
    translate = language.translate
    names = [each.name for each in evaluation.classes]
    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _plain_style(language) as figure_class:
        figure = figure_class()
        axes, bar = figure.add_axes(_WHOLE), figure.add_axes(_WHOLE)
        image = axes.imshow(shares, cmap="GnBu", vmin=0, vmax=1)
        figure.colorbar(image, cax=bar, label=translate(say("share of the true class")))
        axes.set(xlabel=translate(say("predicted")), ylabel=translate(say("true")))
        axes.set_title(translate(score_sentence(evaluation.score)), fontsize=9, wrap=True)
        _label_classes(axes, names)
        _place_cells(figure, axes, bar, len(names))
        if len(names) <= _MOST_NUMBERS:
            for row, column in np.argwhere(counts):
                axes.text(
                    column,
                    row,
                    f"{counts[row, column]}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if shares[row, column] > 0.6 else "black",
                )
        figure.savefig(path, dpi=_DPI)


def _draw_curve(axes: "Axes", history: History, metric: str, language: Language) -> None:
    translate, best = language.translate, history.best_epoch
    for name, label, color in (
        (metric, say("training"), TRAINING),
        (f"val_{metric}", say("validation"), VALIDATION),
    ):
        values = history.metrics.get(name)
        if not values:
            continue
        final = translate(share(values[best])) if metric == "accuracy" else f"{values[best]:.4f}"
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, color=color, label=f"{translate(label)} ({final})", linewidth=1.8)
        axes.plot(best + 1, values[best], "o", color=color, markersize=5)
    axes.axvline(best + 1, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel=translate(say("epoch")), title=translate(translate_term(metric)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    cast("MaxNLocator", axes.xaxis.get_major_locator()).set_params(integer=True)
    if metric == "accuracy":
        axes.yaxis.set_major_formatter(
            lambda value, _: translate(say("{share:g} %", share=100 * value))
        )
    if axes.get_legend_handles_labels()[0]:
        title = translate(say("at epoch {best}", best=best + 1))
        axes.legend(frameon=False, title=title, alignment="left")


def _place_cells(figure: "Figure", axes: "Axes", bar: "Axes", num_classes: int) -> None:
    """Fit the figure's size to the cells and the longest names.

    Matplotlib's own layouts draw a figure twice to do so, which took most of the time.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    widths = [label.get_window_extent(renderer).width for label in axes.get_yticklabels()]
    heights = [label.get_window_extent(renderer).height for label in axes.get_xticklabels()]
    # In inches: the names, and around them the ticks, the axes' titles and the colour bar.
    left, bottom = 0.5 + max(widths) / figure.dpi, 0.5 + max(heights) / figure.dpi
    side = min(max(2.4, 0.42 * num_classes), 10.8)
    right, top = 1.1, 0.5
    size = np.array([left + side + right, bottom + side + top])
    figure.set_size_inches(*size)
    axes.set_position((left / size[0], bottom / size[1], side / size[0], side / size[1]))
    bar_left = left + side + 0.15
    bar.set_position((bar_left / size[0], bottom / size[1], 0.2 / size[0], side / size[1]))


def _label_classes(axes: "Axes", names: Sequence[str]) -> None:
    step = -(-len(names) // _MOST_TICKS)
    places = range(0, len(names), step)
    labels = [plain(names[place], most=_LONGEST_NAME) for place in places]
    long = any(len(label) > 3 for label in labels) or len(labels) > _MOST_NUMBERS
    axes.set_xticks(places, labels, rotation=90 if long else 0)
    axes.set_yticks(places, labels)
    size = 9 if len(labels) <= _MOST_NUMBERS else 7
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        # A dollar sign in a name must not start a formula.
        text.set_parse_math(False)
        text.set_fontproperties(_font(text.get_text(), size))


def _font(text: str, size: float) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(find_font(text)), size=size)


def _find_family(language: Language) -> str:
    """Return the name of a font with the letters of a language, known to Matplotlib."""
    from matplotlib.font_manager import FontProperties, fontManager

    path = str(find_font(language.translate(say("share of the true class"))))
    if all(path != font.fname for font in fontManager.ttflist):
        fontManager.addfont(path)
    return FontProperties(fname=path).get_name()


@contextmanager
def _plain_style(language: Language) -> Iterator["type[Figure]"]:
    """Use Matplotlib's defaults, whatever the user's settings, without glyph warnings."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        if language != ENGLISH:
            mpl.rcParams["font.family"] = _find_family(language)
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        yield Figure
