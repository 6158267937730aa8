import os
import shutil

import numpy as np
import pytest

from clearcnn.data import load
from clearcnn.data.forms.folder import read
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def test_classes_and_files_come_in_natural_order(class_folders, write_picture, tmp_path):
    data = read(class_folders, DataSpec())
    assert data.class_names == ("1", "2", "10")
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.names[:4] == ("1/1.png", "1/2.png", "1/10.png", "2/1.png")
    expected = write_picture(tmp_path / "again.png", 1010)
    np.testing.assert_array_equal(data.images[8], expected)
    assert data.images.shape == (9, 6, 5, 1)
    assert data.value_range == (0, 255)
    assert data.split_names is None
    assert str(class_folders) in data.source


def test_every_format_and_spelling_of_its_suffix_is_read(tmp_path, write_picture):
    suffixes = ["PNG", "jpg", "JPEG", "bmp", "gif", "webp", "tif", "TIFF"]
    for label in "ab":
        for suffix in suffixes:
            write_picture(tmp_path / label / f"x.{suffix}")
    assert len(read(tmp_path, DataSpec())) == 2 * len(suffixes)


def test_the_wanted_class_order_wins(class_folders):
    data = read(class_folders, DataSpec(class_names=("10", "2", "1")))
    assert data.class_names == ("10", "2", "1")
    assert data.labels[0] == 2
    with pytest.raises(DataError, match="no image of '3'; '2' in the data"):
        read(class_folders, DataSpec(class_names=("10", "3", "1")))


def test_parts_are_found_by_any_alias(tmp_path, write_picture):
    for folder in ("Training", "valid", "TEST"):
        for label in "ab":
            for number in range(2):
                write_picture(tmp_path / folder / label / f"{number}.png")
    data = read(tmp_path, DataSpec())
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    assert data.names[0] == "Training/a/0.png"
    assert data.class_names == ("a", "b")


def test_a_class_may_be_called_train(tmp_path, write_picture):
    for label in ("train", "bus"):
        for number in range(2):
            write_picture(tmp_path / label / f"{number}.png")
    data = read(tmp_path, DataSpec())
    assert data.class_names == ("bus", "train")
    assert data.split_names is None


def test_folders_below_a_class_belong_to_it(class_folders, write_picture):
    write_picture(class_folders / "1" / "more" / "deep" / "x.png")
    data = read(class_folders, DataSpec())
    assert len(data) == 10
    assert data.labels[data.names.index("1/more/deep/x.png")] == 0


def test_what_is_no_picture_is_ignored_and_said(class_folders):
    for name in ("Thumbs.db", ".DS_Store", "._1.png", "notes.txt"):
        (class_folders / "1" / name).write_bytes(b"?")
    (class_folders / ".git").mkdir()
    (class_folders / "__MACOSX").mkdir()
    (class_folders / "readme.md").write_text("?")
    data = read(class_folders, DataSpec())
    assert len(data) == 9
    assert data.preparation == ("1 file that is not an image was ignored, such as 1/notes.txt.",)


@pytest.mark.parametrize("name", ["bad.png", "photo.heic", "drawing.SVG"])
def test_what_looks_like_a_picture_and_is_not_read_is_an_error(class_folders, name):
    (class_folders / "2" / name).write_bytes(b"not a picture")
    with pytest.raises(DataError, match=f"2/{name} cannot be read") as info:
        read(class_folders, DataSpec())
    assert "--skip-unreadable" in info.value.remedy
    data = read(class_folders, DataSpec(skip_unreadable=True))
    assert len(data) == 9
    assert [skipped.path for skipped in data.skipped] == [f"2/{name}"]


def test_an_empty_file_is_an_error(class_folders):
    (class_folders / "2" / "empty.png").touch()
    with pytest.raises(DataError, match=r"empty\.png is empty \(0 bytes\)"):
        read(class_folders, DataSpec())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_at_once(class_folders):
    os.mkfifo(class_folders / "2" / "pipe.png")
    with pytest.raises(DataError, match="not a regular file"):
        read(class_folders, DataSpec())


