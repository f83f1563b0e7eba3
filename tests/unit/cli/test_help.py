"""Every command explains itself, and the page of commands leaves none of it out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command

from monitor.cli import app

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def commands(group: object, *names: str) -> Iterator[tuple[str, TyperCommand]]:
    """Every command below a group, by its words."""
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *names, name)
        else:
            assert isinstance(command, TyperCommand)
            yield " ".join((*names, name)), command


COMMANDS = dict(commands(get_command(app)))


def sections() -> dict[str, str]:
    """What the page says of each command."""
    parts = re.split(r"^### `staff-mentions ([^`]+)`\n", PAGE.read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        words = [word for word in heading.split() if not re.fullmatch(r"\[?[A-Z_]+\]?", word)]
        found[" ".join(words)] = heading + text
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_and_so_has_each_of_its_options(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.help.rstrip().endswith(".")
    for option in command.params:
        assert getattr(option, "help", None), f"{name} {option.name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_stands_in_the_docs_with_its_options(name: str) -> None:
    text = sections()[name]
    for option in COMMANDS[name].params:
        if isinstance(option, TyperArgument) or option.param_type_name == "argument":
            assert str(option.name).upper() in text
        else:
            assert f"`{option.opts[0]}`" in text


def test_the_docs_name_no_command_that_is_not_there() -> None:
    assert set(sections()) == set(COMMANDS)
