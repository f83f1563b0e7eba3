"""Who hears what, when: the routing table of the design, as one pure function.

The more urgent of grade and flag wins. The grade is the program's suggestion; everything that
follows from it is decided by a person.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.model import AlertKind, Certainty, Flag, Grade, Notice, Role, Severity, Urgency

_TO_SAFEGUARDING = {Flag.WELFARE, Flag.SECOND_HAND}


def urgency_of(grade: Grade) -> Urgency:
    """How soon the headteacher hears of this grade by itself, flags that route aside."""
    if grade.severity is Severity.THREATENING:
        return Urgency.NOW
    if grade.unsure or grade.severity is Severity.UNGRADED:
        return Urgency.DAYTIME
    if grade.severity is Severity.ABUSIVE and Flag.MILD not in grade.flags:
        return Urgency.DAYTIME
    return Urgency.DIGEST


def notices(
    grade: Grade, *, certainty: Certainty, about_headteacher: bool, first_look: bool = False
) -> tuple[Notice, ...]:
    """Say which roles must hear of a mention, how soon, and how much the message may show.

    `about_headteacher`: the mention's target is the headteacher, so the second person hears too,
    and alone where it is an allegation. `first_look`: the post was there before the source was
    watched, so it goes into the one mail about that source instead of a mail of its own.
    """
    if Flag.ALLEGATION in grade.flags:
        return (_allegation(grade, about_headteacher=about_headteacher),)
    found = list(_by_grade(grade, certainty, about_headteacher=about_headteacher))
    found += _by_flag(grade)
    merged = in_one_alert(_soonest(found))
    if first_look:
        return tuple(
            Notice(AlertKind.FIRST_LOOK, notice.urgency, notice.roles)
            if notice.urgency is not Urgency.DIGEST
            else notice
            for notice in merged
        )
    return merged


def notices_beside_allegation(
    grade: Grade, *, certainty: Certainty, about_headteacher: bool
) -> tuple[Notice, ...]:
    """Say who hears of a mention whose post alleges something about somebody else.

    Whoever reads of one target reads the whole post, so only those hear who may know of the
    allegation, in an alert that shows nothing; what would stand in the digest stands nowhere.
    `about_headteacher`: the allegation is about the headteacher.
    """
    alone = notices(grade, certainty=certainty, about_headteacher=False)
    urgency = min((notice.urgency for notice in alone), key=lambda each: each.rank)
    if urgency is Urgency.DIGEST:
        return ()
    return (Notice(AlertKind.ALLEGATION, urgency, (_cleared(about_headteacher),)),)


def _allegation(grade: Grade, *, about_headteacher: bool) -> Notice:
    asked = [Urgency.SAME_DAY, urgency_of(grade), *(each.urgency for each in _by_flag(grade))]
    urgency = min(asked, key=lambda each: each.rank)
    return Notice(AlertKind.ALLEGATION, urgency, (_cleared(about_headteacher),))


def _cleared(about_headteacher: bool) -> Role:
    return Role.SECOND_PERSON if about_headteacher else Role.HEADTEACHER


def _by_grade(grade: Grade, certainty: Certainty, *, about_headteacher: bool) -> tuple[Notice, ...]:
    urgency = urgency_of(grade)
    kind = AlertKind.CONCERN
    if certainty is Certainty.POSSIBLE:
        kind = AlertKind.POSSIBLE
        if urgency is not Urgency.NOW:
            urgency = Urgency.DIGEST
    if urgency is Urgency.DIGEST:
        return (Notice(AlertKind.DIGEST, urgency, (Role.HEADTEACHER,)),)
    if about_headteacher:
        return (Notice(kind, urgency, (Role.HEADTEACHER, Role.SECOND_PERSON)),)
    return (Notice(kind, urgency, (Role.HEADTEACHER,)),)


def _by_flag(grade: Grade) -> list[Notice]:
    found = []
    if Flag.DISTRESS in grade.flags:
        # Danger to the writer does not depend on how sure we are of whom they name; where the
        # flag itself is faint it waits for the day, and no longer.
        urgency = Urgency.DAYTIME if Flag.DISTRESS in grade.faint else Urgency.NOW
        found.append(Notice(AlertKind.CONCERN, urgency, (Role.SAFEGUARDING_LEAD,)))
    if (grade.flags - grade.faint) & _TO_SAFEGUARDING:
        both = (Role.SAFEGUARDING_LEAD, Role.HEADTEACHER)
        found.append(Notice(AlertKind.CONCERN, Urgency.DAYTIME, both))
    return found


def _soonest(found: list[Notice]) -> tuple[Notice, ...]:
    """Keep for each role its most urgent notice; a digest line is dropped where a mail goes."""
    best: dict[Role, Notice] = {}
    for notice in sorted(found, key=lambda each: each.urgency.rank, reverse=True):
        for role in notice.roles:
            best[role] = Notice(notice.kind, notice.urgency, (role,))
    return tuple(best.values())


def in_one_alert(asked: tuple[Notice, ...], beside: tuple[Notice, ...] = ()) -> tuple[Notice, ...]:
    """Let what is only possible stand in the alert of what is certain, so that a post has one.

    `beside` are the notices of the other targets of the same post.
    """
    if all(notice.kind is not AlertKind.CONCERN for notice in (*asked, *beside)):
        return asked
    return tuple(
        replace(notice, kind=AlertKind.CONCERN) if notice.kind is AlertKind.POSSIBLE else notice
        for notice in asked
    )


def graver(new: tuple[Notice, ...], old: tuple[Notice, ...]) -> bool:
    """Whether an edited post asks for more than its earlier version already did."""
    before = {role: notice.urgency.rank for notice in old for role in notice.roles}
    never = Urgency.DIGEST.rank
    return any(
        notice.urgency.rank < before.get(role, never) or _newly_allegation(notice, old)
        for notice in new
        for role in notice.roles
    )


def _newly_allegation(notice: Notice, old: tuple[Notice, ...]) -> bool:
    return notice.kind is AlertKind.ALLEGATION and all(
        earlier.kind is not AlertKind.ALLEGATION for earlier in old
    )


LADDER: dict[Role, tuple[Role, ...]] = {
    Role.HEADTEACHER: (Role.DEPUTY, Role.SECOND_PERSON),
    Role.DEPUTY: (Role.SECOND_PERSON,),
    Role.SAFEGUARDING_LEAD: (Role.HEADTEACHER, Role.DEPUTY),
    Role.SECOND_PERSON: (Role.HEADTEACHER,),
}
"""Who is tried next when somebody cannot be reached or does not answer."""


def next_roles(kind: AlertKind, role: Role, *, about_headteacher: bool) -> tuple[Role, ...]:
    """The people to try after `role`, in order.

    An allegation goes to nobody but the headteacher and the second person, and one about the
    headteacher to nobody but the second person (KCSIE Part four: the chair or proprietor).
    """
    if kind is AlertKind.ALLEGATION:
        return () if about_headteacher or role is Role.SECOND_PERSON else (Role.SECOND_PERSON,)
    return LADDER.get(role, ())
