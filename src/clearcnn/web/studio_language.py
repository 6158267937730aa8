"""Sentences in the language of the studio's page; programs get English."""

from fastapi import Request
from fastapi.responses import JSONResponse

from clearcnn.language import CODES, ENGLISH, Language, load_language
from clearcnn.language.recall import recall
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


def choose_page_language(request: Request) -> Language:
    """Return the language that a request asks for: by `?lang=`, or its first Accept-Language."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    code = asked.partition(",")[0].partition(";")[0].partition("-")[0].strip().lower()
    return load_language(code) if code in CODES else ENGLISH


def answer_in_language(request: Request, value: JsonValue, status: int = 200) -> JSONResponse:
    """Answer with JSON, its sentences in the language that the request asks for."""
    language = choose_page_language(request)
    headers = {"Content-Language": language.code, "Vary": "Accept-Language"}
    if language is not ENGLISH:
        value = _translate(value, language, is_sentence=False)
    return JSONResponse(value, status, headers)


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
