"""The headings that exports of SIMS, Arbor, Bromcom and spreadsheets give to what we need."""

from __future__ import annotations

import re
from collections.abc import Sequence

PREFERRED: dict[str, tuple[str, ...]] = {
    "id": ("staff code", "code", "staff id", "employee id", "employee number", "person id",
           "arbor staff id", "sims id", "bromcom id", "id", "initials"),
    "title": ("title", "salutation", "prefix"),
    "forename": ("preferred forename", "preferred first name", "chosen forename",
                 "known as forename", "forename", "first name", "given name",
                 "legal forename", "legal first name"),
    "surname": ("preferred surname", "preferred last name", "chosen surname", "surname",
                "last name", "family name", "legal surname", "legal last name"),
    "name": ("full name", "staff name", "display name", "employee name", "staff member",
             "member of staff", "name", "staff"),
    "email": ("work email", "work email address", "school email", "primary email", "main email",
              "email", "e-mail", "email address", "e-mail address"),
    "roles": ("job title", "post", "posts", "position", "role", "roles", "staff role", "job",
              "business role", "service term post"),
    "aliases": ("aliases", "alias", "nicknames", "also known as"),
    "role": ("staff type", "employment type", "type", "category", "person type", "contract type"),
    "from": ("from", "start date", "employment start", "employment start date", "date of arrival",
             "date started", "joined"),
    "until": ("until", "end date", "employment end", "employment end date", "date of leaving",
              "leaving date", "date left", "left"),
}  # fmt: skip
"""Our key, and the headings that give it, the one to prefer first."""


NOT_STAFF = frozenset({
    "upn", "uln", "uniquepupilnumber", "uniquelearnernumber", "admissionnumber", "dateofadmission",
    "parentalsalutation", "pupilpremium", "freeschoolmeals", "applicationstatus", "applicationdate",
})  # fmt: skip
"""Columns that only a list of pupils, parents or applicants has."""


def plain_heading(text: str) -> str:
    """Lower-case letters and digits only: "E-mail Address " and "EMAIL_ADDRESS" are one heading."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


_RANK = {
    key: {plain_heading(heading): rank for rank, heading in enumerate(headings)}
    for key, headings in PREFERRED.items()
}


def recognised(headings: Sequence[str]) -> dict[str, str]:
    """Our key -> the heading of this file that gives it best."""
    found: dict[str, str] = {}
    for key, ranks in _RANK.items():
        fitting = [heading.strip() for heading in headings if plain_heading(heading) in ranks]
        if fitting:
            found[key] = min(fitting, key=lambda heading: ranks[plain_heading(heading)])
    return found


def not_staff(headings: Sequence[str]) -> str:
    """The first heading that no list of staff has; empty where there is none."""
    return next((text.strip() for text in headings if plain_heading(text) in NOT_STAFF), "")