@needs_links
def test_links_stay_within_the_folder(class_folders, write_picture, tmp_path):
    (class_folders / "1" / "own.png").symlink_to("1.png")
    assert len(read(class_folders, DataSpec())) == 10
    write_picture(tmp_path / "secret.png")
    (class_folders / "1" / "out.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match=r"out\.png cannot be opened: it is a link that leads out"):
        read(class_folders, DataSpec())
    skipped = read(class_folders, DataSpec(skip_unreadable=True)).skipped
    assert [file.path for file in skipped] == ["1/out.png"]


@needs_links
@pytest.mark.parametrize("place", ["3", "1/loop"])
def test_links_to_folders_are_refused(class_folders, place):
    (class_folders / place).symlink_to(class_folders, target_is_directory=True)
    with pytest.raises(DataError, match="is a link to a folder"):
        read(class_folders, DataSpec())


def test_a_class_whose_files_are_all_unreadable_is_empty(class_folders):
    for path in (class_folders / "2").iterdir():
        path.write_bytes(b"?")
    with pytest.raises(DataError, match="no image in the class '2'"):
        read(class_folders, DataSpec(skip_unreadable=True))


def _clear(folder):
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f: _clear(f / "2"), "no images in the class folder '2'"),
        (lambda f: [shutil.rmtree(f / c) for c in ("1", "2")], "only one class, '10'"),
        (lambda f: [(f / "2" / n).unlink() for n in ("1.png", "2.png")], "only one image.*'2'"),
        (_clear, "no class folders with images.*Looked for metadata.csv.*found nothing"),
    ],
)
def test_folders_without_enough_labelled_pictures_are_refused(class_folders, change, problem):
    change(class_folders)
    with pytest.raises(DataError, match=problem):
        read(class_folders, DataSpec())


@pytest.fixture
def split_folders(tmp_path, write_picture):
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            for number in range(2):
                write_picture(tmp_path / part / label / f"{number}.png")
    return tmp_path


def test_parts_of_different_classes_are_refused(split_folders, write_picture):
    write_picture(split_folders / "test" / "cow" / "0.png")
    shutil.rmtree(split_folders / "test" / "cat")
    with pytest.raises(DataError, match="'train' lacks 'cow', which 'test' has"):
        read(split_folders, DataSpec())


def test_two_folders_for_one_part_are_refused(split_folders):
    (split_folders / "train").rename(split_folders / "val")
    shutil.copytree(split_folders / "val", split_folders / "valid")
    with pytest.raises(DataError, match="'val' and 'valid' both stand for the validation"):
        read(split_folders, DataSpec())


def test_pictures_beside_the_parts_are_refused(split_folders, write_picture):
    write_picture(split_folders / "trian" / "x" / "0.png")
    with pytest.raises(
        DataError, match="'trian' contains images, but is none of the split"
    ) as info:
        read(split_folders, DataSpec())
    assert "'train'" in info.value.remedy


def test_images_without_a_label_are_left_out_and_said(class_folders, write_picture):
    write_picture(class_folders / "x.png")
    data = read(class_folders, DataSpec())
    assert len(data) == 9
    assert data.preparation == (
        "Left out 1 image without a label, outside the class folders, such as x.png; give them to "
        "predict.",
    )


def test_an_unlabelled_test_set_is_left_out_and_said(split_folders, write_picture):
    shutil.rmtree(split_folders / "test")
    write_picture(split_folders / "test" / "0.png")
    data = read(split_folders, DataSpec())
    assert set(data.split_names) == {"train"}
    assert "Left out 1 image without labels in the folder 'test'" in data.preparation[0]


def test_an_unlabelled_folder_of_the_same_split_is_left_out(split_folders, write_picture):
    write_picture(split_folders / "test_images" / "0.png")
    data = load(split_folders)
    assert len(data) == 8
    assert "'test_images'" in data.preparation[0]


def test_classes_may_be_called_val_and_valid_among_others(tmp_path, write_picture):
    for label in ("val", "valid", "bus"):
        for number in range(2):
            write_picture(tmp_path / label / f"{number}.png")
    assert load(tmp_path).class_names == ("bus", "val", "valid")
