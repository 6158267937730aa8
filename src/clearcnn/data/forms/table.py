"""The table of forms. To add a form: write its file, add a row here, and put
`write_guide_table` into the guide.

Forms are tried in this order; the first that recognises a file or folder reads it.
"""

from clearcnn.data.forms import (
    csv_pixels,
    folder,
    idx,
    label_table,
    metadata,
    npz,
    parquet,
    subfolders,
)
from clearcnn.data.forms.form import Form

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
        "npz",
        npz.recognise,
        npz.read,
        "A NumPy archive `.npz` with `x_train`, `y_train`, `x_test` and `y_test`, or with `x` and "
        "`y`.",
        "`x_train`, `y_train`, `x_test`, `y_test` 또는 `x`, `y`가 든 NumPy 파일 `.npz`.",
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
        "A table `.csv` with one image in each row: a column `label`, and one column for each "
        "pixel.",
        "한 줄에 이미지 한 장이 든 표 `.csv`: `label` 열 하나와 픽셀마다 열 하나.",
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
    head = "| 접두어 | 어떻게 생겼나 |" if korean else "| prefix | what it looks like |"
    rows = [
        f"| `{form.name}:` | {form.looks_like_korean if korean else form.looks_like} |"
        for form in FORMS
    ]
    return "\n".join([head, "| --- | --- |", *rows]) + "\n"
