"""Folders as the authors of known data sets pack them, and what they are taken for.

The images are empty files: the layout is decided by names alone.
"""

import pytest

from clearcnn.data.forms.folder_layout import lay_out
from clearcnn.data.forms.folder_tree import list_tree
from clearcnn.errors import DataError


@pytest.fixture
def make(tmp_path):
    """Make files: `a/{1,2}.png` makes two."""

    def write(*patterns: str):
        for pattern in patterns:
            head, brace, rest = pattern.partition("{")
            inner, _, tail = rest.partition("}")
            for name in inner.split(",") if brace else [""]:
                path = head + name + tail
                if "{" in path:
                    write(path)
                    continue
                place = tmp_path / "set" / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
        return tmp_path / "set"

    return write


def understand(folder, *, as_stated: bool = False):
    """Return split → class → number of images, and the notes as one text."""
    layout = lay_out(list_tree(folder), as_stated=as_stated, may_be_empty=False)
    counts = {
        split: {name: len(paths) for name, paths in classes.items()}
        for split, classes in layout.splits.items()
    }
    return counts, " ".join(layout.notes)


TWO = {"cats": 2, "dogs": 2}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"),
        ("Training", "Test"),
        ("seg_train", "seg_test"),
        ("Final_Training", "Final_Test"),
        ("TrainingSet", "TestSet"),
        ("mnist_train", "mnist_test"),
        ("train2017", "test2017"),
        ("학습", "평가"),
    ],
)
def test_split_folders_have_many_names(make, train, test):
    folder = make(f"{train}/{{cats,dogs}}/{{1,2}}.png", f"{test}/{{cats,dogs}}/{{3,4}}.png")
    assert understand(folder)[0] == {"train": TWO, "test": TWO}


def test_the_course_on_cats_and_dogs(make):
    folder = make(
        "dataset/{training_set,test_set}/{cats,dogs}/{1,2}.png",
        "dataset/single_prediction/cat_or_dog_1.png",
    )
    counts, notes = understand(folder)
    assert counts == {"train": TWO, "test": TWO}
    assert "Read the folder 'dataset'" in notes
    assert "1 image without labels in the folder 'dataset/single_prediction'" in notes
    assert "give them to predict" in notes


def test_intel_scenes_name_each_split_twice(make):
    folder = make(
        "{seg_train/seg_train,seg_test/seg_test}/{cats,dogs}/{1,2}.png", "seg_pred/seg_pred/9.png"
    )
    counts, notes = understand(folder)
    assert counts == {"train": TWO, "test": TWO}
    assert "'seg_pred'" in notes


@pytest.mark.parametrize("extra", ["test/{1,2}.png", "test/images/{1,2}.png"])
def test_an_unlabelled_test_set_is_left_out(make, extra):
    counts, notes = understand(make("train/{cats,dogs}/{1,2}.png", extra))
    assert counts == {"train": TWO}
    assert "Left out 2 images without labels in the folder 'test'" in notes


def test_kaggles_traffic_signs_have_drawings_beside_them(make):
    folder = make("Train/{0,1}/{1,2}.png", "Test/0.png", "Meta/{0,1}.png")
    counts, notes = understand(folder)
    assert counts == {"train": {"0": 2, "1": 2}}
    assert "'Test'" in notes
    assert "'Meta'" in notes


def test_a_table_beside_images_that_are_left_out_is_named(make):
    """As GTSRB's `Final_Test/Images/GT-final_test.csv`."""
    folder = make("Final_Training/Images/{0,1}/{1,2}.ppm", "Final_Test/Images/{0.ppm,GT-test.csv}")
    counts, notes = understand(folder)
    assert counts == {"train": {"0": 2, "1": 2}}
    assert "The labels may be in 'Final_Test/Images/GT-test.csv'." in notes


def test_a_class_may_lack_images_to_test(make):
    folder = make("{train,test}/{cats,dogs}/{1,2}.png", "{train,valid}/cows/{1,2}.png")
    counts, notes = understand(folder)
    assert counts["test"] == TWO
    assert counts["validation"] == {"cows": 2}
    assert "The test set has no images of 'cows'." in notes


def test_a_class_may_be_spelt_differently_in_a_split(make):
    counts, notes = understand(make("train/{Cat,dog}/{1,2}.png", "test/{cat,dog}/{1,2}.png"))
    assert counts["test"] == {"Cat": 2, "dog": 2}
    assert "The class 'cat' of the test set is the class 'Cat'." in notes


@pytest.mark.parametrize(
    "pattern",
    [
        "{cell_images,cell_images/cell_images}/{Parasitized,Uninfected}/{1,2}.png",
        "{xray,xray/xray}/{train,test}/{Parasitized,Uninfected}/{1,2}.png",
    ],
)
def test_what_an_archive_has_twice_is_left_out(make, pattern):
    counts, notes = understand(make(pattern))
    assert list(counts[min(counts, key=str)].values()) == [2, 2]
    assert "which has the same files again" in notes


def test_folders_of_the_same_names_below_and_beside_are_refused(make):
    folder = make("cells/{A,B}/{1,2}.png", "cells/cells/{A,B}/{7,8,9}.png")
    with pytest.raises(DataError, match="'cells' contains folders named as those beside it"):
        understand(folder)
    assert understand(folder, as_stated=True)[0] == {None: {"A": 2, "B": 2, "cells": 6}}


