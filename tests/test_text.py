import ast

from hypothesis import given
from hypothesis import strategies as st

from clearcnn.text import escape, printable


def test_what_steers_a_terminal_is_written_as_an_escape():
    assert printable("고양이 é 🐈 a b") == "고양이 é 🐈 a b"
    assert printable("\x1b[31m\n\x9b\u202e\udcff") == "\\x1b[31m\\n\\x9b\\u202e\\udcff"


@given(st.text(st.sampled_from("\\\\nx20u \n\t'\"é\x1b\u202e\udcff😀") | st.characters()))
def test_what_is_escaped_is_one_line_that_python_reads_back(text):
    written = escape(text)
    assert printable(written) == written.strip() == written
    quoted = written.replace("'", r"\'")
    assert ast.literal_eval(f"'{quoted}'") == text


def test_no_two_names_are_escaped_alike():
    names = ["x\ny.png", r"x\ny.png", r"x\\ny.png", " x", "x", r"\x20x", "x ", "\\"]
    assert len({escape(name) for name in names}) == len(names)
    assert escape("고양이 1.png") == "고양이 1.png"
