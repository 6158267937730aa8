"""How an explanation looks in a terminal: the answer, what was done, and where the page is."""

from rich.console import Group, RenderableType
from rich.text import Text

from clearcnn.cli.result_tables import view_facts, view_heading, view_path
from clearcnn.report.number_format import percent
from clearcnn.results.explain import ExplainResult, SanityCheck
from clearcnn.text import printable

MOST_CLASSES = 3


def view_explanation(result: ExplainResult) -> RenderableType:
    """Show the most probable classes, what was done to the picture, and where the page lies.

    Args:
      result: of the explanation.
    Returns:
      A renderable.
    """
    image = result.image
    others = " · ".join(
        f"{printable(answer.name)} {percent(answer.probability)} %"
        for answer in result.answers[1:MOST_CLASSES]
    )
    answer = Text.assemble(
        (printable(result.prediction), "bold green"),
        f" · {percent(result.answers[0].probability)} % sure",
    )
    facts: list[tuple[str, RenderableType]] = [("answer", answer), ("then", others)]
    if image.label is not None:
        style = "yellow" if result.is_mistake else ""
        verdict = "a mistake" if result.is_mistake else "right"
        facts.append(("label", Text(f"{printable(image.label)}, {verdict}", style=style)))
        facts.append(("part", printable(image.part or "")))
    facts += [("prepared", printable(sentence)) for sentence in image.preparation]
    facts += [
        ("gradient map", _say_check(result.gradient.sanity)),
        ("occlusion map", _say_check(result.occlusion.sanity)),
    ]
    if result.neighbours is not None and result.neighbours.train:
        labels = ", ".join(printable(each.label) for each in result.neighbours.train)
        facts.append(("alike", f"{labels} (nearest training images)"))
    facts.append(("page", view_path(result.folder / "explanation.html")))
    return Group(view_heading("Explanation", image.name), view_facts(facts))


def _say_check(check: SanityCheck) -> str:
    if check.verdict == "undefined":
        return "the same everywhere"
    return (
        f"check with random weights {check.verdict}, |ρ| {check.magnitude:.2f} over "
        f"{len(check.seeds)} models"
    )
