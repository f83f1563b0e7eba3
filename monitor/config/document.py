"""The table of every key in `docs/configuration.md`, made from the schema so that it cannot differ.

python -m monitor.config.document docs/configuration.md     rewrites the table in place
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from enum import Enum
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath
from types import UnionType
from typing import Any, Literal, Union

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.config.people import ContactsConfig
from monitor.config.schema import Config
from monitor.config.sources import FILLED_BY_THE_LOADER, ChannelConfig, SourceConfig
from monitor.contract import Settings

BEGIN = "<!-- {}: begin (made by python -m monitor.config.document) -->"
END = "<!-- {}: end -->"
_SPOKEN = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    float: "number",
    date: "date",
    time: "time of day",
    Path: "path",
    SecretStr: "secret",
}
_INTRODUCED_ELSEWHERE = (SourceConfig, ChannelConfig)


def keys(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key that a file may hold, as a dotted path, with its field.

    `[]` marks a list of tables and `.<name>` a table of named tables.
    """
    for name, field in model.model_fields.items():
        if model in _INTRODUCED_ELSEWHERE and name in FILLED_BY_THE_LOADER:
            continue
        path = f"{prefix}{field.alias or name}"
        inner, many = _table_in(field.annotation)
        if inner is None or issubclass(inner, Settings):
            yield (f"{path}_file" if _is_secret(field) else path), field
        else:
            yield path + many, field
            yield from keys(inner, f"{path}{many}.")


def table_of_keys() -> str:
    """A Markdown table of the core's keys: key, what it holds, its default, what it means.

    Of the contacts, which are all alike, only the first is written out.
    """
    rows = []
    written_out = f"contacts.{next(iter(ContactsConfig.model_fields))}"
    for path, field in keys():
        addition = ""
        if path.startswith("contacts.") and not path.startswith(written_out):
            if path.count(".") > 1:
                continue
            addition = f" Keys as in `{written_out}`."
        rows.append(_row(path, field, addition))
    return _table(rows)


def tables_of_plugin_keys(plugins: Mapping[str, type[Settings]]) -> str:
    """The same for each plugin, under a heading with its table and kind."""
    return "\n\n".join(
        f"### `{plugin}`\n\n" + _table([_row(path, field) for path, field in keys(settings)])
        for plugin, settings in plugins.items()
    )


def shipped_plugins() -> dict[str, type[Settings]]:
    """The settings of every installed plugin, by `sources: feed`, `channels: email`."""
    return {
        f"{table}: {entry.name}": entry.load().config
        for table, group in (("sources", "monitor.connectors"), ("channels", "monitor.alerters"))
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name)
    }


def _table(rows: Sequence[str]) -> str:
    heads = ("| key | holds | default | meaning |", "| --- | --- | --- | --- |")
    return "\n".join((*heads, *rows))


def _row(path: str, field: FieldInfo, addition: str = "") -> str:
    means = (field.description or "").replace("|", "\\|") + addition
    return f"| `{path}` | {_spoken_field(field)} | {_default(field)} | {means} |"


def with_tables(page: str, plugins: Mapping[str, type[Settings]]) -> str:
    """The page with fresh tables between their marks; ValueError where a mark is missing."""
    for name, table in (("keys", table_of_keys()), ("plugins", tables_of_plugin_keys(plugins))):
        begin, end = BEGIN.format(name), END.format(name)
        before, has_begin, rest = page.partition(begin)
        _, has_end, after = rest.partition(end)
        if not has_begin or not has_end:
            raise ValueError(f"the page has no marks for the table of {name}")
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def _table_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The table type inside an annotation, and how its path shows that there are many."""
    if isinstance(annotation, type):
        return (annotation, "") if issubclass(annotation, BaseModel) else (None, "")
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    for part in inside:
        model, many = _table_in(part)
        if model is not None:
            is_list, is_named = origin is tuple, origin is Mapping
            return model, "[]" if is_list else ".<name>" if is_named else many
    return None, ""


def _is_secret(field: FieldInfo) -> bool:
    return "secret" in _spoken(field.annotation)


def _spoken_field(field: FieldInfo) -> str:
    model, many = _table_in(field.annotation)
    if model is not None:
        return {"[]": "tables", ".<name>": "named tables"}.get(many, "table")
    return "path of a file" if _is_secret(field) else _spoken(field.annotation)


def _spoken(annotation: Any) -> str:
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return ", ".join(f"`{member.value}`" for member in annotation)
        return _SPOKEN.get(annotation, annotation.__name__)
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inside)
    if origin is tuple:
        return f"list of {_spoken(inside[0])}"
    if origin in {Union, UnionType}:
        return _spoken(next(part for part in inside if part is not type(None)))
    return _spoken(inside[0])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.default
    if default is PydanticUndefined or default in (None, (), ""):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, time):
        return f"`{default:%H:%M}`"
    if isinstance(default, Path):
        return f"`{PurePosixPath(default)}`"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def main(arguments: Sequence[str]) -> None:
    for name in arguments:
        page = Path(name)
        page.write_text(with_tables(page.read_text("utf-8"), shipped_plugins()), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
