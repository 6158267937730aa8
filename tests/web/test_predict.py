"""POST /predict, compared with ONNX Runtime, and the requests that it rejects."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from clearcnn.web import work_estimate

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def pictures(digits: Any, png: Callable[[Any], bytes]) -> list[bytes]:
    """Digits as files with levels 0 to 255, which are converted to the model's range 0 to 16."""
    return [png(np.rint(image * (255 / 16)).astype(np.uint8)) for image in digits[:20]]


def test_a_raw_picture_gets_the_answer_of_onnx_runtime(
    client: TestClient, pictures: list[bytes], digits: Any, digits_run: Path, ask_onnx: Any
) -> None:
    answer = client.post("/predict?top=10", content=pictures[0], headers=PNG)
    assert answer.status_code == 200
    assert answer.json()["model"] == "digits"
    (found,) = answer.json()["predictions"]
    expected = ask_onnx(digits_run, digits[:1])[0]
    assert {each["name"]: each["probability"] for each in found["top"]} == pytest.approx(
        {str(k): p for k, p in enumerate(expected)}, abs=1e-6
    )
    assert found["prediction"] == str(expected.argmax())
    assert found["confidence"] == pytest.approx(expected.max(), abs=1e-6)


def test_several_files_are_answered_in_order(
    client: TestClient, pictures: list[bytes], digits: Any, digits_run: Path, ask_onnx: Any
) -> None:
    files = [("files", (f"{k}.png", content)) for k, content in enumerate(pictures)]
    answer = client.post("/predict", files=files).json()["predictions"]
    assert [each["name"] for each in answer] == [f"{k}.png" for k in range(20)]
    expected = ask_onnx(digits_run, digits[:20]).argmax(axis=1)
    assert [each["prediction"] for each in answer] == [str(k) for k in expected]


def test_another_model_is_asked_by_name(client: TestClient, png: Callable[[Any], bytes]) -> None:
    red = np.zeros((10, 12, 3), np.uint8)
    red[..., 0] = 255
    answer = client.post("/predict?model=colours", content=png(red), headers=PNG)
    assert answer.json()["model"] == "colours"
    assert {each["name"] for each in answer.json()["predictions"][0]["top"]} == set("rgb")


def test_options_do_what_they_say(client: TestClient, pictures: list[bytes]) -> None:
    unsure = client.post("/predict?abstain_below=1&top=1", content=pictures[0], headers=PNG)
    (answer,) = unsure.json()["predictions"]
    assert answer["abstained"]
    assert answer["prediction"] is None
    assert len(answer["top"]) == 1
    inverted = Image.open(BytesIO(pictures[0])).point(lambda value: 255 - value)
    file = BytesIO()
    inverted.save(file, "PNG")
    turned = client.post("/predict", content=file.getvalue(), headers=PNG).json()
    kept = client.post("/predict?keep_polarity=true", content=file.getvalue(), headers=PNG).json()
    assert "Inverted" in " ".join(turned["predictions"][0]["preparation"])
    assert "Inverted" not in " ".join(kept["predictions"][0]["preparation"])


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"", "image/png", 400, "no image"),
        (b"no picture at all", "image/png", 400, "cannot be read"),
        (b"\x89PNG\r\n\x1a\n", "image/png", 400, "cannot be read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic", 400, "Convert it to JPEG or PNG"),
        (b"{}", "application/json", 415, "Content-Type"),
        (b"x", "nonsense", 415, "Content-Type"),
        (b"--x--", "multipart/form-data; boundary=x", 400, "no image"),
        (b"--x", "multipart/form-data", 400, "form cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused(
    client: TestClient, content: bytes, kind: str, status: int, words: str
) -> None:
    answer = client.post("/predict", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_one_bad_file_is_named_and_nothing_is_answered(
    client: TestClient, pictures: list[bytes]
) -> None:
    files = [("files", ("good.png", pictures[0])), ("files", ("cut.png", pictures[1][:-20]))]
    answer = client.post("/predict", files=files)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("cut.png cannot be read")


def test_limits_of_pixels_and_files(
    make_client: Callable[..., TestClient], pictures: list[bytes]
) -> None:
    client = make_client(max_pixels=63, max_images=2)
    too_large = client.post("/predict", content=pictures[0], headers=PNG)
    assert too_large.status_code == 413
    assert "8×8 pixels" in too_large.json()["error"]
    files = [("files", ("a.png", pictures[0]))] * 3
    too_many = client.post("/predict", files=files)
    assert too_many.status_code == 400
    assert "2 files" in too_many.json()["error"]
    words = client.post("/predict", files=files[:1], data={"note": "x"})
    assert words.status_code == 400


def test_the_pixels_of_a_whole_request_are_bounded(
    make_client: Callable[..., TestClient], pictures: list[bytes]
) -> None:
    client = make_client(max_pixels=64)
    files = [("files", (f"{k}.png", content)) for k, content in enumerate(pictures[:5])]
    assert client.post("/predict", files=files[:4]).status_code == 200
    too_many = client.post("/predict", files=files)
    assert too_many.status_code == 413
    assert "5 images have 320 pixels together; at most 256" in too_many.json()["error"]


def test_a_jpeg_counts_for_every_ten_scans(make_client: Callable[..., TestClient]) -> None:
    file = BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rfind(b"\xff\xda")
    scans = content.count(b"\xff\xda")
    for count, status in ((49, 200), (50, 413)):
        many = content[:last] + content[last:-2] * (count - scans + 1) + content[-2:]
        assert many.count(b"\xff\xda") == count
        client = make_client(max_pixels=64)
        answer = client.post("/predict", content=many, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == status


def test_large_pictures_are_answered_as_small_ones_are(
    client: TestClient, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [("files", (f"{k}.png", content)) for k, content in enumerate(pictures)]
    quick = client.post("/predict", files=files).json()
    monkeypatch.setattr(work_estimate, "_PIXELS_A_SECOND", 64.0)
    assert (
        client.post("/predict", files=files[:9]).json()["predictions"] == (quick["predictions"][:9])
    )


def test_a_bomb_is_refused_by_its_head(client: TestClient) -> None:
    file = BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    answer = client.post("/predict", content=file.getvalue(), headers=PNG)
    assert answer.status_code == 400
    assert "40,000,000" in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("model=nobody", 404), ("top=0", 422), ("abstain_below=2", 422), ("abstain_below=nan", 422)],
)
def test_parameters_are_checked(
    client: TestClient, pictures: list[bytes], query: str, status: int
) -> None:
    answer = client.post(f"/predict?{query}", content=pictures[0], headers=PNG)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


def test_pngsuites_good_files_are_answered_and_its_broken_ones_refused(client: TestClient) -> None:
    folder = Path(__file__).parents[3] / "shared" / "data" / "pngsuite"
    if not folder.is_dir():
        pytest.skip("shared/data/pngsuite is not beside the repository")
    paths = sorted(folder.glob("*.png"))
    answers = [client.post("/predict", content=path.read_bytes(), headers=PNG) for path in paths]
    refused = {
        path.name: answer
        for path, answer in zip(paths, answers, strict=True)
        if answer.status_code != 200
    }
    assert sorted(refused) == sorted(path.name for path in paths if path.name.startswith("x"))
    assert len(refused) == 14
    assert {answer.status_code for answer in refused.values()} <= {400, 422}
    assert "checksum" in refused["xcsn0g01.png"].json()["error"]
