"""The whole configuration as one closed, frozen value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, PrivateAttr, field_validator, model_validator

from monitor.config.evidence import EvidenceConfig
from monitor.config.fields import Part, UnfitError
from monitor.config.people import (
    Basis,
    ContactConfig,
    ContactsConfig,
    LawfulConfig,
    PersonConfig,
    TellConfig,
    TellOverride,
)
from monitor.config.problems import did_you_mean
from monitor.config.redact import redacted
from monitor.config.school_days import Nation, is_school_day
from monitor.config.schools import AliasConfig, SchoolConfig, StaffConfig, StaffRole, TermConfig
from monitor.config.sections import (
    DEFAULT_DATA_DIR,
    AlertsConfig,
    BackupConfig,
    EngineConfig,
    GradingConfig,
    MailConfig,
    Quote,
    RetentionConfig,
    WebConfig,
)
from monitor.config.sources import ChannelConfig, SourceConfig
from monitor.errors import Problem
from monitor.model import Role, Scope

__all__ = [
    "AlertsConfig",
    "AliasConfig",
    "BackupConfig",
    "Basis",
    "ChannelConfig",
    "Config",
    "ContactConfig",
    "ContactsConfig",
    "EngineConfig",
    "EvidenceConfig",
    "GradingConfig",
    "LawfulConfig",
    "MailConfig",
    "Nation",
    "PersonConfig",
    "Quote",
    "RetentionConfig",
    "SchoolConfig",
    "SourceConfig",
    "StaffConfig",
    "StaffRole",
    "TellConfig",
    "TellOverride",
    "TermConfig",
    "WebConfig",
]


class Config(Part):
    """Everything that a person can set. Made by `monitor.config.load.load`."""

    timezone: str = Field(default="Europe/London", description="IANA name of the school's zone.")
    nation: Nation = Field(default=Nation.ENGLAND, description="Whose bank holidays are kept.")
    terms: tuple[TermConfig, ...] = Field(
        default=(), description="Term dates, each a `[[terms]]`; without any, all weekdays count."
    )
    schools: tuple[SchoolConfig, ...] = Field(
        default=(), description="Each a `[[schools]]`; a federation has several."
    )
    people: tuple[PersonConfig, ...] = Field(
        default=(), description="Those who are told, each a `[[people]]`."
    )
    tell: TellConfig = Field(description="Who plays which part.")
    sources: Mapping[str, SourceConfig] = Field(
        default_factory=dict, description="Where to look, each a `[sources.<name>]`."
    )
    channels: Mapping[str, ChannelConfig] = Field(
        default_factory=dict, description="How people are reached, each a `[channels.<name>]`."
    )
    mail: MailConfig = Field(default_factory=MailConfig, description="What mails may show.")
    alerts: AlertsConfig = Field(default_factory=AlertsConfig, description="When people hear.")
    evidence: EvidenceConfig = Field(default_factory=EvidenceConfig, description="The log.")
    retention: RetentionConfig = Field(
        default_factory=RetentionConfig, description="How long records are kept."
    )
    backup: BackupConfig = Field(
        default_factory=BackupConfig, description="Copies of everything, encrypted."
    )
    grading: GradingConfig = Field(
        default_factory=GradingConfig, description="Where the grader decides."
    )
    web: WebConfig = Field(default_factory=WebConfig, description="The pages for people.")
    engine: EngineConfig = Field(default_factory=EngineConfig, description="The program itself.")
    contacts: ContactsConfig = Field(
        default_factory=ContactsConfig, description="Local people and offices that help."
    )
    lawful: LawfulConfig = Field(
        default_factory=LawfulConfig, description="What the law asks for before switch-on."
    )

    _warnings: tuple[Problem, ...] = PrivateAttr(default=())
    _listed: Mapping[str, tuple[Mapping[str, Any], ...]] = PrivateAttr(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _a_known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            meant = did_you_mean(name, available_timezones()) or "such as Europe/London"
            raise UnfitError(f'no time zone is called "{name}"', meant) from error
        return name

    @model_validator(mode="before")
    @classmethod
    def _with_what_follows(cls, document: Any) -> Any:
        return with_what_follows(document) if isinstance(document, Mapping) else document

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not stop the program but that a person should know; `check` prints it."""
        return self._warnings

    def listed(self, school_id: str) -> tuple[Mapping[str, Any], ...]:
        """A roster's entries as the TOML file has them, before its `staff_file` was joined."""
        return self._listed.get(school_id, ())

    def with_origins(
        self,
        warnings: tuple[Problem, ...],
        listed: Mapping[str, tuple[Mapping[str, Any], ...]],
    ) -> Config:
        """A copy that remembers what the loader noticed and read (see `warnings`, `listed`)."""
        copy = self.model_copy()
        copy._warnings, copy._listed = warnings, listed  # noqa: SLF001 - our own copy
        return copy

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this school reads a clock."""
        return ZoneInfo(self.timezone)

    # --- people and schools -------------------------------------------------------------------

    def school(self, school_id: str) -> SchoolConfig | None:
        return next((school for school in self.schools if school.id == school_id), None)

    def school_of(self, staff_id: str) -> SchoolConfig | None:
        """The school on whose roster somebody stands."""
        return next((s for s in self.schools if any(p.id == staff_id for p in s.staff)), None)

    def staff_member(self, staff_id: str) -> StaffConfig | None:
        everybody = (person for school in self.schools for person in school.staff)
        return next((person for person in everybody if person.id == staff_id), None)

    def person(self, person_id: str) -> PersonConfig | None:
        return next((person for person in self.people if person.id == person_id), None)

    def person_for(self, role: Role, school_id: str | None = None) -> PersonConfig | None:
        """Who plays a part for a school (None: for all); None where nobody was named."""
        school = self.school(school_id) if school_id else None
        own = getattr(school.tell, role.value, None) if school and school.tell else None
        chosen = own or getattr(self.tell, role.value, None)
        return self.person(chosen) if chosen else None

    def is_headteacher(self, staff_id: str) -> bool:
        """Whether a person on the roster is the head of their school."""
        school = self.school_of(staff_id)
        if school is None:
            return False
        told = self.person_for(Role.HEADTEACHER, school.id)
        return staff_id == school.headteacher or (told is not None and told.staff == staff_id)

    def channel(self) -> ChannelConfig:
        """The channel that people are reached by."""
        return self.channels[self.alerts.channel or next(iter(self.channels))]

    # --- days ---------------------------------------------------------------------------------

    def is_school_day(self, day: date) -> bool:
        return is_school_day(day, self.nation, self.terms)

    def not_yet_lawful(self, today: date) -> tuple[str, ...]:
        """Phrases for "Not yet lawful to rely on: …", in mails and `check`; empty when in order."""
        return self.lawful.not_yet(today)

    def stale_contacts(self, today: date) -> tuple[str, ...]:
        """One sentence for each contact that nobody has checked within twelve months."""
        return tuple(
            f"contacts.{path}: {contact.name} was "
            + (f"last checked on {contact.checked_on}" if contact.checked_on else "never checked")
            for path, contact in self.contacts.named()
            if contact.is_stale(today)
        )

    # --- shown and compared -------------------------------------------------------------------

    def redacted(self) -> dict[str, Any]:
        """Everything as JSON-able values, each secret as `<redacted>`."""
        plain: dict[str, Any] = redacted(self.model_dump(by_alias=True))
        return plain

    def digest(self) -> str:
        """SHA-256, hex, of the canonical JSON of `redacted()`: changes when a setting does."""
        canonical = json.dumps(
            self.redacted(), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def with_what_follows(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which what one table leaves out is filled in from another."""
    out = dict(document)
    schools = out.get("schools")
    rows = schools if isinstance(schools, (list, tuple)) else ()
    ids = [_get(school, "id") for school in rows]
    data_dir = _get(out.get("engine"), "data_dir") or DEFAULT_DATA_DIR
    evidence = out.get("evidence", {})
    if isinstance(evidence, Mapping):
        usual: dict[str, Any] = {}
        if isinstance(data_dir, (str, Path)):
            usual["key_file"] = Path(data_dir) / "signing-key"
        if ids and isinstance(ids[0], str):
            usual["origin"] = f"staff-mentions/{ids[0]}"
        out["evidence"] = {**usual, **evidence}
    for table in ("sources", "channels"):
        named = out.get(table)
        if isinstance(named, Mapping):
            out[table] = {name: _with_name(name, row) for name, row in named.items()}
    if len(ids) == 1 and isinstance(out.get("sources"), Mapping):
        out["sources"] = {name: _with_school(row, ids[0]) for name, row in out["sources"].items()}
    return out


def _get(table: Any, key: str) -> Any:
    return table.get(key) if isinstance(table, Mapping) else getattr(table, key, None)


def _with_name(name: Any, row: Any) -> Any:
    return {**row, "name": name} if isinstance(row, Mapping) else row


def _with_school(row: Any, only: Any) -> Any:
    if isinstance(row, Mapping) and row.get("scope") == Scope.SCHOOL and not row.get("school"):
        return {**row, "school": only}
    return row
