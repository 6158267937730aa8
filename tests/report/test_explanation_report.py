"""The page of an explanation as text, and what is written beside it."""

import json
import re
from dataclasses import replace

from PIL import Image

from clearcnn.report import render_explanation, write_explanation
from clearcnn.report.layer_descriptions import describe_layer
from clearcnn.report.number_format import number


def test_numbers_are_said_in_few_digits():
    said = [number(v) for v in (0.0, 16.0, -0.004, 0.126, 2.36, 27.04, 1234.5, 3e-5, float("nan"))]
    assert said == ["0", "16", "−0.004", "0.13", "2.36", "27", "1234", "3.0e−05", "–"]
    assert number(-0.0) == "0"


def test_everything_is_written_and_asks_for_nothing_else(tmp_path, make_explained):
    result, pictures = make_explained(tuple("7210345689"), label="2")
    write_explanation(tmp_path, result, pictures, "clearcnn explain runs/one 7")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "gradient.png",
        "layer-01-conv2d-filters.png",
        "layer-01-conv2d.png",
        "layer-02-activation.png",
        "layer-03-maxpooling2d.png",
        "layer-05-dense.png",
        "occlusion.png",
        "picture.png",
    ]
    for path in (tmp_path / "figures").iterdir():
        Image.open(path).verify()
    said = json.loads((tmp_path / "explanation.json").read_text(encoding="utf-8"))
    # What is not a number is null.
    assert said["gradient"]["sanity"]["correlations"] == [0.1, -0.2, None]
    page = (tmp_path / "explanation.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert page.count("<script") == 1


def test_a_class_of_the_label_is_shown_however_improbable(make_explained):
    result, pictures = make_explained(tuple("7210345689"), label="9")
    page = render_explanation(result, pictures, "")
    bars = page.partition('class="bars"')[2].partition("</ul>")[0]
    assert re.findall(r'title="(\d)"', bars) == ["7", "2", "1", "0", "3", "9"]


def test_only_the_first_maps_are_shown_and_the_rest_counted(make_explained):
    page = render_explanation(*make_explained(("a", "b")), "")
    assert page.count("and 6 more maps, not drawn.") == 3
    assert page.count("<summary>60 more maps</summary>") == 3


def test_a_map_is_paired_with_a_filter_only_if_each_has_one(make_explained):
    result, pictures = make_explained(("a", "b"))
    paired = render_explanation(result, pictures, "")
    assert paired.count('alt="its filter"') == 64
    assert "Its " not in paired.partition('id="layers"')[2].partition("</section>")[0]
    # As in a separable convolution: fewer filters than maps.
    fewer = replace(pictures, filters=(pictures.filters[0][:5], *pictures.filters[1:]))
    page = render_explanation(result, fewer, "")
    assert 'alt="its filter"' not in page
    assert "Its 5 filters of 3 × 3 weights, one per input map" in page


def test_parts_that_are_not_there_leave_no_link(make_explained):
    bare = {"convolution": None, "pooling": None, "neighbours": None}
    page = render_explanation(*make_explained(("a", "b"), **bare), "")
    for part in ("convolution", "pooling", "alike"):
        assert f'"#{part}"' not in page
        assert f'id="{part}"' not in page


def test_a_layer_is_said_with_what_came_of_it(make_explained):
    result, _ = make_explained(("a", "b"))
    convolution, relu, *_, dense = result.layers
    assert describe_layer(convolution, is_last=False, silent=0).startswith("70 filters slide")
    said = describe_layer(relu, is_last=False, silent=1)
    assert re.search(r"here (?:49|50)\.\d % of the values\. 1 map of 70 stays inactive", said)
    assert describe_layer(dense, is_last=True, silent=0).endswith(
        "Softmax turns them into probabilities."
    )
