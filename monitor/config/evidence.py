"""The table of the evidence: the signing key, who puts the time on checkpoints, who keeps them."""

from __future__ import annotations

from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from monitor.config.fields import (
    Email,
    Part,
    Slug,
    Text,
    UnfitError,
    WebAddress,
    Whole,
    YesNo,
    is_this_machine,
)
from monitor.config.pictures import PicturesConfig
from monitor.config.sections import DEFAULT_DATA_DIR, FilePath
from monitor.errors import EvidenceError

_HOW_TO_GIVE_A_KEY = "copy all of the public key that the witness's tool prints, or leave key out"


class AuthorityConfig(Part):
    """A time-stamp authority (RFC 3161): outside the school, it signs when a checkpoint existed."""

    name: Slug = Field(description="What it is called in the log and in exports, for ever.")
    url: WebAddress = Field(description="Where it takes questions.")
    ca_file: FilePath = Field(
        description="Its root certificate and any between (PEM), fetched from the authority."
    )
    allow_private_addresses: YesNo = Field(
        default=False, description="An authority on the school's own network."
    )
    username: Text | None = Field(
        default=None, description="Where it knows its customers by name and password (HTTP Basic)."
    )
    password: SecretStr | None = Field(default=None, description="That customer's password.")

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        if "@" in urlsplit(url).netloc:
            raise UnfitError(
                "holds a user name or a password",
                "take it out, write username, and name a file with the password in password_file",
            )
        return url

    @field_validator("username")
    @classmethod
    def _fit_for_http_basic(cls, username: str | None) -> str | None:
        if username and ":" in username:
            raise UnfitError("must not contain a colon", "RFC 7617 ends the name there")
        return username

    @model_validator(mode="after")
    def _a_password_travels_only_under_cover(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise UnfitError(
                "username and password go together",
                "write username and password_file, or neither",
            )
        covered = urlsplit(self.url).scheme == "https" or is_this_machine(self.url)
        if self.password is not None and not covered:
            raise UnfitError(
                "would send the password in the clear",
                "write https:// in url, or take username and password_file out",
            )
        return self


class WitnessPart(StrEnum):
    """Why somebody keeps checkpoints: for the governors, the staff, the trust, or anybody else."""

    CHAIR = "chair"
    UNION = "union"
    TRUST = "trust"
    OTHER = "other"


class WitnessConfig(Part):
    """Somebody outside the server who keeps a checkpoint of the log each week."""

    name: Text = Field(description="Full name, as the letter addresses them.")
    email: Email = Field(description="Where the checkpoint goes.")
    role: WitnessPart = Field(description="`chair`, `union`, `trust` or `other`.")
    key: Text | None = Field(
        default=None,
        description="Public key of their witnessing tool (C2SP cosignature), if they run one.",
    )

    @field_validator("key")
    @classmethod
    def _readable(cls, key: str | None, known: ValidationInfo) -> str | None:
        """Needs `read_key` in the validation context; a value built in code is believed."""
        read = (known.context or {}).get("read_key")
        if key is not None and read is not None:
            try:
                read(key)
            except EvidenceError as error:
                raise UnfitError(str(error), _HOW_TO_GIVE_A_KEY) from error
        return key


class EvidenceConfig(Part):
    """The log that stands up later. `Config` fills in what is left out here."""

    key_file: FilePath = Field(
        default=DEFAULT_DATA_DIR / "signing-key",
        description="Private key that signs checkpoints; default `signing-key` in `data_dir`.",
    )
    origin: Text = Field(
        default="staff-mentions",
        description="Name of the log in its checkpoints, for ever; default `staff-mentions/` and "
        "the id of the first school.",
    )
    checkpoint_every_hours: Whole = Field(
        default=24, ge=1, le=24, description="At least one signed checkpoint in so many hours."
    )
    authorities: tuple[AuthorityConfig, ...] = Field(
        default=(),
        max_length=8,
        description="Who puts the time on checkpoints, each an `[[evidence.authorities]]`.",
    )

    witnesses: tuple[WitnessConfig, ...] = Field(
        default=(),
        max_length=20,
        description="Who keeps a checkpoint each week, each an `[[evidence.witnesses]]`.",
    )
    pictures: PicturesConfig | None = Field(
        default=None, description="Pictures of the pages of grave posts; off where left out."
    )

    @field_validator("authorities")
    @classmethod
    def _each_named_once(
        cls, authorities: tuple[AuthorityConfig, ...]
    ) -> tuple[AuthorityConfig, ...]:
        names = [each.name for each in authorities]
        for name in names:
            if names.count(name) > 1:
                raise UnfitError(f'two authorities are called "{name}"', "give each its own name")
        return authorities

    @field_validator("origin")
    @classmethod
    def _fit_for_a_signed_note(cls, origin: str) -> str:
        if "+" in origin or any(letter.isspace() for letter in origin):
            raise UnfitError(
                "must not contain spaces or +", "such as school.example/staff-mentions"
            )
        return origin
