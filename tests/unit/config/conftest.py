"""A reader of configuration files, with settings classes that stand in for installed plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr, field_validator

from monitor.config.document import shipped_plugins
from monitor.config.load import load
from monitor.config.schema import Config
from monitor.contract import Settings
from monitor.evidence.cosignature import CosignerKey

FIXTURES = Path(__file__).parents[2] / "fixtures" / "config"
TODAY = date(2026, 11, 21)


class FeedSettings(Settings):
    url: str
    base_url: str | None = None
    token: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _has_a_scheme(cls, url: str) -> str:
        if "://" not in url:
            raise ValueError("must begin with https://")
        return url


class EmailSettings(Settings):
    host: str
    port: int = 587
    password: SecretStr | None = None
    ca_file: Path | None = None


class Read(Protocol):
    def __call__(self, path: Path, environ: Mapping[str, str] = ...) -> Config: ...


@pytest.fixture
def read() -> Read:
    """Load a file as of 21 November 2026, with one kind of source and one of channel."""

    def read_one(path: Path, environ: Mapping[str, str] | None = None) -> Config:
        return load(
            path,
            connectors={"feed": FeedSettings},
            channels={"email": EmailSettings},
            environ=environ or {},
            read_key=CosignerKey.parse,
            today=TODAY,
        )

    return read_one


def of_kind(table: str) -> dict[str, type[Settings]]:
    """The settings that this program ships for `sources` or `channels`, by kind."""
    named = [(name.split(": "), settings) for name, settings in shipped_plugins().items()]
    return {kind: settings for (where, kind), settings in named if where == table}


@pytest.fixture
def read_shipped() -> Callable[[Path], Config]:
    """Load a file as of 21 November 2026 with the plugins that this program ships."""

    def read_one(path: Path) -> Config:
        return load(
            path,
            connectors=of_kind("sources"),
            channels=of_kind("channels"),
            environ={},
            read_key=CosignerKey.parse,
            today=TODAY,
        )

    return read_one


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture
def fixtures() -> Path:
    return FIXTURES


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write `good.toml` into a folder of its own: `write("[mail]…", replace={"old": "new"})`."""

    def write_one(*additions: str, replace: Mapping[str, str] | None = None) -> Path:
        text = (FIXTURES / "good.toml").read_text("utf-8")
        for old, new in (replace or {}).items():
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "config.toml"
        path.write_text("\n".join((text, *additions)), "utf-8")
        return path

    return write_one
