"""The small tables: mail, alerts, retention, web, engine."""

from __future__ import annotations

import re
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from monitor.config.fields import (
    ContactAddress,
    LongText,
    Part,
    Slug,
    Text,
    TimeOfDay,
    UnfitError,
    WebAddress,
    Whole,
)
from monitor.config.second_opinion import SecondOpinionConfig

DEFAULT_DATA_DIR = Path("/var/lib/staff-mentions")
DATABASE_FILE = "staff-mentions.sqlite3"
_SCHEMES = ("sqlite", "postgresql+psycopg")
_DAY_OF_YEAR = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LEAP_YEAR = 2024


def _path(value: object) -> object:
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise UnfitError("must be a path")
    return value


FilePath = Annotated[Path, BeforeValidator(_path)]


class Quote(StrEnum):
    """How much of a post a mail may repeat; `masked` shows deciding words as initials and dots."""

    NONE = "none"
    MASKED = "masked"
    FULL = "full"


class MailConfig(Part):
    """What mails may show."""

    quote: Quote = Field(
        default=Quote.MASKED,
        description="How much of a post a mail repeats. Allegations, private information and "
        "sexual matters are never repeated.",
    )


class AlertsConfig(Part):
    """When people hear; times are the school's own."""

    day_from: TimeOfDay = Field(
        default=time(7, 0), description="From this time abuse is told at once."
    )
    day_until: TimeOfDay = Field(
        default=time(20, 0),
        description="Until this time, every day; after it, abuse waits for `day_from`.",
    )
    digest_at: TimeOfDay = Field(default=time(7, 30), description="When the digest is sent.")
    escalate_after_minutes: Whole = Field(
        default=30, ge=1, le=1440, description="Silence after which the next person is tried."
    )
    source_failures_before_telling: Whole = Field(
        default=3,
        ge=1,
        le=1000,
        description="Failed turns in a row after which the administrator hears of it.",
    )
    channel: Slug | None = Field(
        default=None, description="The channel that people are reached by; the only one, if one."
    )

    @field_validator("day_until")
    @classmethod
    def _after_the_start(cls, until: time, known: ValidationInfo) -> time:
        start = known.data.get("day_from")
        if start and until <= start:
            raise UnfitError(f"is not after `day_from` ({start:%H:%M})")
        return until


