"""The figure of the cost over size."""

from collections.abc import Mapping
from pathlib import Path

Points = list[tuple[int, float]]


def draw(curves: Mapping[str, Mapping[str, Points]], limit: str, path: Path) -> None:
    """Draw one panel for each growing quantity, with logarithmic axes.

    Args:
      curves: growing quantity, in words → contender, or "limit" → (value, seconds for an epoch).
      limit: the limit, in words.
      path: the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    figure = Figure(figsize=(10, 3.8), dpi=160, layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (words, by_name) in zip(panels, curves.items(), strict=True):
        values: list[int] = []
        for name, points in by_name.items():
            if not points:
                continue
            values, seconds = map(list, zip(*points, strict=True))
            if name == "limit":
                axes.plot(values, seconds, ":", color="#555", label=limit)
            else:
                axes.plot(values, seconds, marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel=words)
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_major_formatter(FixedFormatter([f"{value:,}" for value in values]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds for an epoch")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    FigureCanvasAgg(figure).print_png(path)
