"""Sentences in the language of the page; programs get English."""

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from clearcnn.errors import ClearCNNError
from clearcnn.language import CODES, ENGLISH, Language, join, load_language
from clearcnn.language.recall import recall
from clearcnn.results.json_codec import to_json
from clearcnn.types import JsonObject, JsonValue

_SENTENCES = {
    "error",
    "problem",
    "remedy",
    "sentence",
    "reason",
    "warnings",
    "advice",
}
"""The fields that have sentences; all others are names and values."""

_PAGE, _PATHS = "/", ("/page/", "/studio/", "/inside/")


def choose_page_language(request: HTTPConnection) -> Language:
    """Return the language that a request asks for: by `?lang=`, or its first Accept-Language."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    code = asked.partition(",")[0].partition(";")[0].partition("-")[0].strip().lower()
    return load_language(code) if code in CODES else ENGLISH


def answer_in_language(request: Request, value: JsonValue, status: int = 200) -> JSONResponse:
    """Answer with JSON, its sentences in the language that the request asks for."""
    language = choose_page_language(request)
    headers = {"Content-Language": language.code, "Vary": "Accept-Language"}
    return JSONResponse(translate_sentences(value, language), status, headers)


def answer_error(request: Request, error: ClearCNNError, status: int) -> JSONResponse:
    """Answer with an error: its sentences in the page's language, its code and its values."""
    body: JsonObject = {
        "error": error.problem,
        "remedy": error.remedy,
        "code": error.code,
        "values": to_json(error.values),
    }
    return answer_in_language(request, body, status)


def tell_refusal(
    request: HTTPConnection, error: ClearCNNError | str, *, is_page: bool = False
) -> str:
    """Return a refusal as one text, in the page's language if the page is what asked.

    Args:
      request: its path tells whether the page asked.
      error: the refusal.
      is_page: whether a person asked, whatever the path is.
    """
    text = join(" ", (error.problem, error.remedy)) if isinstance(error, ClearCNNError) else error
    # Not the path of request.url, which an invalid Host header makes unreadable.
    path = request.scope["path"]
    is_page = is_page or path == _PAGE or path.startswith(_PATHS)
    return choose_page_language(request).translate(text) if is_page else text


def translate_sentences(value: JsonValue, language: Language) -> JsonValue:
    """Translate the sentences of a JSON value, which may have been through a file or a pipe."""
    return value if language is ENGLISH else _translate(value, language, is_sentence=False)


def _translate(value: JsonValue, language: Language, *, is_sentence: bool) -> JsonValue:
    if isinstance(value, dict):
        found: JsonObject = {
            key: _translate(each, language, is_sentence=key in _SENTENCES)
            for key, each in value.items()
        }
        return found
    if isinstance(value, list):
        return [_translate(each, language, is_sentence=is_sentence) for each in value]
    if is_sentence and isinstance(value, str):
        return language.translate(recall(value, language.code))
    return value
