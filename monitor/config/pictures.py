"""The table of the pictures of pages: of which hosts, and who read their terms when."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from monitor.config.fields import Part, PastDay, Text, UnfitError, Whole

_HOST = re.compile(r"(?!\d+(\.\d+){3}$)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


class PictureHostConfig(Part):
    """A host whose public pages may be pictured."""

    host: Text = Field(description="Its name exactly, without `https://`; others below it are not.")
    terms_read_on: PastDay = Field(
        description="When somebody read the site's terms and found pictures of it allowed."
    )

    @field_validator("host")
    @classmethod
    def _a_name(cls, host: str) -> str:
        if not _HOST.fullmatch(host) or "." not in host:
            raise UnfitError("is not the name of a host", "such as news.example, in small letters")
        return host


class PicturesConfig(Part):
    """Pictures of the pages on which grave posts stand; off where left out."""

    hosts: tuple[PictureHostConfig, ...] = Field(
        min_length=1,
        max_length=50,
        description="Where pictures may be taken, each an `[[evidence.pictures.hosts]]`.",
    )
    socket: Path = Field(
        default=Path("/run/staff-mentions-pictures.sock"),
        description="Where the picture program listens; `make install` sets that up.",
    )
    most_per_hour: Whole = Field(
        default=30, ge=1, le=600, description="Pictures taken in an hour; the rest wait."
    )