class BackupConfig(Part):
    """Where `backup` writes, and to whom it encrypts."""

    folder: FilePath | None = Field(
        default=None, description="Where backups are written: another disk than the data's."
    )
    recipients: tuple[Text, ...] = Field(
        default=(),
        description="age public keys (`age1…`) to which a backup is encrypted; "
        "`backup --new-key FILE` makes one.",
    )
    keep_days: Whole = Field(
        default=35,
        ge=1,
        le=3660,
        description="Older backups are removed after each new one: what was erased lives on in "
        "them. The newest always stays.",
    )

    @field_validator("recipients")
    @classmethod
    def _public_keys(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        for each in recipients:
            if not each.startswith("age1"):
                raise UnfitError("must be age public keys", "they begin with age1")
        return recipients


class RetentionConfig(Part):
    """How long records are kept; a value of one's own needs its reason beside it."""

    neutral_days: Whole = Field(
        default=90, ge=1, le=3660, description="Neutral mentions, once listed in a digest."
    )
    neutral_days_because: LongText | None = Field(
        default=None, validate_default=True, description="Reason, where `neutral_days` is not 90."
    )
    neutral_kept_after_abuse_months: Whole = Field(
        default=12,
        ge=0,
        le=120,
        description="Months that neutral mentions stay after abuse or a threat towards the same "
        "person: they may be the other side's context.",
    )
    neutral_kept_after_abuse_months_because: LongText | None = Field(
        default=None, validate_default=True, description="Reason, where it is not 12."
    )
    abusive_years_after_school_year: Whole = Field(
        default=1,
        ge=0,
        le=25,
        description="Abusive mentions: years after the end of the school year in which the case "
        "was closed. Threats, allegations and held records are decided case by case.",
    )
    abusive_years_after_school_year_because: LongText | None = Field(
        default=None, validate_default=True, description="Reason, where it is not 1."
    )
    school_year_ends: str = Field(
        default="08-31", description="Month and day, `MM-DD`, on which the school year ends."
    )

    @field_validator(
        "neutral_days_because",
        "neutral_kept_after_abuse_months_because",
        "abusive_years_after_school_year_because",
    )
    @classmethod
    def _reason_for_a_change(cls, reason: str | None, known: ValidationInfo) -> str | None:
        key = (known.field_name or "").removesuffix("_because")
        usual = cls.model_fields[key].default
        if reason is None and known.data.get(key, usual) != usual:
            raise UnfitError(
                f"is missing: `{key}` is not the usual {usual}",
                "write who decided it and why, for the data-protection officer",
            )
        return reason

    @field_validator("school_year_ends")
    @classmethod
    def _a_day(cls, text: str) -> str:
        unfit = UnfitError("must be month and day", 'such as "08-31"')
        if not _DAY_OF_YEAR.fullmatch(text):
            raise unfit
        try:
            date.fromisoformat(f"{_LEAP_YEAR}-{text}")
        except ValueError as error:
            raise unfit from error
        return text

    def school_year_end(self, day: date) -> date:
        """The last day of the school year that `day` lies in."""
        month, end = (int(part) for part in self.school_year_ends.split("-"))
        year = day.year if (day.month, day.day) <= (month, end) else day.year + 1
        if (month, end) == (2, 29) and not _is_leap(year):
            end = 28
        return date(year, month, end)

    def abusive_until(self, closed: date) -> date:
        """The last day on which abusive mentions of a case closed on `closed` are kept."""
        end = self.school_year_end(closed)
        return self.school_year_end(
            date(end.year + self.abusive_years_after_school_year, end.month, 1)
        )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class GradingConfig(Part):
    """Where the grader's probabilities decide; what is left out is as the model came."""

    threatening: float | None = Field(
        default=None,
        ge=0.02,
        le=0.6,
        description="Least probability at which a post is called a threat. Lower finds more "
        "threats and wakes you for more that are none.",
    )
    abusive: float | None = Field(
        default=None,
        ge=0.05,
        le=0.8,
        description="Least probability of a threat or abuse at which a post is called abusive.",
    )
    sure: float | None = Field(
        default=None,
        ge=0.3,
        le=0.99,
        description="A threat or abuse less probable than this is marked unsure.",
    )
    second_opinion: SecondOpinionConfig | None = Field(
        default=None,
        description="Another model that re-reads what the grader is unsure about; off if left out.",
    )

    def thresholds(self) -> dict[str, float]:
        """What this school set, by its name."""
        return self.model_dump(exclude_none=True, exclude={"second_opinion"})


class WebConfig(Part):
    """The pages for people."""

    public_url: WebAddress | None = Field(
        default=None, description='Address of the pages, for "Log in" in mails.'
    )


class EngineConfig(Part):
    """How the program itself runs."""

    data_dir: FilePath = Field(
        default=DEFAULT_DATA_DIR, description="Database, vault, keys and status file."
    )
    database_url: str = Field(
        default="",
        validate_default=True,
        description="`sqlite:///…` or `postgresql+psycopg://user@host/name`, without password; "
        f"default `{DATABASE_FILE}` in `data_dir`.",
    )
    database_password: SecretStr | None = Field(
        default=None, description="Password of the PostgreSQL user."
    )
    poll_concurrency: Whole = Field(default=8, ge=1, le=256, description="Sources read at once.")
    parser_seconds: Whole = Field(
        default=10, ge=1, le=300, description="A parser that takes longer is ended."
    )
    parser_memory_mb: Whole = Field(
        default=512, ge=64, le=16384, description="A parser that takes more is ended."
    )
    body_limit_mb: Whole = Field(
        default=5, ge=1, le=200, description="Largest answer read, after decompression."
    )
    user_agent_contact: ContactAddress | None = Field(
        default=None,
        description="E-mail or web address in the User-Agent, so that a site's owner can ask.",
    )

    @field_validator("database_url")
    @classmethod
    def _known_and_without_password(cls, url: str, known: ValidationInfo) -> str:
        if not url:
            return f"sqlite:///{known.data.get('data_dir', DEFAULT_DATA_DIR) / DATABASE_FILE}"
        try:
            parts = urlsplit(url)
            has_password = parts.password is not None
        except ValueError as error:
            raise UnfitError("is not a database address") from error
        if parts.scheme not in _SCHEMES:
            raise UnfitError(
                f"must begin with sqlite:/// or {_SCHEMES[1]}://", "leave it out for SQLite"
            )
        if has_password or "password=" in parts.query:
            raise UnfitError(
                "holds a password",
                "take it out, put it in a file, and name that file in database_password_file",
            )
        if parts.scheme == "sqlite" and not url.startswith("sqlite:////"):
            # A relative file would be another database for every folder one starts in, and a
            # database in memory would forget the evidence.
            raise UnfitError("needs the whole path of a file", "sqlite:////var/lib/…, four slashes")
        return url

    def connection_url(self) -> str:
        """`database_url` with the password in its place: for the driver only, never printed."""
        if self.database_password is None:
            return self.database_url
        parts = urlsplit(self.database_url)
        user, at, host = parts.netloc.rpartition("@")
        secret = quote(self.database_password.get_secret_value(), safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{secret}{at}{host}"))
