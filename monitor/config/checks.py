"""What no single table can know: names that refer to each other, and things that nobody can mean.

These checks read the document and not the finished `Config`, so that they speak in the same breath
as the checks of single values. Whatever is of the wrong type is passed over: that is said already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from monitor.config.entries import Document, Entry
from monitor.config.problems import Finding, did_you_mean
from monitor.model import Role, Scope

_OPTIONAL_PARTS = {
    Role.DEPUTY: "nobody stands in for a headteacher who does not answer",
    Role.SAFEGUARDING_LEAD: "distress and danger to somebody else go to the headteacher",
}
_HEAD_WORDS = frozenset({"headteacher", "head teacher", "principal", "headmaster", "headmistress"})


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [found for entry in entries if (found := entry.get("id"))]


def roster_checks(document: Document) -> Iterator[Finding]:
    """The checks that a roster alone must pass, as `match` uses it."""
    if not document.schools:
        yield Finding(("schools",), "no school is named", "add a [[schools]] table")
    yield from _twice(document.schools, "school")
    yield from _twice(document.staff, "member of staff")
    for school in document.schools:
        head = school.get("headteacher")
        own = _ids(document.staff_of(school))
        if head and head not in own:
            yield Finding(
                (*school.place, "headteacher"),
                f'nobody on this roster has the id "{head}"',
                did_you_mean(head, own),
            )


def all_checks(document: Document) -> Iterator[Finding]:
    """Every check across tables."""
    yield from roster_checks(document)
    for school in document.schools:
        is_list = isinstance(school.table.get("staff", []), (list, tuple))
        if is_list and not document.staff_of(school):
            yield Finding(
                school.place,
                "nobody is on the roster",
                "add [[schools.staff]] tables, or staff_file with an export",
            )
    yield from _twice(document.people, "person")
    yield from _people(document)
    yield from _tell(document)
    yield from _head_is_linked(document)
    yield from _sources(document)
    yield from _channels(document)
    yield from _terms(document)
    yield from _gaps(document)


def _gaps(document: Document) -> Iterator[Finding]:
    """What may stay as it is, but what a person should know about."""
    if not document.engine.get("user_agent_contact"):
        yield Finding(
            ("engine",),
            "sites cannot ask who is reading them",
            "set user_agent_contact to an e-mail or web address of the school",
            grave=False,
        )
    for role, loss in _OPTIONAL_PARTS.items():
        overrides = [_own_tell(school) for school in document.schools]
        if not document.tell.get(role) and not all(own.get(role) for own in overrides):
            yield Finding(("tell", role), "nobody is named", loss, grave=False)
    for school in document.schools:
        for person in document.staff_of(school):
            if person.table.get("handles") and "handles_given_on" not in person.table:
                yield Finding(
                    (*person.place, "handles"),
                    "nothing says that the person gave these accounts",
                    "add handles_given_on, or take the accounts out",
                    grave=False,
                )


def _own_tell(school: Entry) -> Entry:
    own = school.table.get("tell")
    return Entry((*school.place, "tell"), own if isinstance(own, Mapping) else {})


def _twice(entries: Sequence[Entry], noun: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for entry in entries:
        name = entry.get("id")
        if name and name.casefold() in seen:
            yield Finding(
                (*entry.place, "id"),
                f'another {noun} has the id "{name}" already',
                "ids are permanent names in the log: give this one its own",
            )
        seen.add((name or "").casefold())


def _people(document: Document) -> Iterator[Finding]:
    staff = _ids(document.staff)
    for person in document.people:
        link = person.get("staff")
        if link and link not in staff:
            yield Finding(
                (*person.place, "staff"),
                f'nobody on the roster has the id "{link}"',
                did_you_mean(link, staff),
            )


def _tell(document: Document) -> Iterator[Finding]:
    people = {found: person for person in document.people if (found := person.get("id"))}
    for tell in (document.tell, *(_own_tell(school) for school in document.schools)):
        for role in Role:
            named = tell.get(role.value)
            if named and named not in people and document.people_are_listed:
                yield Finding(
                    (*tell.place, role.value),
                    f'no [[people]] table has the id "{named}"',
                    did_you_mean(named, people),
                )
        yield from _two_different_people(tell, document.tell, people)


def _two_different_people(
    tell: Entry, usual: Entry, people: Mapping[str, Entry]
) -> Iterator[Finding]:
    """An allegation about the head reaches the second person alone, so it must be another human."""
    if not (tell.get("headteacher") or tell.get("second_person")):
        return
    head = tell.get("headteacher") or usual.get("headteacher")
    second = tell.get("second_person") or usual.get("second_person")
    if head is None or second is None:
        return
    place = (*tell.place, "second_person" if tell.get("second_person") else "headteacher")
    why = "the second person must not be the headteacher"
    advice = "name the chair of governors or somebody at the trust"
    if head == second:
        yield Finding(place, why, advice)
    elif head in people and second in people:
        for key in ("email", "staff"):
            mine, other = people[head].get(key), people[second].get(key)
            if mine and other and mine.casefold() == other.casefold():
                yield Finding(place, f"{why}, but both have the same `{key}`", advice)


def _head_is_linked(document: Document) -> Iterator[Finding]:
    people = {found: person for person in document.people if (found := person.get("id"))}
    said: set[str] = set()
    for school in document.schools:
        named = _own_tell(school).get("headteacher") or document.tell.get("headteacher") or ""
        head = people.get(named)
        if head is None or head.get("staff") or school.get("headteacher") or named in said:
            continue
        said.add(named)
        roster = document.staff_of(school)
        likely = next((found for p in roster if _is_a_head(p) and (found := p.get("id"))), None)
        yield Finding(
            (*head.place, "staff"),
            "nobody on the roster is known to be the headteacher, so that the second person would "
            "not hear of a threat towards the head",
            f'add staff = "{likely or "their id on the roster"}"',
            grave=False,
        )


def _is_a_head(person: Entry) -> bool:
    roles = person.table.get("roles")
    if not isinstance(roles, (list, tuple)):
        return False
    return any(isinstance(role, str) and role.strip().lower() in _HEAD_WORDS for role in roles)


def _sources(document: Document) -> Iterator[Finding]:
    if not document.sources:
        yield Finding(("sources",), "nothing is read", "add a [sources.<name>] table", grave=False)
    schools = _ids(document.schools)
    addresses: dict[tuple[str, str], str] = {}
    for source in document.sources:
        school = source.get("school")
        if school and school not in schools:
            yield Finding(
                (*source.place, "school"),
                f'no school has the id "{school}"',
                did_you_mean(school, schools),
            )
        yield from _scope(source, schools)
        url, name = source.get("url"), str(source.place[-1])
        if url:
            first = addresses.setdefault((source.get("kind") or "", _plain_url(url)), name)
            if first != name:
                yield Finding(
                    (*source.place, "url"),
                    f"sources.{first} reads the same address",
                    "one of them is enough",
                )


def _scope(source: Entry, schools: Sequence[str]) -> Iterator[Finding]:
    scope, place = source.get("scope"), source.get("place")
    if scope == Scope.SCHOOL and not source.get("school") and len(schools) > 1:
        yield Finding(
            (*source.place, "school"),
            'is missing: with scope = "school" and several schools, say which one',
            f"one of {', '.join(schools[:10])}",
        )
    if scope == Scope.SCHOOL and place:
        yield Finding(
            (*source.place, "place"),
            'has no effect with scope = "school"',
            'for a town\'s own paper or forum write scope = "open"',
        )


def _plain_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return url
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def _channels(document: Document) -> Iterator[Finding]:
    names = [str(channel.place[-1]) for channel in document.channels]
    chosen = document.alerts.get("channel")
    if not names:
        yield Finding(("channels",), "nobody can be told anything", "add a [channels.mail] table")
    elif chosen and chosen not in names:
        yield Finding(
            ("alerts", "channel"),
            f'no channel is called "{chosen}"',
            did_you_mean(chosen, names) or f"there are: {', '.join(names)}",
        )
    elif not chosen and len(names) > 1:
        yield Finding(
            ("alerts", "channel"),
            "is missing: there are several channels, say which one people are reached by",
            f"one of {', '.join(names)}",
        )


def _terms(document: Document) -> Iterator[Finding]:
    days = [
        (str(term.table["first_day"]), str(term.table["last_day"]), term.place)
        for term in document.terms
        if "first_day" in term.table and "last_day" in term.table
    ]
    ordered = sorted(days)
    for earlier, later in pairwise(ordered):
        if later[0] <= earlier[1]:
            yield Finding(
                later[2], f"overlaps the term that ends on {earlier[1]}", "terms follow each other"
            )
