from pathlib import Path

import pytest

from clearcnn.data.forms.table import BY_NAME, FORMS, write_guide_table

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("guide", "korean"), [("guide.md", False), ("guide.ko.md", True)])
def test_the_guide_has_the_table_of_forms(guide: str, korean: bool) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    assert write_guide_table(korean=korean) in text


def test_every_form_is_one_file_with_a_row_of_its_own() -> None:
    assert len(BY_NAME) == len(FORMS)
    readers = [form.read.__module__ for form in FORMS]
    assert len(set(readers)) == len(FORMS)
    assert [form.recognise.__module__ for form in FORMS] == readers


def test_the_reader_of_class_folders_comes_last_since_it_takes_every_folder() -> None:
    assert FORMS[-1].name == "folder"