def test_subfolders_of_a_class_belong_to_it_and_it_is_said(make):
    counts, notes = understand(make("cat/{siamese,persian}/1.png", "dog/{1,2}.png"))
    assert counts == {None: {"cat": 2, "dog": 2}}
    assert "such as those in 'cat/persian' to 'cat'; the prefix subfolders:" in notes


@pytest.mark.parametrize(
    ("patterns", "problem", "remedy"),
    [
        (  # PlantVillage
            ["raw/{color,grayscale,segmented}/{Apple,Corn,Grape}/{1,2}.png"],
            "'color', 'grayscale', 'segmented' have subfolders of the same names, such as 'Apple'",
            "raw/color",
        ),
        (  # Omniglot
            [
                "images_background/{Greek,Latin}/{character01,character02}/1.png",
                "images_evaluation/{Tibetan,Atlantean}/{character01,character02}/1.png",
            ],
            "images_background: the folders 'Greek', 'Latin' have subfolders of the same names",
            "subfolders:",
        ),
        (["first/{a,b}/1.png", "second/{a,b}/2.png"], "They may be splits", "rename splits"),
        (["{COVID,Normal}/{images,masks}/{1,2}.png"], "subfolders of the same names", "folder:"),
        (  # Kaggle, flat
            ["{train,test}/{1,2}.jpg", "labels.csv", "README.txt"],
            "named after splits, but have no class folders.*labels may be in 'labels.csv'",
            "metadata.csv",
        ),
        (  # Roboflow
            ["{train,valid,test}/1.jpg", "{train,valid,test}/_classes.csv"],
            "labels may be in 'test/_classes.csv', 'train/_classes.csv'",
            "folder:",
        ),
        (  # Images for detection
            ["{train,test}/images/{1,2}.jpg", "{train,test}/labels/1.txt"],
            "named after splits, but have no class folders",
            "folder:",
        ),
        (  # HAM10000
            ["HAM_images_part_{1,2}/{3,4}.jpg", "HAM_metadata.csv"],
            "'HAM_images_part_1', 'HAM_images_part_2' are not named after classes.*HAM_metadata",
            "folder:",
        ),
        (["images/{1,2}.jpg", "train.csv"], "'images' is not named after a class", "folder:"),
        (["train/{a,b}/1.png", "bus/1.png"], "'bus' contains images, but is none", "folder:"),
        (["train/{a,b}/1.png", "test/{a,c}/1.png"], "'train' lacks 'c', which 'test' has", ""),
        (["train/a/1.png", "train/b/notes.txt", "test/{a,b}/1.png"], "no images in the.*'b'", ""),
        (["archive.zip"], "no class folders with images", "Name the archive itself"),
        (["1.png", "labels.csv"], "1 image, but no class folders.*may be in 'labels.csv'", ""),
    ],
)
def test_what_could_mean_several_things_is_refused(make, patterns, problem, remedy):
    with pytest.raises(DataError, match=problem) as info:
        understand(make(*patterns))
    assert remedy in info.value.remedy


@pytest.mark.parametrize(
    ("patterns", "classes"),
    [
        (["{train,test}/{1,2}.jpg"], {"test": 2, "train": 2}),
        (["train/{steam,diesel}/1.png", "bus/{1,2}.png"], {"bus": 2, "train": 2}),
        (["{cat,dog}/{2019,2020}/1.png"], {"cat": 2, "dog": 2}),
        (["images_{1,2}/{1,2}.png"], {"images_1": 2, "images_2": 2}),
    ],
)
def test_the_prefix_says_that_they_are_classes(make, patterns, classes):
    folder = make(*patterns)
    assert understand(folder, as_stated=True)[0] == {None: classes}
    with pytest.raises(DataError):
        understand(folder)


def test_the_prefix_does_not_make_classes_of_split_folders(make):
    folder = make("{train,test}/{cats,dogs}/{1,2}.png")
    assert understand(folder, as_stated=True)[0] == {"train": TWO, "test": TWO}


def test_a_class_called_train_needs_nothing_among_other_classes(make):
    assert understand(make("{train,bus,car}/{1,2}.png"))[0] == {
        None: {"bus": 2, "car": 2, "train": 2}
    }


def test_what_systems_and_servers_drop_is_no_class(make):
    folder = make(
        "{cats,dogs}/{1,2}.png",
        "cats/@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg",
        "{@eaDir,$RECYCLE.BIN,System Volume Information,lost+found,.AppleDouble,__MACOSX}/x/1.png",
        "cats/{THUMBS.DB,Desktop.ini,._1.png}",
    )
    assert understand(folder) == ({None: TWO}, "")


def test_tiny_imagenet(make):
    folder = make(
        "train/{n1,n2}/images/{1,2}.JPEG",
        "train/{n1,n2}/boxes.txt",
        "val/images/val_{0,1,2}.JPEG",
        "test/images/test_0.JPEG",
    )
    (folder / "val" / "val_annotations.txt").write_text(
        "val_0.JPEG\tn2\t0\t32\t44\t62\nval_1.JPEG\tn1\t1\t1\t2\t2\n"
    )
    counts, notes = understand(folder)
    assert counts == {"train": {"n1": 2, "n2": 2}, "validation": {"n1": 1, "n2": 1}}
    assert "Left out 1 image that val_annotations.txt does not list" in notes
    assert "1 image without labels in the folder 'test'" in notes
    for line in ("val_9.JPEG\tn1\n", "val_0.JPEG\n"):
        (folder / "val" / "val_annotations.txt").write_text(line)
        with pytest.raises(DataError, match=r"val_annotations\.txt, line 1"):
            understand(folder)
