"""The table of forms. To add a form: write its file, add a row here, and put
`write_guide_table` into the guide.

Forms are tried in this order; the first that recognises a file or folder reads it.
"""

from clearcnn.data.forms import (
    arrays,
    cifar,
    csv_pixels,
    folder,
    idx,
    label_table,
    metadata,
    parquet,
    pickles,
    subfolders,
)
from clearcnn.data.forms.form import Form
from clearcnn.language import say

FORMS = (
    Form(
        "metadata",
        metadata.recognise,
        metadata.read,
        "Image files and a table, `metadata.csv` or `metadata.jsonl`, with the columns `file_name` "
        "and `label`; in the folder, or in each of its `train/`, `validation/` and `test/`.",
        "이미지 파일들과 `file_name`, `label` 열이 있는 표 `metadata.csv`나 `metadata.jsonl`. "
        "표는 그 폴더에 하나, 또는 `train/`, `validation/`, `test/`마다 하나.",
        has_columns=True,
    ),
    Form(
        "idx",
        idx.recognise,
        idx.read,
        "Pairs of files such as `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, gzipped "
        "or not: MNIST and its relatives.",
        "`train-images-idx3-ubyte`와 `train-labels-idx1-ubyte` 같은 파일 쌍. gzip으로 압축해도 됨. "
        "MNIST와 그 친척들.",
    ),
    Form(
        "parquet",
        parquet.recognise,
        parquet.read,
        "Parquet files with an image column and a label column, as Hugging Face stores them.",
        "이미지 열과 레이블 열이 있는 Parquet 파일. Hugging Face가 저장하는 방식.",
        has_columns=True,
    ),
    Form(
        "cifar",
        cifar.recognise,
        cifar.read,
        "The binary files of CIFAR-10 and CIFAR-100 (`data_batch_1.bin`, `train.bin`) and of "
        "STL-10 (`train_X.bin`, `train_y.bin`).",
        "CIFAR-10과 CIFAR-100의 바이너리 파일(`data_batch_1.bin`, `train.bin`)과 STL-10의 파일"
        "(`train_X.bin`, `train_y.bin`).",
        has_columns=True,
    ),
    Form(
        "arrays",
        arrays.recognise,
        arrays.read,
        "Arrays in `.npz`, `.npy`, MATLAB's `.mat` or HDF5's `.h5`: images and labels by any usual "
        "names in one file (`x_train`, `trainX`, `fea` and `gnd`), in one file each (`X.npy` and "
        "`Y.npy`), or one `.npy` file for each class.",
        "`.npz`, `.npy`, MATLAB `.mat`, HDF5 `.h5` 파일의 배열. 이미지와 레이블이 흔한 이름으로 한 "
        "파일에 있거나(`x_train`, `trainX`, `fea`와 `gnd`), 따로 있거나(`X.npy`와 `Y.npy`), "
        "클래스마다 `.npy` 파일 하나.",
        has_columns=True,
    ),
    Form(
        "table",
        label_table.recognise,
        label_table.read,
        "Image files and tables with any column names, separated by commas, semicolons, tabs or "
        "blanks: names with or without `.jpg`, labels in one column or as 0 and 1 in a column for "
        "each class; `labels.csv`, `_classes.csv`, `Train.csv` and `Test.csv`.",
        "이미지 파일들과 열 이름이 자유로운 표(쉼표, 세미콜론, 탭, 빈칸으로 구분). 파일 이름은 "
        "`.jpg`가 없어도 되고, 레이블은 한 열에 있거나 클래스마다 0과 1로 된 열에 있음. "
        "`labels.csv`, `_classes.csv`, `Train.csv`와 `Test.csv`.",
        has_columns=True,
    ),
    Form(
        "csv",
        csv_pixels.recognise,
        csv_pixels.read,
        "A table with one image in each row, with or without column names: a label, and one column "
        "for each pixel or all pixels in one cell; separated by commas, semicolons, tabs or "
        "blanks; one file, or one for each split, such as `fashion_train.csv` and "
        "`fashion_test.csv`.",
        "한 줄에 이미지 한 장이 든 표. 열 이름은 없어도 됨. 레이블 하나와 픽셀마다 열 하나, 또는 "
        "모든 픽셀이 한 칸에 있음. 쉼표, 세미콜론, 탭, 빈칸으로 구분. 파일 하나, 또는 "
        "`fashion_train.csv`와 `fashion_test.csv`처럼 나눈 파일들.",
        has_columns=True,
    ),
    Form(
        "subfolders",
        subfolders.recognise,
        subfolders.read,
        "Only with its prefix: folders at any depth, each of them a class named by its path, such "
        "as `Greek/character01`.",
        "접두어를 붙일 때만: 깊이에 상관없이 이미지가 든 폴더 하나가 클래스 하나이며, 이름은 "
        "`Greek/character01` 같은 경로.",
    ),
    Form(
        "pickle",
        pickles.recognise,
        pickles.read,
        "Python pickles are recognised and never opened, since that would run what is in them; the "
        "message names the same set's safe form.",
        "파이썬 피클은 알아보기만 하고 열지 않음. 열면 그 안의 코드가 실행되기 때문. 같은 데이터의 "
        "안전한 형태를 알려 줌.",
    ),
    # Last: it takes every other folder, and its error lists what was looked for.
    Form(
        "folder",
        folder.recognise,
        folder.read,
        "One folder for each class, such as `photos/cat/1.png`; optionally inside folders named "
        "after splits, such as `train/` and `test/`, or `training_set/` and `test_set/`.",
        "클래스마다 폴더 하나, 예: `photos/cat/1.png`. `train/`과 `test/`, `training_set/`과 "
        "`test_set/`처럼 나눈 폴더 안에 두어도 됨.",
    ),
)

BY_NAME = {form.name: form for form in FORMS}


def write_guide_table(*, korean: bool = False) -> str:
    """Write the table of forms as the guide has it, in Markdown; a test compares the two."""
    head = "| 접두어 | 어떻게 생겼나 |" if korean else say("| prefix | what it looks like |")
    rows = [
        f"| `{form.name}:` | {form.looks_like_korean if korean else form.looks_like} |"
        for form in FORMS
    ]
    return "\n".join([head, "| --- | --- |", *rows]) + "\n"
