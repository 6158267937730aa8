import pytest

from clearcnn.data import load
from clearcnn.errors import DataError


def test_every_folder_with_images_is_a_class_named_by_its_path(tmp_path, write_picture):
    """Omniglot: a character is a class, and its alphabet part of its name."""
    for alphabet in ("Greek", "Latin"):
        for character in ("character01", "character02", "character10"):
            for number in range(2):
                write_picture(tmp_path / alphabet / character / f"{number}.png", number)
    with pytest.raises(DataError, match="subfolders of the same names"):
        load(tmp_path)
    data = load(f"subfolders:{tmp_path}")
    assert data.class_names == tuple(
        f"{alphabet}/character{number}"
        for alphabet in ("Greek", "Latin")
        for number in ("01", "02", "10")
    )
    assert data.names[2] == "Greek/character02/0.png"
    assert data.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_file_and_a_folder_without_images_are_refused(tmp_path, write_picture):
    write_picture(tmp_path / "set" / "1.png")
    with pytest.raises(DataError, match="no folders with images"):
        load(f"subfolders:{tmp_path / 'set'}")
    with pytest.raises(DataError, match="is not a folder"):
        load(f"subfolders:{tmp_path / 'set' / '1.png'}")


def test_split_folders_are_no_part_of_the_names_of_classes(tmp_path, write_picture):
    for split in ("images_background", "images_evaluation"):
        write_picture(tmp_path / split / "Greek" / "character01" / "1.png")
    with pytest.raises(DataError, match="named after splits") as info:
        load(f"subfolders:{tmp_path}")
    assert f"subfolders:{tmp_path / 'images_background'}" in info.value.remedy
