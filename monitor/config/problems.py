"""What is wrong with a configuration, in words that say what to write instead."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.config.lines import Place, line_of, lines_of
from monitor.errors import Problem

__all__ = [
    "Finding",
    "Place",
    "Reporter",
    "findings_of",
    "is_secret",
    "keys_at",
    "nearest",
    "shown",
]

_LONGEST_SHOWN = 60
_NUMBERS = (int, float)
_URL_SECRETS = re.compile(r"(?<=://)[^/@\s]*@|\?.*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at a place; a grave one stops the program, another is a warning."""

    place: Place
    message: str
    suggestion: str = ""
    grave: bool = True


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is near."""
    plain = {_plain(candidate): candidate for candidate in known}
    found = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


def shown(value: object) -> str:
    """A value as a message may show it: short; a web address without user, password, query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = _URL_SECRETS.sub("", str(value))
    text = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    if len(text) > _LONGEST_SHOWN:
        text = text[: _LONGEST_SHOWN - 1] + "…"
    return f'"{text}"' if isinstance(value, str) else text


# --- what pydantic found ----------------------------------------------------------------------

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false, without quotes",
    "string": "text in quotes",
    "tuple": 'a list, as in ["one", "two"]',
    "list": 'a list, as in ["one", "two"]',
    "dict": "a table",
    "mapping": "a table",
    "model": "a table",
    "date": "a date, such as 2026-09-01",
    "time": "a time of day, such as 07:30",
    "path": "a path in quotes",
}


def findings_of(
    error: ValidationError,
    model: type[BaseModel],
    *,
    prefix: Place = (),
    keys: Sequence[str] = (),
    reveal: bool = True,
) -> Iterator[Finding]:
    """Every error of one validation, in our words.

    `keys` are further keys that the table at `prefix` may hold, for suggestions. With
    `reveal=False` only numbers are repeated: a plugin's text may be a token in a wrong place.
    """
    found = error.errors(include_url=False)
    for detail in found:
        if detail["type"] == "too_short" and any(
            len(other["loc"]) > len(detail["loc"])
            and other["loc"][: len(detail["loc"])] == detail["loc"]
            for other in found
        ):
            continue  # pydantic counts only the entries that are right, and those it names anyway
        known = [*keys_at(model, detail["loc"][:-1]), *(keys if len(detail["loc"]) == 1 else ())]
        message, suggestion = _in_words(detail, known, reveal=reveal)
        place = (*prefix, *detail["loc"])
        if detail["type"] == "tuple_type" and isinstance(detail["input"], Mapping):
            message, suggestion = "must be a list of tables", f"write [[{'.'.join(_names(place))}]]"
        if detail["type"] in ("missing", "too_short"):
            suggestion = _if_missing(model, detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        yield Finding(
            place[:-1] if getattr(cause, "of_the_table", False) else place, message, suggestion
        )


def _names(place: Place) -> list[str]:
    return [step for step in place if isinstance(step, str)]


def _in_words(detail: ErrorDetails, known: Sequence[str], *, reveal: bool) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    given = detail.get("input")
    tail = f", is {shown(given)}" if reveal or isinstance(given, _NUMBERS) else ""
    if kind == "missing":
        return "is missing", ""
    if kind == "extra_forbidden":
        return "unknown key", did_you_mean(str(detail["loc"][-1]), known)
    if kind == "value_error":
        cause = context.get("error")
        return str(cause or detail["msg"]), getattr(cause, "suggestion", "")
    if kind in {"enum", "literal_error"}:
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        meant = did_you_mean(str(given), choices) if isinstance(given, str) else ""
        return f"must be one of {', '.join(choices)}{tail}", meant
    return _bounds_in_words(kind, context, tail) or _type_in_words(kind, detail["msg"], tail), ""


def _bounds_in_words(kind: str, context: Mapping[str, Any], tail: str) -> str:
    if kind == "too_short" and context.get("min_length") == 1:
        return "must not be empty"
    if kind == "too_long" and "max_length" in context:
        return f"must have at most {context['max_length']} entries, has {context['actual_length']}"
    words = {
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
        "greater_than": ("more than", "gt"),
        "less_than": ("less than", "lt"),
    }
    if kind not in words:
        return ""
    said, limit = words[kind]
    return f"must be {said} {context[limit]}{tail}"


def _type_in_words(kind: str, message: str, tail: str) -> str:
    wanted = _WANTED.get(kind.split("_", maxsplit=1)[0])
    is_about_type = kind.endswith(("_type", "_parsing", "_from_float", "_inexact"))
    if wanted and is_about_type:
        return f"must be {wanted}{tail}"
    return message[:1].lower() + message[1:]


def keys_at(model: type[BaseModel] | None, place: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that the table at `place` inside `model` may hold, as the file writes them."""
    return tuple(_fields(_model_at(model, place)))


def _if_missing(model: type[BaseModel], place: Sequence[str | int]) -> str:
    """What to do where a key is left out, as its field says (`if_missing`)."""
    field = _fields(_model_at(model, place[:-1])).get(str(place[-1])) if place else None
    extra = field.json_schema_extra if field is not None else None
    return str(extra.get("if_missing", "")) if isinstance(extra, dict) else ""


def _model_at(model: type[BaseModel] | None, place: Sequence[str | int]) -> type[BaseModel] | None:
    for step in place:
        fields = _fields(model)
        if isinstance(step, str) and step in fields:
            model = _model_inside(fields[step].annotation)
    return model


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    if model is None:
        return {}
    return {
        f"{name}_file" if is_secret(field.annotation) else field.alias or name: field
        for name, field in model.model_fields.items()
    }


def is_secret(annotation: Any) -> bool:
    """Whether a field holds a secret: the file then names another file in its place."""
    if isinstance(annotation, type):
        return issubclass(annotation, SecretStr)
    return any(is_secret(part) for part in typing.get_args(annotation))


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """The table type inside `X | None`, `tuple[X, ...]`, `Mapping[str, X]`, `Annotated[X, …]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_inside(part) for part in typing.get_args(annotation))
    return next((found for found in inner if found), None)


# --- where it stands --------------------------------------------------------------------------


class Reporter:
    """Turns findings in one TOML text into problems with a readable path and a line."""

    def __init__(self, file: str, text: str, document: Mapping[str, Any]) -> None:
        self._file = file
        self._document = document
        self._text = text
        self._lines: dict[Place, int] | None = None

    def problem(self, finding: Finding) -> Problem:
        if self._lines is None:
            self._lines = lines_of(self._text)
        return Problem(
            file=self._file,
            path=self.path(finding.place),
            message=finding.message,
            line=line_of(self._lines, finding.place),
            suggestion=finding.suggestion,
        )

    def path(self, place: Place) -> str:
        """`schools.thornleigh.staff.desmond-lowe.email`; a list entry without id counts from 1."""
        words = ""
        at: Any = self._document
        for step in place:
            at = _inside(at, step)
            if isinstance(step, str):
                words += f".{step}"
            else:
                name = at.get("id") if isinstance(at, Mapping) else None
                words += f".{name}" if isinstance(name, str) and name else f"[{step + 1}]"
        return words.removeprefix(".")


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, (list, tuple)) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
