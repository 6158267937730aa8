"""Which requests are rejected, and which are not."""

import base64
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

TOKEN = "a-token-of-enough-letters"
LIVE = "/v2/health/live"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"])
def test_names_of_this_computer_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v2", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "[", "0"]
)
def test_other_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/v2", headers={"Host": host})
    assert answer.status_code == 421
    assert list(answer.json()) == ["error"]


def test_a_name_can_be_allowed(make_client: Callable[..., TestClient]) -> None:
    client = make_client(allowed_hosts=("Pictures.example",))
    assert client.get("/v2", headers={"Host": "pictures.example:80"}).status_code == 200
    assert client.get("/v2", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_pages_from_elsewhere_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/predict", content=b"x", headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:8000"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_the_servers_own_page_and_links_are_not(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.get("/v2", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("dest", ["iframe", "embed", "object", "frame"])
def test_no_page_frames_it(client: TestClient, site: str, dest: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest}
    assert client.get("/", headers=headers).status_code == 403


def test_a_preflight_gets_no_permission(client: TestClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/predict", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (basic(TOKEN), 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Token {TOKEN}", 401),
        (basic("other"), 401),
        ("Basic !!!", 401),
        ("Basic /w==", 401),
        (b"Basic \xff", 401),
        (b"Basic \xe2\x82\xac", 401),
        (b"Bearer \xff", 401),
        (basic("토큰"), 401),
    ],
)
def test_a_token_is_asked_for(
    make_client: Callable[..., TestClient], authorization: str | bytes | None, status: int
) -> None:
    client = make_client(token=TOKEN)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.get("/v2", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert "Bearer" in answer.headers["www-authenticate"]
        assert TOKEN not in answer.text


def test_without_a_token_there_is_no_telling_what_is_there(
    make_client: Callable[..., TestClient],
) -> None:
    client = make_client(token=TOKEN)
    for path in ("/", "/metrics", "/docs", "/openapi.json", "/v2/models/digits", "/nothing"):
        assert client.get(path).status_code == 401
    assert client.get(LIVE).json() == {"live": True}


def test_beyond_loopback_the_token_is_what_counts(make_client: Callable[..., TestClient]) -> None:
    client = make_client(token=TOKEN, host="0.0.0.0")
    headers = {"Host": "any.example", "Authorization": f"Bearer {TOKEN}"}
    assert client.get("/v2", headers=headers).status_code == 200
    foreign = {**headers, "Origin": "https://evil.example"}
    assert client.get("/v2", headers=foreign).status_code == 403


@pytest.mark.parametrize("path", ["/", "/v2", "/nothing", "/docs", "/metrics", "/static/app.js"])
def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient, path: str) -> None:
    for answer in (client.get(path), client.get(path, headers={"Host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy or "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "no-referrer"
        # The page's own files are asked for again with their tag.
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert all(answer.headers.get_list(name) == [answer.headers[name]] for name in HEADERS)


HEADERS = ("content-security-policy", "x-content-type-options", "cache-control")


@pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
def test_the_playground_is_not_for_those_behind_a_proxy(
    make_client: Callable[..., TestClient], name: str
) -> None:
    client = make_client()
    for headers, is_near in (({}, True), ({name: "192.0.2.7"}, False)):
        assert client.get("/page/models", headers=headers).json()["playground"] is is_near
        answer = client.get("/page/playground/attempts/7/weights", headers=headers)
        assert answer.status_code == (404 if is_near else 403)
    for_all = make_client(playground=True)
    assert for_all.get("/page/models", headers={name: "192.0.2.7"}).json()["playground"] is True


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"allowed_hosts": ("pictures.example",)}, 404),
        ({"host": "0.0.0.0"}, 404),
        ({"host": "0.0.0.0", "playground": True}, 200),
    ],
)
def test_the_playground_is_not_for_other_computers(
    make_client: Callable[..., TestClient], settings: dict[str, object], status: int
) -> None:
    client = make_client(token=TOKEN, **settings)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/page/models", headers=headers).json()["playground"] is (status == 200)
    body = {"run": "digits", "layers": [], "equal_mlp": False}
    answer = client.post("/page/playground/check", headers=headers, json=body)
    assert answer.status_code == status
