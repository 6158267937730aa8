"""What IPython shows of each result: the terminal's text, and HTML that fetches nothing."""

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from clearcnn.errors import BundleError
from clearcnn.report.notebook_style import make_notebook_style

KINDS = ("train", "evaluate", "check", "explain", "predictions", "prediction", "images")
VOID = {"img", "br", "meta", "link", "input", "line", "path", "circle", "hr"}
LONGEST = 250
LONGEST_OF_A_PART = 350


class Reader(HTMLParser):
    """Checks that tags are balanced, and notes addresses, tags and text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(content)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).replace("\u00a0", " ").split())


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_balanced_escaped_and_fetches_nothing(results: Any, kind: str) -> None:
    content = results[kind]._repr_html_()
    page = Reader(content)
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert not {"script", "iframe", "link"} & set(page.tags)
    assert "url(" not in content
    assert "@import" not in content
    # The names of the class and of the source are text, not tags.
    assert "<b>bar</b>" not in content
    assert "<i>with</i>" not in content


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_plain_and_the_bundle_has_both(results: Any, kind: str) -> None:
    bundle = results[kind]._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]
    text = bundle["text/plain"]
    assert text.strip()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 120
    assert bundle["text/html"] == results[kind]._repr_html_()


@pytest.mark.parametrize("kind", KINDS)
def test_reprs_are_one_line_down_to_the_smallest_record(results: Any, kind: str) -> None:
    waiting = [results[kind]]
    seen = 0
    while waiting:
        record = waiting.pop()
        if isinstance(record, (tuple, list)):
            waiting += record
        elif dataclasses.is_dataclass(record) and type(record).__module__ != "clearcnn.specs":
            seen += 1
            assert "\n" not in repr(record), type(record)
            assert len(repr(record)) <= LONGEST_OF_A_PART, repr(record)
            waiting += [getattr(record, field.name) for field in dataclasses.fields(record)]
    assert seen or kind == "predictions"
    assert len(repr(results[kind])) <= LONGEST


def test_a_training_shows_its_score_curves_mistakes_and_confusions(results: Any) -> None:
    result = results["train"]
    page = Reader(result._repr_html_())
    score = result.score
    assert f"{score.correct} of {score.total} test images correct" in page.text
    assert page.tags.count("svg") >= 2
    shown = page.tags.count("img")
    assert shown == min(24, len(result.test.mistakes)) > 0
    for mistake in result.test.mistakes[:shown]:
        assert mistake.name in page.text
    assert "Confusion matrix" in page.text
    text = result._repr_mimebundle_()["text/plain"]
    assert f"{score.correct} of {score.total} test images correct" in text
    assert "run folder" in text


def test_an_evaluation_names_its_models(results: Any) -> None:
    result = results["evaluate"]
    page = Reader(result._repr_html_())
    assert result.headline.name in page.text
    assert result.pictures is not None
    assert len(result.pictures.images) == min(24, len(result.evaluation.mistakes))


def test_a_prediction_shows_its_image_and_shares(results: Any) -> None:
    prediction = results["prediction"]
    page = Reader(prediction._repr_html_())
    assert page.tags.count("img") == 1
    assert prediction.prediction in page.text
    assert Reader(results["predictions"]._repr_html_()).tags.count("img") == 24


def test_labelled_images_show_each_class_with_its_number(results: Any) -> None:
    page = Reader(results["images"]._repr_html_())
    for name in results["images"].class_names:
        assert f"{name} 30" in page.text
    assert page.tags.count("img") == 3


def test_the_style_is_limited_to_the_view_and_knows_the_themes() -> None:
    style = make_notebook_style()
    assert style.count("{") == style.count("}")
    assert ":root" not in style
    assert not re.search(r"^\s*(body|html)\s*\{", style, re.M)
    outside = re.sub(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}", "", style)
    for selector in outside.strip().splitlines():
        assert all(".clearcnn-view" in part for part in selector.split(","))
    assert 'data-jp-theme-light="false"' in style
    assert "prefers-color-scheme: dark" in style


def test_the_model_loads_and_predicts(trained: Any, images: Any) -> None:
    model = trained.model
    assert model.predict(images.images[:2], verbose=0).shape == (2, 3)


def test_a_page_that_is_gone_is_named(trained: Any, tmp_path: Any) -> None:
    gone = dataclasses.replace(trained, run_folder=tmp_path / "gone")
    with pytest.raises(BundleError, match="gone"):
        gone.show()


def test_outside_a_notebook_the_page_opens_in_the_browser(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    trained.show()
    assert opened == [(trained.run_folder / "report.html").as_uri()]
