"""National help lines that come with the program; local ones are `[contacts]` in the config."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydantic import Field

from monitor.config.fields import Day, Email, Part, Slug, Telephone, Text, WebAddress
from monitor.config.school_days import Nation


class Certainty(StrEnum):
    """How the facts of an entry are known."""

    OFFICIAL = "official"
    """The organisation's own page, or a primary source, was read."""
    THIRD_PARTY = "third-party"
    """A reputable third party's page was seen."""
    MEMORY = "memory"
    """Written from memory; to be confirmed before anybody relies on it."""


class HelpLine(Part):
    """One line of help: whom, for what, how to reach them, and how well that is known."""

    id: Slug
    name: Text
    purpose: Text
    telephone: tuple[Telephone, ...] = ()
    email: Email | None = None
    url: WebAddress | None = None
    hours: Text | None = None
    nations: tuple[Nation, ...] = tuple(Nation)
    certainty: Certainty
    source: Text
    checked_on: Day | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether a source was read; an entry that is not must be checked before it is printed."""
        return self.certainty is not Certainty.MEMORY and self.checked_on is not None


class _File(Part):
    lines: tuple[HelpLine, ...] = Field(min_length=1)


@cache
def help_lines() -> tuple[HelpLine, ...]:
    """Every line in `monitor/data/helplines.toml`, in the order in which an alert lists them."""
    text = files("monitor.data").joinpath("helplines.toml").read_text("utf-8")
    return _File.model_validate(tomllib.loads(text)).lines


def help_line(line_id: str) -> HelpLine:
    """The line of that id; KeyError where there is none."""
    return {line.id: line for line in help_lines()}[line_id]
