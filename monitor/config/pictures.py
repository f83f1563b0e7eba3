"""The table of the pictures of pages: of which hosts, and who read their terms when."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from monitor.config.fields import Part, PastDay, Text, UnfitError, Whole

_HOST = re.compile(r"(?!\d+(\.\d+){3}$)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


class PictureHostConfig(Part):
    """A host whose public pages may be pictured."""

    host: Text = Field(description="Its name exactly, without `https://`; others below it are not.")
    terms_read_on: PastDay = Field(
        description="When somebody read the site's terms and found pictures of it allowed.",
        json_schema_extra={
            "if_missing": "read the site's terms; if they allow this, write the day here, "
            "such as 2026-09-03; if they do not, take the host out"
        },
    )

    @field_validator("host")
    @classmethod
    def _a_name(cls, host: str) -> str:
        if "*" in host:
            raise UnfitError("stands for many hosts", "list each by its whole name, with its terms")
        if not _HOST.fullmatch(host) or "." not in host:
            bare = _bare(host)
            meant = f"write {bare}" if bare else "such as news.example, in small letters"
            raise UnfitError("is not the name of a host", meant)
        return host


def _bare(given: str) -> str:
    """The host in what may be a web address, or has capitals; empty where there is none."""
    try:
        found = urlsplit(given if "//" in given else f"//{given}").hostname or ""
    except ValueError:
        return ""
    return found if _HOST.fullmatch(found) and "." in found else ""


class PicturesConfig(Part):
    """Pictures of the pages on which grave posts stand; off where left out."""

    hosts: tuple[PictureHostConfig, ...] = Field(
        min_length=1,
        max_length=50,
        description="Where pictures may be taken, each an `[[evidence.pictures.hosts]]`.",
        json_schema_extra={
            "if_missing": "add an [[evidence.pictures.hosts]] with host and terms_read_on, "
            "or take [evidence.pictures] out"
        },
    )
    socket: Path = Field(
        default=Path("/run/staff-mentions-pictures.sock"),
        description="Where the picture program listens; `make install` sets that up.",
    )
    most_per_hour: Whole = Field(
        default=30, ge=1, le=600, description="Pictures taken in an hour; the rest wait."
    )

    @field_validator("hosts")
    @classmethod
    def _each_once(cls, hosts: tuple[PictureHostConfig, ...]) -> tuple[PictureHostConfig, ...]:
        names = [each.host for each in hosts]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise UnfitError(
                f"lists {twice} twice", "keep the day on which you last read its terms"
            )
        return hosts
