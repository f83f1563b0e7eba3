"""The table "Who hears, when" of the design, cell by cell, and what holds for every grade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cases.procedure import (
    LADDER,
    graver,
    in_one_alert,
    next_roles,
    notices,
    notices_beside_allegation,
    urgency_of,
)
from monitor.cases.routing import Routing
from monitor.model import (
    AlertKind,
    Certainty,
    Flag,
    Grade,
    Notice,
    Role,
    Severity,
    Target,
    TargetKind,
    Urgency,
    Verdict,
)

HEAD, SECOND = Role.HEADTEACHER, Role.SECOND_PERSON
DEPUTY, LEAD = Role.DEPUTY, Role.SAFEGUARDING_LEAD
NOW, DAY, SAME, DIGEST = Urgency.NOW, Urgency.DAYTIME, Urgency.SAME_DAY, Urgency.DIGEST
THREAT, ABUSE = Severity.THREATENING, Severity.ABUSIVE
NEUTRAL, UNGRADED = Severity.NEUTRAL, Severity.UNGRADED
SURE = (Certainty.CERTAIN, Certainty.LESS_SURE)

grades = st.builds(
    Grade,
    severity=st.sampled_from(Severity),
    unsure=st.booleans(),
    flags=st.frozensets(st.sampled_from(Flag)),
)
certainties = st.sampled_from(Certainty)


def heard(
    grade: Grade,
    certainty: Certainty = Certainty.CERTAIN,
    *,
    about_headteacher: bool = False,
    first_look: bool = False,
) -> dict[Role, tuple[AlertKind, Urgency]]:
    found = notices(
        grade, certainty=certainty, about_headteacher=about_headteacher, first_look=first_look
    )
    return {role: (each.kind, each.urgency) for each in found for role in each.roles}


CELLS = [
    # grade, unsure, flags -> who hears how soon, of somebody who is not the headteacher
    (THREAT, False, "", {HEAD: NOW}),
    (THREAT, True, "", {HEAD: NOW}),
    (THREAT, False, "mild", {HEAD: NOW}),
    (THREAT, False, "distress", {HEAD: NOW, LEAD: NOW}),
    (THREAT, False, "welfare", {HEAD: NOW, LEAD: DAY}),
    (THREAT, False, "second-hand", {HEAD: NOW, LEAD: DAY}),
    (ABUSE, False, "", {HEAD: DAY}),
    (ABUSE, True, "", {HEAD: DAY}),
    (ABUSE, False, "mild", {HEAD: DIGEST}),
    (ABUSE, True, "mild", {HEAD: DAY}),
    (ABUSE, False, "mild welfare", {HEAD: DAY, LEAD: DAY}),
    (ABUSE, False, "distress", {HEAD: DAY, LEAD: NOW}),
    (ABUSE, False, "second-hand", {HEAD: DAY, LEAD: DAY}),
    (ABUSE, False, "private-information", {HEAD: DAY}),
    (ABUSE, False, "pile-on impersonation sexual discriminatory", {HEAD: DAY}),
    (UNGRADED, True, "", {HEAD: DAY}),
    (UNGRADED, False, "", {HEAD: DAY}),
    (UNGRADED, False, "mild", {HEAD: DAY}),
    (NEUTRAL, False, "", {HEAD: DIGEST}),
    (NEUTRAL, True, "", {HEAD: DAY}),
    (NEUTRAL, False, "mild", {HEAD: DIGEST}),
    (NEUTRAL, False, "distress", {HEAD: DIGEST, LEAD: NOW}),
    (NEUTRAL, False, "welfare", {HEAD: DAY, LEAD: DAY}),
    (NEUTRAL, False, "second-hand", {HEAD: DAY, LEAD: DAY}),
    (NEUTRAL, False, "distress welfare", {HEAD: DAY, LEAD: NOW}),
    # an allegation: nobody but the headteacher, whatever else there is
    (THREAT, False, "allegation", {HEAD: NOW}),
    (ABUSE, False, "allegation", {HEAD: DAY}),
    (ABUSE, False, "allegation mild", {HEAD: SAME}),
    (UNGRADED, True, "allegation", {HEAD: DAY}),
    (NEUTRAL, False, "allegation", {HEAD: SAME}),
    (NEUTRAL, False, "allegation mild", {HEAD: SAME}),
    (NEUTRAL, False, "allegation welfare", {HEAD: DAY}),
    (NEUTRAL, False, "allegation second-hand", {HEAD: DAY}),
    (NEUTRAL, False, "allegation distress", {HEAD: NOW}),
]


@pytest.mark.parametrize(("severity", "unsure", "flags", "expected"), CELLS)
@pytest.mark.parametrize("certainty", SURE)
def test_each_cell_of_the_table_is_as_the_design_has_it(
    severity: Severity,
    unsure: bool,
    flags: str,
    expected: dict[Role, Urgency],
    certainty: Certainty,
) -> None:
    grade = Grade(severity, unsure=unsure, flags=frozenset(map(Flag, flags.split())))
    found = heard(grade, certainty)
    assert {role: urgency for role, (_kind, urgency) in found.items()} == expected
    accused = Flag.ALLEGATION in grade.flags
    for kind, urgency in found.values():
        assert kind is (
            AlertKind.ALLEGATION
            if accused
            else AlertKind.DIGEST
            if urgency is DIGEST
            else AlertKind.CONCERN
        )


@pytest.mark.parametrize(("severity", "unsure", "flags", "expected"), CELLS)
def test_of_the_headteacher_the_second_person_hears_threats_and_abuse_too(
    severity: Severity, unsure: bool, flags: str, expected: dict[Role, Urgency]
) -> None:
    grade = Grade(severity, unsure=unsure, flags=frozenset(map(Flag, flags.split())))
    found = {role: when for role, (_kind, when) in heard(grade, about_headteacher=True).items()}
    if Flag.ALLEGATION in grade.flags:
        assert found == {SECOND: expected[HEAD]}
    elif urgency_of(grade) is DIGEST:
        assert found == expected
    else:
        assert found == {**expected, SECOND: urgency_of(grade)}


@pytest.mark.parametrize(
    ("severity", "flags", "expected"),
    [
        (THREAT, "", {HEAD: (AlertKind.POSSIBLE, NOW)}),
        (ABUSE, "", {HEAD: (AlertKind.DIGEST, DIGEST)}),
        (UNGRADED, "", {HEAD: (AlertKind.DIGEST, DIGEST)}),
        (NEUTRAL, "", {HEAD: (AlertKind.DIGEST, DIGEST)}),
        # Danger does not depend on whom the words name.
        (NEUTRAL, "distress", {HEAD: (AlertKind.DIGEST, DIGEST), LEAD: (AlertKind.CONCERN, NOW)}),
        (NEUTRAL, "welfare", {HEAD: (AlertKind.CONCERN, DAY), LEAD: (AlertKind.CONCERN, DAY)}),
        # One post has one alert: what is only possible stands in it.
        (THREAT, "distress", {HEAD: (AlertKind.CONCERN, NOW), LEAD: (AlertKind.CONCERN, NOW)}),
        # An allegation may stand in no digest, so even a possible one is told.
        (NEUTRAL, "allegation", {HEAD: (AlertKind.ALLEGATION, SAME)}),
    ],
)
def test_a_possible_mention_is_alerted_only_where_it_threatens(
    severity: Severity, flags: str, expected: dict[Role, tuple[AlertKind, Urgency]]
) -> None:
    grade = Grade(severity, flags=frozenset(map(Flag, flags.split())))
    assert heard(grade, Certainty.POSSIBLE) == expected


@given(grades, certainties, st.booleans())
def test_a_first_look_changes_the_mail_and_never_who_hears_or_how_soon(
    grade: Grade, certainty: Certainty, about: bool
) -> None:
    usual = heard(grade, certainty, about_headteacher=about)
    first = heard(grade, certainty, about_headteacher=about, first_look=True)
    assert {role: when for role, (_k, when) in usual.items()} == {
        role: when for role, (_k, when) in first.items()
    }
    kinds = {kind for kind, _when in first.values()}
    if Flag.ALLEGATION in grade.flags:
        assert kinds == {AlertKind.ALLEGATION}
    else:
        assert kinds <= {AlertKind.FIRST_LOOK, AlertKind.DIGEST}


@given(grades, certainties, st.booleans(), st.booleans())
def test_an_allegation_is_in_no_digest_and_reaches_nobody_who_is_not_cleared(
    grade: Grade, certainty: Certainty, about: bool, first_look: bool
) -> None:
    accusing = Grade(grade.severity, grade.unsure, flags=grade.flags | {Flag.ALLEGATION})
    found = heard(accusing, certainty, about_headteacher=about, first_look=first_look)
    assert set(found) == {SECOND if about else HEAD}
    ((kind, urgency),) = found.values()
    assert kind is AlertKind.ALLEGATION
    assert urgency is not DIGEST


@given(grades, certainties, st.booleans(), st.booleans())
def test_nothing_threatening_is_ever_later_than_now(
    grade: Grade, certainty: Certainty, about: bool, first_look: bool
) -> None:
    threat = Grade(THREAT, grade.unsure, flags=grade.flags)
    found = heard(threat, certainty, about_headteacher=about, first_look=first_look)
    first = SECOND if about and Flag.ALLEGATION in grade.flags else HEAD
    assert found[first][1] is NOW


@given(grades, certainties, st.booleans(), st.sampled_from(Flag))
def test_no_flag_but_mild_makes_it_later(
    grade: Grade, certainty: Certainty, about: bool, flag: Flag
) -> None:
    if flag is Flag.MILD:
        return
    more = Grade(grade.severity, grade.unsure, flags=grade.flags | {flag})
    before = heard(grade, certainty, about_headteacher=about).values()
    after = heard(more, certainty, about_headteacher=about).values()
    soonest = min(when.rank for _kind, when in before)
    assert min(when.rank for _kind, when in after) <= soonest


@given(grades, certainties, st.booleans(), st.booleans())
def test_somebody_always_hears_of_a_mention(
    grade: Grade, certainty: Certainty, about: bool, first_look: bool
) -> None:
    assert heard(grade, certainty, about_headteacher=about, first_look=first_look)


@given(grades, certainties, st.booleans())
def test_what_stands_beside_an_allegation_reaches_only_who_is_cleared_for_it(
    grade: Grade, certainty: Certainty, about: bool
) -> None:
    found = notices_beside_allegation(grade, certainty=certainty, about_headteacher=about)
    for notice in found:
        assert notice.kind is AlertKind.ALLEGATION
        assert notice.roles == (SECOND if about else HEAD,)
        assert notice.urgency is not DIGEST
    if grade.severity is THREAT:
        assert [notice.urgency for notice in found] == [NOW]


def test_beside_a_certain_concern_a_possible_one_stands_in_the_same_alert() -> None:
    possible = (Notice(AlertKind.POSSIBLE, NOW, (HEAD,)),)
    concern = (Notice(AlertKind.CONCERN, DAY, (HEAD,)),)
    assert in_one_alert(possible) == possible
    assert in_one_alert(possible, concern) == (Notice(AlertKind.CONCERN, NOW, (HEAD,)),)


# --- edits --------------------------------------------------------------------------------------


@given(grades, certainties, st.booleans())
def test_an_edit_that_asks_for_the_same_is_not_graver(
    grade: Grade, certainty: Certainty, about: bool
) -> None:
    asked = notices(grade, certainty=certainty, about_headteacher=about)
    assert not graver(asked, asked)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Grade(ABUSE), Grade(THREAT), True),
        (Grade(THREAT), Grade(ABUSE), False),
        (Grade(NEUTRAL), Grade(ABUSE), True),
        (Grade(ABUSE), Grade(ABUSE, flags=frozenset({Flag.DISTRESS})), True),
        (Grade(THREAT), Grade(NEUTRAL, flags=frozenset({Flag.ALLEGATION})), True),
        (Grade(NEUTRAL), Grade(NEUTRAL, flags=frozenset({Flag.MILD})), False),
    ],
)
def test_an_edit_is_graver_when_somebody_must_hear_more_or_sooner(
    old: Grade, new: Grade, expected: bool
) -> None:
    asked = [notices(g, certainty=Certainty.CERTAIN, about_headteacher=False) for g in (new, old)]
    assert graver(*asked) is expected


# --- whole posts --------------------------------------------------------------------------------

KAY, LEE = Target(TargetKind.PERSON, "kay"), Target(TargetKind.PERSON, "lee")
CHIEF = Target(TargetKind.PERSON, "the-head")


def verdict(
    number: int,
    target: Target,
    grade: Grade,
    version: str = "v1",
    certainty: Certainty = Certainty.CERTAIN,
) -> Verdict:
    return Verdict(number, version, target, certainty, first_look=False, grade=grade)


def asked(mine: Verdict, *others: Verdict) -> dict[Role, tuple[AlertKind, Urgency]]:
    routing = Routing.of(others, (mine,), lambda target: target == CHIEF)
    return {
        role: (notice.kind, notice.urgency)
        for notice in routing.asked(mine)
        for role in notice.roles
    }


ACCUSES = frozenset({Flag.ALLEGATION})


def test_abuse_in_a_post_that_accuses_the_headteacher_is_hidden_from_the_headteacher() -> None:
    accusation = verdict(1, CHIEF, Grade(ABUSE, flags=ACCUSES))
    abuse = verdict(2, LEE, Grade(ABUSE))
    assert asked(abuse, accusation) == {SECOND: (AlertKind.ALLEGATION, DAY)}
    assert asked(accusation, abuse) == {SECOND: (AlertKind.ALLEGATION, DAY)}


def test_what_would_be_a_digest_line_beside_an_accusation_is_none() -> None:
    accusation = verdict(1, KAY, Grade(ABUSE, flags=ACCUSES))
    assert asked(verdict(2, LEE, Grade(NEUTRAL)), accusation) == {}


def test_an_accusation_of_a_teacher_beside_one_of_the_headteacher_goes_to_the_second_person() -> (
    None
):
    of_head = verdict(1, CHIEF, Grade(NEUTRAL, flags=ACCUSES))
    of_kay = verdict(2, KAY, Grade(NEUTRAL, flags=ACCUSES))
    assert asked(of_kay, of_head) == {SECOND: (AlertKind.ALLEGATION, SAME)}


def test_an_edit_does_not_take_an_accusation_out_of_a_post() -> None:
    accusation = verdict(1, CHIEF, Grade(ABUSE, flags=ACCUSES))
    softened = verdict(2, CHIEF, Grade(NEUTRAL), version="v2")
    worse = verdict(2, CHIEF, Grade(THREAT), version="v2")
    assert asked(softened, accusation) == {}
    assert asked(worse, accusation) == {SECOND: (AlertKind.ALLEGATION, NOW)}


def test_an_edit_no_graver_than_before_waits_for_the_digest() -> None:
    first = verdict(1, KAY, Grade(ABUSE))
    again = verdict(2, KAY, Grade(ABUSE), version="v2")
    assert asked(again, first) == {HEAD: (AlertKind.DIGEST, DIGEST)}


def test_an_edit_is_compared_with_what_its_earlier_version_was_alerted_as() -> None:
    # Abuse of somebody who was only possibly meant stood in the digest; now it is certain.
    vague = verdict(1, KAY, Grade(ABUSE), certainty=Certainty.POSSIBLE)
    plain = verdict(2, KAY, Grade(ABUSE), version="v2")
    assert asked(plain, vague) == {HEAD: (AlertKind.CONCERN, DAY)}


def test_an_edit_is_compared_with_the_last_version_before_it() -> None:
    threat = verdict(1, KAY, Grade(THREAT))
    tame = verdict(2, KAY, Grade(NEUTRAL), version="v2")
    back = verdict(3, KAY, Grade(THREAT), version="v3")
    assert asked(back, threat, tame) == {HEAD: (AlertKind.CONCERN, NOW)}


def test_an_edit_that_names_somebody_new_is_news_about_them() -> None:
    first = verdict(1, KAY, Grade(ABUSE))
    new = verdict(3, LEE, Grade(ABUSE), version="v2")
    assert asked(new, first, verdict(2, KAY, Grade(ABUSE), version="v2")) == {
        HEAD: (AlertKind.CONCERN, DAY)
    }


@given(st.lists(st.tuples(st.sampled_from([KAY, LEE, CHIEF]), grades), min_size=1, max_size=4))
def test_nobody_hears_of_any_part_of_an_accusing_post_who_may_not_know_of_it(
    parts: list[tuple[Target, Grade]],
) -> None:
    verdicts = [verdict(n, target, grade) for n, (target, grade) in enumerate(parts, 1)]
    accused = {each.target for each in verdicts if Flag.ALLEGATION in each.grade.flags}
    if not accused:
        return
    allowed = SECOND if CHIEF in accused else HEAD
    routing = Routing.of((), verdicts, lambda target: target == CHIEF)
    found = [notice for each in verdicts for notice in routing.asked(each)]
    assert {role for notice in found for role in notice.roles} == {allowed}
    assert {notice.kind for notice in found} == {AlertKind.ALLEGATION}


# --- the next in line ---------------------------------------------------------------------------


def test_the_ladder_leads_from_everybody_who_hears_to_somebody_else() -> None:
    assert LADDER[HEAD] == (DEPUTY, SECOND)
    assert LADDER[DEPUTY] == (SECOND,)
    for role, following in LADDER.items():
        assert role not in following


@pytest.mark.parametrize("role", [HEAD, SECOND, DEPUTY, LEAD])
@pytest.mark.parametrize("about", [False, True])
def test_an_allegation_is_handed_on_to_the_second_person_or_to_nobody(
    role: Role, about: bool
) -> None:
    following = next_roles(AlertKind.ALLEGATION, role, about_headteacher=about)
    assert set(following) <= {SECOND}
    if about or role is SECOND:
        assert following == ()


def test_a_concern_is_handed_on_by_the_ladder() -> None:
    assert next_roles(AlertKind.CONCERN, HEAD, about_headteacher=True) == (DEPUTY, SECOND)
    assert next_roles(AlertKind.FIRST_LOOK, LEAD, about_headteacher=False) == (HEAD, DEPUTY)


@pytest.mark.parametrize("flag", [Flag.WELFARE, Flag.SECOND_HAND])
def test_a_faint_flag_disturbs_nobody_by_itself(flag: Flag) -> None:
    grade = Grade(NEUTRAL, flags=frozenset({flag}), faint=frozenset({flag}))
    asked = notices(grade, certainty=Certainty.CERTAIN, about_headteacher=False)
    assert asked == (Notice(AlertKind.DIGEST, DIGEST, (HEAD,)),)


def test_faint_distress_wakes_nobody_and_is_read_in_the_day() -> None:
    grade = Grade(NEUTRAL, flags=frozenset({Flag.DISTRESS}), faint=frozenset({Flag.DISTRESS}))
    asked = notices(grade, certainty=Certainty.CERTAIN, about_headteacher=False)
    assert Notice(AlertKind.CONCERN, DAY, (LEAD,)) in asked
    assert all(notice.urgency is not NOW for notice in asked)


def test_a_faint_allegation_is_as_confidential_as_any() -> None:
    grade = Grade(ABUSE, flags=frozenset({Flag.ALLEGATION}), faint=frozenset({Flag.ALLEGATION}))
    asked = notices(grade, certainty=Certainty.CERTAIN, about_headteacher=True)
    assert [(notice.kind, notice.roles) for notice in asked] == [(AlertKind.ALLEGATION, (SECOND,))]
