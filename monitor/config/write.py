"""The first configuration, written from a few answers and meant to be read and gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from monitor.config.fields import slugged
from monitor.config.toml_text import listed, quoted

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody with an address: one of those who are told."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class StaffAnswer:
    """A member of staff as typed in: full name, and a title where there is one."""

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail leaves the school; `password_file` holds the password where `user` is given."""

    host: str
    from_address: str
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What `staff-mentions init` asks."""

    school: str
    headteacher: Named
    second_person: Named
    administrator: Named
    mail: MailServer
    aliases: tuple[str, ...] = ()
    town: str = ""
    staff: tuple[StaffAnswer, ...] = ()
    staff_csv: Path | None = None
    feeds: tuple[str, ...] = ()
    data_dir: Path = field(default=Path("/var/lib/staff-mentions"))


class _Ids:
    """Makes an id of each name, unlike all that it made before."""

    def __init__(self) -> None:
        self._made: set[str] = set()

    def of(self, name: str, otherwise: str) -> str:
        plain = slugged(name)[:60] or otherwise
        made = next(found for n in _counting() if (found := plain + n) not in self._made)
        self._made.add(made)
        return made


def _counting() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f"-{number}"
        number += 1


def example_config(answers: Answers) -> str:
    """TOML text that `load` accepts, with a comment wherever the school has to go on."""
    staff = _Ids()
    roster = [(staff.of(person.name, "staff"), person) for person in _with_the_head(answers)]
    head = _same_name(answers.headteacher.name, roster)
    parts = (
        _top(answers),
        _school(answers),
        *(_staff(made, person, is_head=made == head) for made, person in roster),
        _people(answers, head),
        _channel(answers.mail),
        *_sources(answers.feeds),
        _REST,
    )
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _with_the_head(answers: Answers) -> tuple[StaffAnswer, ...]:
    """The head belongs on the roster: without, nobody would hear of a threat towards the head."""
    plain = answers.headteacher.name.casefold()
    known = any(person.name.casefold() == plain for person in answers.staff)
    if known or answers.staff_csv:
        return answers.staff
    return (StaffAnswer(answers.headteacher.name), *answers.staff)


def _same_name(name: str, roster: Iterable[tuple[str, StaffAnswer]]) -> str:
    plain = name.casefold()
    return next((made for made, person in roster if person.name.casefold() == plain), "")


def _top(answers: Answers) -> str:
    return f"""
# Configuration of staff-mentions, first written by `staff-mentions init`.
# `staff-mentions check` says what is wrong or missing. Every key: docs/configuration.md.

timezone = "Europe/London"
nation = "england"               # england, wales, scotland, northern-ireland

[engine]
data_dir = {quoted(str(answers.data_dir))}
user_agent_contact = {quoted(answers.mail.from_address)}   # sites see whom to ask
"""


def _school(answers: Answers) -> str:
    places = (answers.town,) if answers.town else ()
    lines = f"""
[[schools]]
id = {quoted(slugged(answers.school) or "school")}
name = {quoted(answers.school)}
aliases = {listed(answers.aliases)}
places = {listed(places)}        # town, road, postcode: they tie a common name to this school
handles = []                     # the school's own accounts
hashtags = []
"""
    if answers.staff_csv:
        lines += f"staff_file = {quoted(str(answers.staff_csv))}   # read again when it changes\n"
    return lines


def _staff(made: str, person: StaffAnswer, *, is_head: bool) -> str:
    lines = f"\n[[schools.staff]]\nid = {quoted(made)}\nname = {quoted(person.name)}\n"
    if person.title:
        lines += f"title = {quoted(person.title)}\n"
    return lines + ('roles = ["headteacher"]\n' if is_head else "")


def _people(answers: Answers, head: str) -> str:
    """One `[[people]]` table for each human, though they may play two parts."""
    ids = _Ids()
    made: dict[str, str] = {}
    lines = "\n# Those who are told.\n"
    parts = (answers.headteacher, answers.second_person, answers.administrator)
    for part in parts:
        if part.email.casefold() not in made:
            person = made[part.email.casefold()] = ids.of(part.name, "person")
            lines += f"\n[[people]]\nid = {quoted(person)}\nname = {quoted(part.name)}\n"
            lines += f"email = {quoted(part.email)}\n"
            if part is answers.headteacher:
                lines += f"staff = {quoted(head)}\n" if head else _HEAD_IN_THE_EXPORT
    chosen = [made[part.email.casefold()] for part in parts]
    return f"""{lines}
[tell]
headteacher = {quoted(chosen[0])}
second_person = {quoted(chosen[1])}    # hears alone of allegations about the headteacher
administrator = {quoted(chosen[2])}
# deputy = "…"                   # an id from [[people]], tried when the headteacher is silent
# safeguarding_lead = "…"
"""


_HEAD_IN_THE_EXPORT = """\
# staff = "…"                    # the headteacher's id in the staff file: please add it, or the
#                                  second person will not hear of a threat towards the head
"""


def _channel(mail: MailServer) -> str:
    lines = f"""
[channels.mail]
kind = "email"
host = {quoted(mail.host)}
port = {mail.port}
security = {quoted(mail.security)}
from_address = {quoted(mail.from_address)}
"""
    if mail.user:
        lines += f"username = {quoted(mail.user)}\n"
        if mail.password_file:
            lines += f"password_file = {quoted(str(mail.password_file))}\n"
    return lines


def _sources(feeds: Iterable[str]) -> Iterator[str]:
    ids = _Ids()
    for url in feeds:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            host = ""
        name = ids.of(host.removeprefix("www."), "feed")
        yield f"""
[sources.{name}]
kind = "feed"
url = {quoted(url)}
# scope = "school"               # if everything in it is about the school
# place = "…"                    # if it is the paper or forum of one town
# terms_read_on = 2026-09-01     # when somebody read the site's terms
"""


_REST = """
[mail]
quote = "masked"                 # none, masked, full: how much of a post a mail repeats

# Numbers that an alert offers. Add the others: docs/configuration.md.
# [contacts.lado]
# name = "…"
# telephone = "…"
# checked_on = 2026-09-01

# Until this is complete, every mail says "Not yet lawful to rely on: …".
[lawful]
# basis = "public-task"          # what the data-protection officer decided
# dpia_date = 2026-09-01
# staff_notice_on = 2026-09-08
# consulted_on = 2026-09-08
# consulted_whom = "…"
# approved_by = "…"
# review_on = 2027-09-01
"""
