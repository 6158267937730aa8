import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from clearcnn.errors import SpecError
from clearcnn.report import ReportImages, render_report, score_sentence, write_report
from clearcnn.results.train import History

VOID = {"meta", "link", "img", "br", "hr", "input", "line", "path", "circle"}


class Page(HTMLParser):
    """The elements and visible text of a page, as a parser of another make sees them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(page)
        self.close()
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def images(self):
        prefix = "data:image/png;base64,"
        sources = [value for tag, name, value in self.attributes if (tag, name) == ("img", "src")]
        assert all(source.startswith(prefix) for source in sources)
        return [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix(prefix)))))
            for source in sources
        ]


@pytest.fixture(scope="module")
def page(digits):
    result, pictures = digits
    return Page(render_report(result, pictures, "clearcnn train digits", {"keras": "3.15.1"}))


def test_a_folder_gets_its_page_and_figures(tmp_path, digits):
    result, pictures = digits
    write_report(tmp_path, result, pictures, "clearcnn train digits")
    names = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*"))
    assert names == [
        "figures/confusion.png",
        "figures/curves.png",
        "figures/data.png",
        "report.html",
    ]
    for name in names[:3]:
        with Image.open(tmp_path / name) as picture:
            picture.verify()


def test_every_element_is_closed_and_every_id_is_one(page):
    assert page.open == []
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [
        value[1:] for _, name, value in page.attributes if name == "href" and value[0] == "#"
    ]
    assert set(targets) <= set(ids)
    labels = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert set(labels) <= set(ids)


def test_it_says_what_a_reader_looks_for(page, digits):
    result, _ = digits
    text = page.text.replace("\u00a0", " ")
    assert score_sentence(result.test.score) in text
    for words in (
        "1,005 training, 252 validation, 540 test",
        "56,018 parameters",
        "2,511,242, 45 times as many",
        "Conv2D 24 · 3×3 same",
        "AdamW, weight decay 0.004",
        "after 15 epochs without a lower validation loss",
        "shift ±0.8 pixels",
        "43 epochs of at most 60",
        "clearcnn train digits",
        "keras 3.15.1",
        result.data.content_hash,
    ):
        assert words in text, words


def test_it_needs_nothing_but_itself(digits, hostile, korean):
    for result, pictures in (digits, hostile, korean):
        raw = render_report(result, pictures, "clearcnn train")
        page = Page(raw)
        for tag, name, value in page.attributes:
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
                assert value.startswith(("#", "data:")), (tag, name, value)
        style = re.search(r"<style>(.*?)</style>", raw, re.S).group(1)
        assert "url(" not in style
        assert "@import" not in style
        assert "http://" not in raw
        assert "https://" not in raw


def test_hostile_names_stay_words(hostile):
    result, pictures = hostile
    names = [each.name for each in result.data.classes]
    mistakes = tuple(replace(m, name=names[0]) for m in result.test.mistakes)
    data = replace(result.data, source=names[1], preparation=(names[0],))
    result = replace(result, data=data, test=replace(result.test, mistakes=mistakes))
    raw = render_report(result, pictures, f"clearcnn train {names[0]}", {names[0]: names[1]})
    page = Page(raw)
    assert page.open == []
    assert page.tags.count("script") == 1
    assert not any(name.startswith("on") for _, name, _ in page.attributes)
    assert all(value.startswith("data:") for _, name, value in page.attributes if name == "src")
    for name in names:
        assert name in page.text
    assert "{{" not in raw.replace("{{ 7 * 7 }}", "")


def test_korean_names_are_whole(korean):
    result, pictures = korean
    page = Page(render_report(result, pictures, "clearcnn train"))
    for name in ("고양이", "강아지", "토끼와 거북이"):
        assert name in page.text


def test_a_file_name_that_is_no_unicode_is_shown_escaped(tmp_path, digits):
    result, pictures = digits
    first, *rest = result.test.mistakes
    test = replace(result.test, mistakes=(replace(first, name="bad\udcff.png"), *rest))
    write_report(tmp_path, replace(result, test=test), pictures, "clearcnn train")
    assert "bad\\udcff.png" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_gallery_shows_the_very_images_that_were_mistaken(page, digits):
    from sklearn.datasets import load_digits

    result, _ = digits
    images = page.images()
    assert len(images) == 10 + 24
    sources = load_digits().images
    for mistake, shown in zip(result.test.mistakes[:24], images[10:], strict=True):
        original = np.round(sources[mistake.index] / 16 * 255).astype(np.uint8)
        np.testing.assert_array_equal(shown, original.repeat(16, axis=0).repeat(16, axis=1))


def test_the_confusion_table_holds_every_count(digits):
    result, pictures = digits
    raw = render_report(result, pictures, "clearcnn train")
    table = re.search(r'<table class="heat.*?</table>', raw, re.S).group(0)
    body = table.split("<tbody>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    counts = tuple(
        tuple(int(cell or 0) for cell in re.findall(r"<td[^>]*>(\d*)</td>", row)) for row in rows
    )
    assert counts == result.test.confusion


def test_no_mistakes_are_said_kindly(digits):
    result, pictures = digits
    test = replace(result.test, mistakes=())
    text = Page(render_report(replace(result, test=test), pictures, "x")).text
    assert "None: all 540 test images are correct." in text


def test_an_interrupted_run_says_so(digits):
    result, pictures = digits
    text = Page(render_report(replace(result, interrupted=True), pictures, "x")).text
    assert "Stopped early." in text
    assert "interrupted after 43 epochs" in text


def test_skipped_files_are_listed_and_counted(digits, skipped_files):
    result, pictures = digits
    result = replace(result, data=replace(result.data, skipped=skipped_files))
    text = Page(render_report(result, pictures, "x")).text
    assert "25 files could not be read and were skipped" in text
    assert "a/19.png truncated" in text
    assert "a/20.png" not in text
    assert "and 5 more files" in text


def test_a_model_without_convolutions_makes_no_comparison(digits):
    result, pictures = digits
    dense = tuple(replace(layer, dense_parameters=None) for layer in result.model_summary.layers)
    result = replace(result, model_summary=replace(result.model_summary, layers=dense))
    text = Page(render_report(result, pictures, "x")).text
    assert "times as many" not in text
    assert "every layer with weights is Dense" in text


def test_a_history_without_anything_finite_has_no_curves(digits):
    result, pictures = digits
    history = History({"loss": (float("nan"),), "accuracy": (float("nan"),)}, best_epoch=0)
    bare = replace(result, history=history, calibration=None)
    page = Page(render_report(bare, pictures, "x"))
    assert "svg" not in page.tags
    assert "1 epoch" in page.text


def test_pictures_of_another_result_are_refused_before_anything_is_written(tmp_path, digits):
    result, pictures = digits
    for wrong in (
        ReportImages(pictures.samples[:9], pictures.mistakes),
        ReportImages(pictures.samples, pictures.mistakes[:5]),
    ):
        with pytest.raises(SpecError, match="10 classes and asks for 24 mistakes"):
            write_report(tmp_path, result, wrong, "x")
    assert list(tmp_path.iterdir()) == []


def test_writing_twice_gives_the_same_bytes(tmp_path, digits):
    result, pictures = digits
    pages = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(tmp_path / name, result, pictures, "x")
        pages.append({p.name: p.read_bytes() for p in (tmp_path / name).rglob("*.*")})
    assert pages[0] == pages[1]


def test_importing_the_room_loads_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, clearcnn.report, clearcnn.evaluation;"
        "heavy = {'jax', 'keras', 'sklearn', 'scipy', 'matplotlib', 'jinja2'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_calibration_is_judged_against_chance(digits):
    result, pictures = digits
    calibration = result.calibration
    trusted = replace(result, calibration=replace(calibration, error=calibration.floor_95 / 2))
    words = Page(render_report(trusted, pictures, "clearcnn train digits")).text
    assert "That is no more than chance" in words
    assert f"stays below {100 * calibration.floor_95:.1f} percentage points" in words
    bins = tuple(replace(each, confidence=1.0, accuracy=0.8) for each in calibration.bins)
    bold = replace(result, calibration=replace(calibration, error=0.2, bins=bins))
    words = Page(render_report(bold, pictures, "clearcnn train digits")).text
    assert "by 20.0 percentage points" in words
    assert "the model is over-confident" in words


def test_two_classes_have_roc_and_precision_recall(two, digits):
    result, pictures = two
    words = Page(render_report(result, pictures, "clearcnn train")).text
    curves = result.curves
    low, high = curves.area_interval.low, curves.area_interval.high
    assert f"ROC: area {curves.area:.3f} ({low:.3f}–{high:.3f})" in words
    assert f"average precision {100 * curves.average_precision:.1f} %" in words
    assert "ROC" not in Page(render_report(*digits, "clearcnn train digits")).text


def test_runs_of_older_versions_have_no_calibration(digits):
    result, pictures = digits
    page = Page(render_report(replace(result, calibration=None), pictures, "clearcnn train"))
    assert "expected calibration error" not in page.text
    assert ("a", "href", "#confidence") not in page.attributes
