from clearcnn.text import printable


def test_what_steers_a_terminal_is_written_as_an_escape():
    assert printable("고양이 é 🐈 a b") == "고양이 é 🐈 a b"
    assert printable("\x1b[31m\n\x9b\u202e\udcff") == "\\x1b[31m\\n\\x9b\\u202e\\udcff"
