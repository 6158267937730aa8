"""A model as a table of its layers, readable without colour."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clearcnn.cli.console import Line
from clearcnn.cli.result_tables import view_heading, view_shape, view_table
from clearcnn.language import say
from clearcnn.results.train import LayerSummary, ModelSummary
from clearcnn.text import printable


def view_model(summary: ModelSummary) -> RenderableType:
    """Show the model layer by layer, and the size of the same network with Dense layers.

    Args:
      summary: of the model.
    Returns:
      A renderable.
    """
    shape = view_shape(summary.input_shape)
    return Group(
        view_heading(say("Model"), say("{name}, {shape} in", name=summary.name, shape=shape)),
        _LayerTable(summary),
        *_mlp(summary),
    )


class _LayerTable:
    """The layers as rows; in a narrow terminal, the rightmost columns are left out."""

    def __init__(self, summary: ModelSummary) -> None:
        self.summary = summary

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = 6
        while columns > 3:
            table = self._table(columns)
            if console.measure(table, options=options).minimum < options.max_width:
                break
            columns -= 1
        yield Padding(self._table(columns), (0, 0, 0, 1))

    def _table(self, columns: int) -> Table:
        summary = self.summary
        table = view_table()
        table.add_column(say("layer"), overflow="fold", min_width=16)
        headers = (
            say("output"),
            say("parameters"),
            say("receptive\nfield"),
            say("multiply-\nadds"),
            say("as a Dense\nlayer"),
        )
        for header in headers[: columns - 1]:
            table.add_column(header, justify="right", no_wrap=True, vertical="bottom")
        for layer in summary.layers:
            table.add_row(*_layer_cells(layer)[:columns])
        total = (say("total"), "", f"{summary.parameters:,}", "", f"{summary.multiply_adds:,}", "")
        table.add_row(*(Line(cell, style="bold") for cell in total[:columns]))
        return table


def _layer_cells(layer: LayerSummary) -> tuple[str, ...]:
    dense = "" if layer.dense_parameters is None else f"{layer.dense_parameters:,}"
    return (
        printable(layer.name),
        view_shape(layer.output_shape),
        f"{layer.parameters:,}",
        view_shape(layer.receptive_field),
        f"{layer.multiply_adds:,}",
        dense,
    )


def _mlp(summary: ModelSummary) -> Iterable[RenderableType]:
    if all(layer.dense_parameters is None for layer in summary.layers):
        return
    times = summary.mlp_parameters / summary.parameters
    yield Text()
    yield Padding(
        Line(
            say("With Dense layers instead of convolutions it would have "),
            (f"{summary.mlp_parameters:,}", "bold"),
            say(" parameters, {times:.1f} times as many.", times=times)
            if times < 10
            else say(" parameters, {times:,.0f} times as many.", times=times),
        ),
        (0, 2),
    )
