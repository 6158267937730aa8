"""argparse's own error messages, which it composes in English, as Messages."""

import re
from argparse import ArgumentError

from clearcnn.language import Message, say

_MISSING = re.compile(r"the following arguments are required: (?P<names>.*)")
_EXPECTED = re.compile(r"expected (?P<number>\d+) arguments?")


def describe_error(error: ArgumentError) -> str:
    """Return what is wrong with which argument, as a Message."""
    problem = in_our_words(error.message)
    if error.argument_name is None:
        return problem
    return say("argument {name}: {problem}", name=error.argument_name, problem=problem)


def in_our_words(message: str) -> str:
    """Return a message of argparse as a Message, so that it can be translated.

    Args:
      message: what `ArgumentParser.error` gets.
    Returns:
      The same text; one that is not known is returned as it is.
    """
    if isinstance(message, Message):
        return message
    if found := _MISSING.fullmatch(message):
        return say("the following arguments are required: {names}", names=found["names"])
    if found := _EXPECTED.fullmatch(message):
        return say("expected {number} arguments", number=found["number"])
    known = {
        "expected one argument": say("expected one argument"),
        "expected at least one argument": say("expected at least one argument"),
        "expected at most one argument": say("expected at most one argument"),
    }
    return known.get(message, message)
