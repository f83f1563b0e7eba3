"""The field types of the configuration: each refuses what nobody can mean, and says why."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import date, time
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
)
from pydantic.types import Strict

LONGEST_TEXT = 300
"""Characters; longer than any name of a person, school or place in the United Kingdom."""

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"]{1,64}@(?:[^\s@<>()\[\],;:\\\"./]+\.)*[^\s@<>()\[\],;:\\\"./]+"
)
_TELEPHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,24}(?: ?(?:ext|x)\.? ?[0-9]{1,6})?")
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FEWEST_LETTERS = 2


class Part(BaseModel):
    """Base of every table: closed, frozen, and silent about values when it fails."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class UnfitError(ValueError):
    """A value that cannot be meant; `suggestion` says what to write instead.

    `of_the_table` is true where the fault is in no single key, but in the table around it.
    """

    def __init__(self, message: str, suggestion: str = "", *, of_the_table: bool = False) -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.of_the_table = of_the_table


def _one_line(text: str) -> str:
    text = text.strip()
    if not text:
        raise UnfitError("must not be empty")
    if len(text) > LONGEST_TEXT:
        raise UnfitError(f"must be at most {LONGEST_TEXT} characters, has {len(text)}")
    for letter in text:
        if letter in _BIDI_CONTROLS or unicodedata.category(letter) in {"Cc", "Cs"}:
            raise UnfitError(
                f"holds an invisible control character (U+{ord(letter):04X})",
                "type the value again instead of pasting it",
            )
    return text


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise UnfitError(
            "must be 1 to 64 letters a-z, digits, dots, dashes or underscores",
            f'for example "{slugged(text)}"' if slugged(text) else "",
        )
    return text


def slugged(text: str) -> str:
    """A slug made from any words: "Siobhán O'Brien" becomes "siobhan-obrien"; may be empty."""
    plain = unicodedata.normalize(
        "NFKD", text.replace("\N{LATIN CAPITAL LETTER L WITH STROKE}", "L")
    )
    plain = plain.replace("\N{LATIN SMALL LETTER L WITH STROKE}", "l")
    ascii_only = re.sub(r"['\u2019]", "", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:64]


def _email(text: str) -> str:
    if not text.isprintable() or not _EMAIL.fullmatch(text):
        raise UnfitError("is not an e-mail address", "write it as name@school.example")
    host = text.rpartition("@")[2]
    if "." not in host and host != "localhost":
        raise UnfitError(
            "is not an e-mail address: nothing after the @ has a dot", "such as school.sch.uk"
        )
    return text


def _telephone(text: str) -> str:
    if not _TELEPHONE.fullmatch(text):
        raise UnfitError("is not a telephone number", "digits and spaces, such as 01632 960 001")
    return text


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise UnfitError("is not a web address", "it starts with https:// and has no spaces")
    return text


def _contact_address(text: str) -> str:
    return _email(text) if "@" in text and "://" not in text else _web_address(text)


def _nameable(text: str) -> str:
    letters = sum(unicodedata.category(letter)[0] in "LN" for letter in text)
    if letters < _FEWEST_LETTERS:
        raise UnfitError(
            "has fewer than two letters and would match almost every post", "leave it out"
        )
    return text


def _no_spaces(text: str) -> str:
    if any(letter.isspace() for letter in text):
        raise UnfitError("must not contain spaces", "one entry for each, separated by commas")
    return text


def _not_a_number(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        # pydantic would read a number as seconds since 1970 and so accept nonsense.
        raise UnfitError(
            "must not be a bare number", "a date is written 2026-09-01, a time 07:30:00"
        )
    return value


def _local(moment: time) -> time:
    if moment.tzinfo is not None:
        raise UnfitError("must be a time of day without a zone", "`timezone` at the top sets it")
    return moment


def _not_in_the_future(day: date, known: ValidationInfo) -> date:
    """Needs `today` in the validation context; a value built in code without it is believed."""
    today = (known.context or {}).get("today")
    if isinstance(today, date) and day > today:
        raise UnfitError(
            f"lies in the future ({day.isoformat()}) but says what has happened",
            "leave it out until it has",
        )
    return day


def is_this_machine(url: str) -> bool:
    """Whether an address is one of loopback; a name other than `localhost` may be anybody's."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Text = Annotated[str, AfterValidator(_one_line)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Slug = Annotated[str, AfterValidator(_slug)]
Email = Annotated[str, AfterValidator(_email)]
Telephone = Annotated[str, AfterValidator(_telephone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
ContactAddress = Annotated[str, AfterValidator(_contact_address)]
MatchText = Annotated[str, AfterValidator(_one_line), AfterValidator(_nameable)]
Handle = Annotated[
    str, AfterValidator(_one_line), AfterValidator(_no_spaces), AfterValidator(_nameable)
]
Whole = Annotated[int, Strict()]
YesNo = Annotated[bool, Strict()]
Day = Annotated[date, BeforeValidator(_not_a_number)]
PastDay = Annotated[date, BeforeValidator(_not_a_number), AfterValidator(_not_in_the_future)]
TimeOfDay = Annotated[time, BeforeValidator(_not_a_number), AfterValidator(_local)]
