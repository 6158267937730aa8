import numpy as np
import pytest

from clearcnn.data.forms.csv_pixels import read
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


@pytest.fixture
def write(tmp_path):
    def write(header: list[str], rows: np.ndarray | list, labels: list, path="p.csv"):
        lines = [",".join(["label", *header])]
        for label, row in zip(labels, rows, strict=True):
            lines.append(",".join([str(label), *map(str, row)]))
        (tmp_path / path).write_text("\n".join(lines) + "\n", "utf-8")
        return tmp_path / path

    return write


def _pixels(n: int, count: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, count))


def _names(count: int) -> list[str]:
    return [f"pixel{k}" for k in range(count)]


def test_a_square_of_bytes(write):
    pixels = _pixels(4, 9)
    data = read(write(_names(9), pixels, [3, 5, 3, 5]), DataSpec())
    assert data.images.dtype == np.uint8
    np.testing.assert_array_equal(data.images, pixels.reshape(4, 3, 3, 1))
    assert data.class_names == ("3", "5")
    assert data.labels.tolist() == [0, 1, 0, 1]


def test_size_gives_the_shape_of_what_is_no_square_and_of_colours(write):
    path = write(_names(12), _pixels(4, 12), list("abab"))
    data = read(path, DataSpec(size=(3, 4)))
    np.testing.assert_array_equal(data.images, _pixels(4, 12).reshape(4, 3, 4, 1))
    data = read(path, DataSpec(size=(2, 2)))
    np.testing.assert_array_equal(data.images, _pixels(4, 12).reshape(4, 2, 2, 3))
    # Without a size, three times a square is a square in colour.
    np.testing.assert_array_equal(read(path, DataSpec()).images, data.images)
    with pytest.raises(DataError, match="6 pixel columns do not make a square image"):
        read(write(_names(6), _pixels(4, 6), list("abab")), DataSpec())


@pytest.mark.parametrize("pattern", ["pixel_{}_{}", "{}x{}", "r{}c{}"])
@pytest.mark.parametrize("first", [0, 1])
def test_names_give_places_whatever_their_order(write, pattern, first):
    places = [(row, column) for row in range(2) for column in range(11)]
    order = np.random.default_rng(0).permutation(22)
    names = [pattern.format(places[k][0] + first, places[k][1] + first) for k in order]
    pixels = _pixels(4, 22)
    data = read(write(names, pixels[:, order], list("abab")), DataSpec())
    np.testing.assert_array_equal(data.images, pixels.reshape(4, 2, 11, 1))


def test_names_that_fill_no_image_are_refused(write):
    path = write(["p_0_0", "p_0_1", "p_1_0"], _pixels(4, 3), list("abab"))
    with pytest.raises(DataError, match="p_0_0 to p_1_0, do not cover an image of 2×2"):
        read(path, DataSpec())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([[0, 300]] * 2, np.uint16),
        ([[0.5, 1]] * 2, np.float32),
        ([[-1, 1]] * 2, np.float32),
        ([[0, 1e6]] * 2, np.float32),
    ],
)
def test_other_values_keep_what_they_need(write, values, dtype):
    rows = np.array(values * 2)[:, [0, 1, 1, 0]]
    data = read(write(_names(4), rows, list("aabb")), DataSpec())
    assert data.images.dtype == dtype
    np.testing.assert_array_equal(data.images.reshape(4, 4), rows.astype(np.float32))


def test_the_label_may_stand_anywhere_and_have_company(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        'a,b,Class,c,d,group,split\n1,2,"x, y",3,4,g,train\n5,6,z,7,8,g,test\n'
        '\n1,2,"x, y",3,4,h,train\n5,6,z,7,8,h,train\n'
    )
    data = read(path, DataSpec())
    assert data.class_names == ("x, y", "z")
    np.testing.assert_array_equal(data.images[1, ..., 0], [[5, 6], [7, 8]])
    assert data.groups is not None
    assert data.groups.tolist() == ["g", "g", "h", "h"]
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train", "test", "train", "train"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("1,2,3,4,5\n1,2,3,4,5\n", "is named label, class or target"),
        ("label,a,b,c,d\n", "has no rows"),
        ("label\nx\n", "0 pixel columns do not make a square"),
        ("label,a,b,c,d\nx,1,2,3,4\ny,1,,3,4\n", "line 3: '' in the column b is not a number"),
        ("label,a,b,c,d\nx,1,2,3,4\n\ny,1,z,3,4\n", "line 4: 'z' in the column b"),
        ("label,a,b,c,d\nx,1,2,3\n", "line 2: 4 cells, but 5 column names"),
        ("label,a,b,c,d\nx,1,2,3,4\n,1,2,3,4\n", "line 3: the label is missing"),
        ("label,a,b,c,d\nx,1,2,3,nan\ny,1,2,3,4\n", "image 0 has the value nan"),
        ("label,a,b,c,d\nx,1,2,3,inf\ny,1,2,3,4\n", "image 0 has the value inf"),
        ("label,a,b,c,d,split\nx,1,2,3,4,all\n", "unknown split 'all'"),
    ],
)
def test_faults_are_named_with_their_place(tmp_path, content, problem):
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(DataError, match=problem):
        read(tmp_path / "p.csv", DataSpec())


def test_long_files_are_read_in_blocks(write):
    pixels = _pixels(4500, 4)
    data = read(write(_names(4), pixels, [k % 7 for k in range(4500)]), DataSpec())
    np.testing.assert_array_equal(data.images.reshape(-1, 4), pixels)
    assert data.labels.tolist() == [k % 7 for k in range(4500)]


@pytest.mark.parametrize("cell", ["1_0", "\u0661", "0x1p3", '"1\n2"', "1 2", ""])
def test_what_python_takes_for_a_number_and_numpy_does_not_is_refused(tmp_path, cell):
    path = tmp_path / "a.csv"
    path.write_text(f"label,a\n1,{cell}\n2,3\n1,4\n2,5\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv, line"):
        read(path, DataSpec())


def test_places_beyond_any_image_are_not_places(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("label,p_" + "9" * 5000 + "_0\n1,1\n2,2\n1,3\n2,4\n")
    assert read(path, DataSpec()).images.shape == (4, 1, 1, 1)
