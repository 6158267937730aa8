"""/docs and /openapi.json."""

from fastapi.testclient import TestClient


def test_every_endpoint_is_told_of_without_script_or_anything_from_elsewhere(
    client: TestClient,
) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in answer.text
    assert "<script" not in answer.text
    assert "//" not in answer.text.replace("http://localhost:8000", "")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_schema_names_the_models(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    (name, *_) = paths["/v2/models/{model}"]["get"]["parameters"]
    assert name["schema"]["enum"] == ["digits", "colours"]
    for path, methods in paths.items():
        for about in methods.values():
            for status, answer in about["responses"].items():
                if status != "200":
                    schema = answer["content"]["application/json"]["schema"]
                    # A server that drains is asked whether it is ready, and says no.
                    says_no = path.endswith("/ready") and status == "503"
                    assert ("ready" if says_no else "error") in schema["properties"], status
