"""Schools and their rosters: who is watched for, under which names, and since when."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from monitor.config.fields import (
    Day,
    Email,
    Handle,
    MatchText,
    Part,
    PastDay,
    Slug,
    Text,
    UnfitError,
    YesNo,
)
from monitor.config.people import TellOverride

REFUSED_ROLES = frozenset({
    "alumni", "alumnus", "applicant", "candidate", "carer", "child", "children", "ex-pupil",
    "family", "father", "former-pupil", "guardian", "learner", "mother", "parent", "parents",
    "pupil", "pupils", "student", "students",
})  # fmt: skip
"""People whom a school may not watch the web for: the program protects staff and nobody else."""

_REFUSAL = (
    "this program watches over a school's staff and over nobody else: "
    "pupils, parents and applicants cannot be listed"
)


class StaffRole(StrEnum):
    """In which capacity somebody works for the school."""

    EMPLOYEE = "employee"
    SUPPLY = "supply"
    GOVERNOR = "governor"
    CONTRACTOR = "contractor"
    VOLUNTEER = "volunteer"


class AliasConfig(Part):
    """A name that people use for somebody; `insulting` ones are abuse by themselves."""

    text: MatchText = Field(description="The name as it is used.")
    insulting: YesNo = Field(default=False, description="True where using it is abuse already.")


def _as_table(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


Alias = Annotated[AliasConfig, BeforeValidator(_as_table)]


class StaffConfig(Part):
    """One person on the roster."""

    id: Slug = Field(description="Permanent name in log and database; never give it to another.")
    name: MatchText = Field(description="Full name, forename first; one word is enough.")
    title: Text | None = Field(default=None, description="Mr, Mrs, Miss, Ms, Mx, Dr …")
    aliases: tuple[Alias, ...] = Field(
        default=(),
        description='Other names: text, or `{ text = "…", insulting = true }`.',
    )
    handles: tuple[Handle, ...] = Field(
        default=(), description="Own public accounts, only where the person gave them."
    )
    handles_given_on: PastDay | None = Field(
        default=None, description="When the person gave these accounts for this purpose."
    )
    roles: tuple[MatchText, ...] = Field(
        default=(), description='What people call the post: "head of year 9", "caretaker".'
    )
    email: Email | None = Field(default=None, description="Work address.")
    role: StaffRole = Field(default=StaffRole.EMPLOYEE, description="Capacity.")
    from_: Day | None = Field(default=None, alias="from", description="First day of watching.")
    until: Day | None = Field(
        default=None, description="Last day of watching; what was recorded stays."
    )
    watch: YesNo = Field(default=True, description="False after the person objected.")
    objection_on: PastDay | None = Field(default=None, description="When they objected.")
    added_by: Text | None = Field(default=None, description="Who put them on the roster (logged).")
    added_because: Text | None = Field(default=None, description="Why (logged).")

    @field_validator("role", mode="before")
    @classmethod
    def _staff_only(cls, value: Any) -> Any:
        if isinstance(value, str) and value.strip().lower() in REFUSED_ROLES:
            raise UnfitError(_REFUSAL, "remove this entry")
        if isinstance(value, str) and value not in set(StaffRole):
            raise UnfitError(
                f"must be one of {', '.join(StaffRole)}",
                "what a person does belongs in `roles`, a list",
            )
        return value

    @field_validator("roles")
    @classmethod
    def _no_pupils_by_another_door(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if any(role.strip().lower() in REFUSED_ROLES for role in roles):
            raise UnfitError(_REFUSAL, "remove this entry")
        return roles

    @field_validator("until")
    @classmethod
    def _after_the_start(cls, until: date | None, known: ValidationInfo) -> date | None:
        start = known.data.get("from_")
        if until and start and until < start:
            raise UnfitError(f"lies before `from` ({start.isoformat()})")
        return until

    @field_validator("objection_on")
    @classmethod
    def _objection_is_heeded(cls, day: date | None, known: ValidationInfo) -> date | None:
        if day and known.data.get("watch"):
            raise UnfitError("an objection is recorded, but watching goes on", "add watch = false")
        return day

    def is_watched(self, today: date) -> bool:
        """Whether posts are matched against this person on that day (both ends included)."""
        begun = self.from_ is None or self.from_ <= today
        ended = self.until is not None and self.until < today
        return self.watch and begun and not ended


class SchoolConfig(Part):
    """One school, the names it goes by, and its roster."""

    id: Slug = Field(description="Permanent name in log and database.")
    name: MatchText = Field(description="Full name.")
    aliases: tuple[MatchText, ...] = Field(default=(), description="Short names, initials.")
    handles: tuple[Handle, ...] = Field(default=(), description="The school's own accounts.")
    hashtags: tuple[Handle, ...] = Field(default=(), description="Its hashtags, with #.")
    places: tuple[MatchText, ...] = Field(
        default=(), description="Town, road, postcode: they tie a name to this school."
    )
    headteacher: Slug | None = Field(
        default=None, description="Roster id of the head, where `people` does not say it."
    )
    staff_file: str | None = Field(
        default=None, description="CSV export of the information system; re-read when it changes."
    )
    tell: TellOverride | None = Field(
        default=None, description="Who is told about this school, where it differs from `[tell]`."
    )
    staff: tuple[StaffConfig, ...] = Field(default=(), description="The roster.")

    def watched(self, today: date) -> tuple[StaffConfig, ...]:
        """The people whom posts are matched against on that day."""
        return tuple(person for person in self.staff if person.is_watched(today))


class TermConfig(Part):
    """Days between which the school is open; a half-term holiday ends one and begins another."""

    name: Text | None = Field(default=None, description="Autumn 1, Lent …")
    first_day: Day = Field(description="First day of school.")
    last_day: Day = Field(description="Last day of school.")

    @field_validator("last_day")
    @classmethod
    def _after_the_first(cls, last: date, known: ValidationInfo) -> date:
        first = known.data.get("first_day")
        if first and last < first:
            raise UnfitError(f"lies before `first_day` ({first.isoformat()})")
        return last
