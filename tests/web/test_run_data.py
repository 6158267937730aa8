"""`serve --data`: the images of the one run that the page shows."""

import shutil

import pytest
from starlette.testclient import TestClient

from clearcnn.errors import DataError, SpecError
from clearcnn.specs import DataSpec
from clearcnn.web.app import make_app


@pytest.fixture
def theirs(colours_run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    return shutil.copytree(colours_run, tmp_path / "colours")


@pytest.mark.parametrize("is_named", [False, True])
def test_the_page_shows_test_images_of_data_that_was_named(is_named, theirs, colours_run):
    data = DataSpec(str(colours_run.parent / "colours.npz")) if is_named else None
    with TestClient(make_app([theirs], data=data), base_url="http://localhost") as client:
        answer = client.get("/page/models/colours/images").json()
    assert bool(answer["images"]) is is_named
    assert is_named or "were not opened" in answer["why"]


def test_data_that_is_not_of_the_run_is_refused_before_serving(theirs):
    with pytest.raises(DataError, match="are not the images that"):
        make_app([theirs], data=DataSpec("digits"))


def test_data_is_of_one_run(theirs, digits_run):
    with pytest.raises(SpecError, match="2 runs are served"):
        make_app([theirs, digits_run], data=DataSpec("digits"))
