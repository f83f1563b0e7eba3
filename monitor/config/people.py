"""People who are told, outside contacts, and the record that the law asks for before switch-on."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from monitor.config.fields import (
    Day,
    Email,
    Part,
    PastDay,
    Slug,
    Telephone,
    Text,
    UnfitError,
    WebAddress,
)

CONTACTS_CHECKED_EVERY_MONTHS = 12
"""A number in an alert that is older than this may be somebody else's by now."""


class PersonConfig(Part):
    """Somebody who is told."""

    id: Slug = Field(description="Name used in `[tell]`, the log and the accounts.")
    name: Text = Field(description="Full name, as letters address them.")
    email: Email = Field(description="Where messages reach them.")
    staff: Slug | None = Field(
        default=None,
        description="Their id on the roster, if they are on it: a mention of them is then known "
        "to be about one of those who are told.",
    )


class TellConfig(Part):
    """Who plays which part; each value is the id of one of `people`."""

    headteacher: Slug = Field(description="Hears of threats and abuse towards staff.")
    second_person: Slug = Field(
        description="Hears with the headteacher of threats and abuse towards the headteacher, and "
        "instead of the headteacher of allegations about them. Never the headteacher."
    )
    administrator: Slug = Field(description="Looks after this program; hears when it cannot look.")
    deputy: Slug | None = Field(default=None, description="Tried when the headteacher is silent.")
    safeguarding_lead: Slug | None = Field(
        default=None, description="Hears of distress and of danger to somebody else."
    )


class TellOverride(Part):
    """The same parts for one school; what is left out comes from `[tell]`."""

    headteacher: Slug | None = Field(default=None, description="As in `[tell]`.")
    second_person: Slug | None = Field(default=None, description="As in `[tell]`.")
    administrator: Slug | None = Field(default=None, description="As in `[tell]`.")
    deputy: Slug | None = Field(default=None, description="As in `[tell]`.")
    safeguarding_lead: Slug | None = Field(default=None, description="As in `[tell]`.")


class ContactConfig(Part):
    """Somebody outside the program who helps; at least one way to reach them."""

    name: Text = Field(description="Person or office.")
    telephone: Telephone | None = Field(default=None, description="Digits and spaces.")
    email: Email | None = Field(default=None, description="Address.")
    url: WebAddress | None = Field(default=None, description="Page or form.")
    checked_on: PastDay | None = Field(
        default=None,
        validate_default=True,
        description="When a person last tried these; older than 12 months is complained about.",
    )

    @field_validator("checked_on")
    @classmethod
    def _reachable(cls, day: date | None, known: ValidationInfo) -> date | None:
        ways = ("telephone", "email", "url")
        # A way that is missing from `known.data` was given and is bad, which is said already.
        if all(way in known.data and known.data[way] is None for way in ways):
            raise UnfitError(
                "gives no way to reach them", "add telephone, email or url", of_the_table=True
            )
        return day

    def is_stale(self, today: date) -> bool:
        """Never checked, or not within the last twelve months."""
        if self.checked_on is None:
            return True
        years, month = divmod(self.checked_on.month - 1 + CONTACTS_CHECKED_EVERY_MONTHS, 12)
        due = (self.checked_on.year + years, month + 1, self.checked_on.day)
        return (today.year, today.month, today.day) > due


class ContactsConfig(Part):
    """The numbers that an alert offers, local ones; national help lines come with the program."""

    safeguarding_lead: ContactConfig | None = Field(default=None, description="DSL of the school.")
    lado: ContactConfig | None = Field(
        default=None, description="Local authority designated officer (allegations)."
    )
    police_force: ContactConfig | None = Field(
        default=None, description="The local force and its report page; 999 and 101 are known."
    )
    hr: ContactConfig | None = Field(default=None, description="Personnel, school or trust.")
    data_protection_officer: ContactConfig | None = Field(default=None, description="DPO.")
    employee_assistance: ContactConfig | None = Field(
        default=None, description="Counselling that the employer pays for."
    )
    unions: tuple[ContactConfig, ...] = Field(
        default=(), description="Union representatives, each a `[[contacts.unions]]`."
    )
    chair: ContactConfig | None = Field(default=None, description="Chair of governors or trust.")
    press_office: ContactConfig | None = Field(default=None, description="Trust or authority.")

    def named(self) -> tuple[tuple[str, ContactConfig], ...]:
        """Every contact given, with its path below `contacts`."""
        single = (
            (name, getattr(self, name)) for name in type(self).model_fields if name != "unions"
        )
        unions = ((f"unions[{n}]", union) for n, union in enumerate(self.unions, 1))
        return (*((name, contact) for name, contact in single if contact), *unions)

    def missing(self) -> tuple[str, ...]:
        """The contacts that the file does not give."""
        return tuple(name for name in type(self).model_fields if not getattr(self, name))


class Basis(StrEnum):
    """Article 6(1) UK GDPR; which one fits is the data-protection officer's decision."""

    PUBLIC_TASK = "public-task"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTERESTS = "legitimate-interests"
    RECOGNISED_LEGITIMATE_INTEREST = "recognised-legitimate-interest"


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class LawfulConfig(Part):
    """What the school must have done before it relies on this program (procedure, section 8)."""

    basis: Annotated[tuple[Basis, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Lawful basis or bases, as the data-protection officer decided."
    )
    dpia_date: PastDay | None = Field(
        default=None, description="Date of the data-protection impact assessment."
    )
    staff_notice_on: PastDay | None = Field(default=None, description="When staff were told.")
    consulted_on: PastDay | None = Field(
        default=None, description="When staff or unions were consulted."
    )
    consulted_whom: Text | None = Field(default=None, description="Who was consulted.")
    approved_by: Text | None = Field(default=None, description="Who approved the use, by name.")
    review_on: Day | None = Field(default=None, description="When the school looks at it again.")

    def not_yet(self, today: date) -> tuple[str, ...]:
        """Short phrases for "Not yet lawful to rely on: …"; empty when all is in order."""
        wanting = (
            (not self.basis, "no lawful basis is recorded"),
            (self.dpia_date is None, "no data-protection impact assessment"),
            (self.staff_notice_on is None, "staff have not been told"),
            (
                self.consulted_on is None or self.consulted_whom is None,
                "staff or unions have not been consulted",
            ),
            (self.approved_by is None, "nobody has approved it"),
            (self.review_on is None, "no review date"),
        )
        found = [phrase for is_wanting, phrase in wanting if is_wanting]
        if self.review_on is not None and self.review_on < today:
            found.append(f"the review was due on {self.review_on.isoformat()}")
        return tuple(found)
