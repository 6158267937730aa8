import pytest

from clearcnn.cli.main import main
from clearcnn.language import choose_language


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "ko-KR", "LANG": "C"}, "ko"),
        ({"LC_ALL": "", "LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(variables: dict[str, str], code: str) -> None:
    assert choose_language(None, variables).code == code


def test_what_was_asked_for_comes_first() -> None:
    assert choose_language("en", {"LANG": "ko_KR.UTF-8"}).code == "en"
    assert choose_language("ko", {"LANG": "C"}).code == "ko"


@pytest.mark.parametrize(
    "name", [("Korean_Korea", "949"), ("ko_KR", "UTF-8"), (None, None), ("English_World", "1252")]
)
def test_where_no_variable_is_set_the_locale_of_the_process_counts(monkeypatch, name) -> None:
    monkeypatch.setattr("locale.getlocale", lambda: name)
    wanted = "ko" if (name[0] or "").lower().startswith("ko") else "en"
    assert choose_language(None, {}).code == wanted


def test_an_unknown_language_is_refused_by_the_command_line(capsys) -> None:
    assert main(["train", "--lang", "fr"]) == 2
    assert "'fr' is not one of: en, ko." in capsys.readouterr().err
