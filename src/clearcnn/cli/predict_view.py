"""How answers look in a terminal or a pipe: one line for each, as soon as it is there."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from clearcnn.cli.predict_display import MOST_WITH_PREPARATION
from clearcnn.results.predict import ClassProbability, Prediction
from clearcnn.text import printable

UNLIKE = "looks like none of the classes"
_WIDEST_NAME = 40
_WIDEST_CLASS = 20
_SURE_COLUMNS = 7


class AnswerLines:
    """Lines of one table whose widths are known before the first answer.

    Args:
      names: of all pictures.
      class_names: of the model.
    """

    def __init__(self, names: Sequence[str], class_names: Sequence[str]) -> None:
        self._name_columns = _widest(("picture", *names), _WIDEST_NAME)
        self._class_columns = _widest(("answer", "not sure", *class_names), _WIDEST_CLASS)
        self._tells_preparation = len(names) <= MOST_WITH_PREPARATION

    def heading(self) -> str:
        """Name the columns."""
        return self._join("picture", "answer", "sure", "then")

    def line(self, answer: Prediction) -> str:
        """Say an answer; of few pictures, in more lines what was done to each."""
        if answer.error is not None:
            return self._join(answer.name, "-", "-", "cannot be read")
        others = " · ".join(f"{printable(each.name)} {_percent(each)}" for each in answer.top[1:])
        first = answer.top[0]
        if answer.abstained:
            others = " · ".join(filter(None, (f"{printable(first.name)}?", others)))
        remarks = [others, UNLIKE if answer.is_unlike else ""]
        lines = [
            self._join(
                answer.name,
                answer.prediction or "not sure",
                _percent(first),
                "   ".join(filter(None, remarks)),
            )
        ]
        if self._tells_preparation:
            lines += [f"    {printable(sentence)}" for sentence in answer.preparation]
        return "\n".join(lines)

    def _join(self, name: str, prediction: str, sure: str, rest: str) -> str:
        shown = printable(name)
        if cell_len(shown) > self._name_columns:
            # The end of a path tells more than its beginning.
            shown = "…" + shown[-(self._name_columns - 1) :]
        cells = [
            set_cell_size(shown, self._name_columns),
            set_cell_size(printable(prediction), self._class_columns),
            sure.rjust(_SURE_COLUMNS),
            rest,
        ]
        return "  ".join(cells).rstrip()


def _widest(texts: Sequence[str], most: int) -> int:
    return min(most, max(cell_len(printable(text)) for text in texts))


def _percent(answer: ClassProbability) -> str:
    # Almost certain is not certain.
    shown = 100 * answer.probability
    return f"{min(shown, 99.9) if answer.probability < 1 else shown:.1f} %"
