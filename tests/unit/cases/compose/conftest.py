"""Invented posts about invented people, as the composer is given them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from monitor.cases.views import (
    AlertView,
    Blind,
    Contact,
    Contacts,
    DigestReason,
    DigestRow,
    DigestView,
    HelpLine,
    MailWords,
    MentionView,
    OperatorEvent,
    OperatorView,
    PostView,
    Recipient,
)
from monitor.model import (
    AlertKind,
    Certainty,
    DateSource,
    Flag,
    Reason,
    Role,
    Scores,
    Severity,
    Urgency,
)

SEEN = datetime(2026, 11, 20, 18, 44, 12, tzinfo=UTC)
HEAD = Recipient("Ruth Adeyemi", Role.HEADTEACHER)


@pytest.fixture
def words() -> MailWords:
    return MailWords(
        school="Dunnowby Community School",
        contacts=Contacts(
            safeguarding_lead=Contact(name="Tom Ferris", phone="01632 960 101"),
            lado=Contact(name="Northshire LADO", phone="01632 960 202"),
            police_force=Contact(url="https://northshire.police.example/report"),
        ),
        help_lines=(
            HelpLine(
                name="Education Support",
                purpose="counselling for anybody who works in education, day and night",
                reach="08000 562 561",
                checked_on=date(2026, 11, 2),
            ),
        ),
    )


@pytest.fixture
def post() -> PostView:
    return PostView(
        reference="SM-2026-0007/01",
        platform="feed",
        source="Dunnowby town forum",
        text="Mrs Okonjo had better watch her back on Friday, we know which car is hers 🔪",
        title="Re: Year 9 exclusions",
        author="@dunno_dad_77",
        url="https://forum.dunnowby.example/t/exclusions/412#post-9",
        published=datetime(2026, 11, 20, 18, 42, tzinfo=UTC),
        dated_by=DateSource.PUBLISHED,
        first_seen=SEEN,
        captured_at=SEEN,
        clock_synchronised=True,
    )


@pytest.fixture
def threat(post: PostView) -> MentionView:
    return MentionView(
        post=post,
        target_name="Mrs Adaeze Okonjo",
        severity=Severity.THREATENING,
        rule="title-surname",
        scores=Scores(threatening=0.93, abusive=0.05, neutral=0.02),
        reasons=(
            Reason(start=22, end=36, text="watch her back", weight=0.61),
            Reason(start=51, end=67, text="know which car is", weight=0.22),
            Reason(start=72, end=73, text="🔪", weight=0.31),
        ),
    )


@pytest.fixture
def concern(threat: MentionView) -> AlertView:
    return AlertView(
        kind=AlertKind.CONCERN,
        urgency=Urgency.NOW,
        recipient=HEAD,
        sent_at=SEEN,
        reference="SM-2026-0007",
        mentions=(threat,),
        told_also=("the chair of governors",),
        ack_code="K7QF-2M",
    )


@pytest.fixture
def abuse(post: PostView) -> MentionView:
    return MentionView(
        post=post,
        target_name="Mr Daniel Kay",
        severity=Severity.ABUSIVE,
        certainty=Certainty.LESS_SURE,
        flags=frozenset({Flag.PILE_ON}),
        rule="full-name",
        scores=Scores(threatening=0.1, abusive=0.75, neutral=0.15),
        reasons=(Reason(start=0, end=12, text="lying toad", weight=0.5),),
    )


@pytest.fixture
def digest(threat: MentionView, abuse: MentionView) -> DigestView:
    return DigestView(
        recipient=HEAD,
        since=datetime(2026, 11, 13, 7, tzinfo=UTC),
        until=datetime(2026, 11, 20, 7, tzinfo=UTC),
        posts_read=1843,
        matched=14,
        sources_read=11,
        alerts_sent=1,
        rows=tuple(
            DigestRow(why, MentionView(abuse.post, abuse.target_name, Severity.NEUTRAL))
            for why in (
                DigestReason.NEUTRAL,
                DigestReason.NEUTRAL,
                DigestReason.MILD,
                DigestReason.POSSIBLE,
            )
        ),
        blind=(
            Blind(
                source="Northshire Echo comments",
                since=datetime(2026, 11, 17, 3, tzinfo=UTC),
                until=datetime(2026, 11, 17, 9, 30, tzinfo=UTC),
                why="the server did not answer in time",
            ),
        ),
    )


@pytest.fixture
def broken_source() -> OperatorView:
    return OperatorView(
        event=OperatorEvent.SOURCE_BROKEN,
        recipient=Recipient("Sam Pryce", Role.ADMINISTRATOR),
        at=SEEN,
        subject_of="town-forum",
        detail="HTML instead of a feed (https://forum.dunnowby.example/rss)",
        since=datetime(2026, 11, 20, 12, 5, tzinfo=UTC),
    )
