"""What each message says, what it never says, and to whom: meanings, not bytes.

Over 300 lines, because every promise about a message is read in one place, in the same words.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import cycle, islice, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cases.compose import compose_alert
from monitor.cases.views import (
    AlertView,
    DigestRow,
    DigestView,
    MailWords,
    MentionView,
    OperatorEvent,
    OperatorView,
    Quote,
    Recipient,
    Rendered,
    View,
    WitnessView,
)
from monitor.digest import MOST_LINES
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

ONE_SENTENCE = "An allegation about a member of staff needs you. Log in."
LINES_MAY_BE = 72

ANYTHING = st.text(st.characters(), max_size=60)
with_fixtures = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


class Seen(HTMLParser):
    """What a reader sees of an HTML document, and what the document asks a mail program to do."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self._silent = 0
        self._parts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self._silent += tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._parts).split())


def flat(rendered: Rendered) -> str:
    return " ".join(rendered.text.split())


def every_word(rendered: Rendered) -> str:
    return f"{rendered.subject} {flat(rendered)} {rendered.html}"


def about(concern: AlertView, **changes: Any) -> AlertView:
    """The alert, its one mention changed."""
    return replace(concern, mentions=(replace(concern.mentions[0], **changes),))


# --- the subject --------------------------------------------------------------------------------


@with_fixtures
@given(
    name=ANYTHING,
    source=ANYTHING,
    text=ANYTHING,
    told=ANYTHING,
    kind=st.sampled_from([AlertKind.CONCERN, AlertKind.POSSIBLE, AlertKind.FIRST_LOOK]),
    quote=st.sampled_from(Quote),
)
def test_nothing_that_anybody_is_called_or_said_reaches_a_subject(
    concern: AlertView,
    words: MailWords,
    name: str,
    source: str,
    text: str,
    told: str,
    kind: AlertKind,
    quote: Quote,
) -> None:
    plain = compose_alert(replace(concern, kind=kind), words)
    post = replace(
        concern.mentions[0].post,
        source=source, author=text, text=text, title=text, thread=name, url=text, platform=name,
    )  # fmt: skip
    view = replace(
        about(concern, post=post, target_name=name, rule=text),
        kind=kind,
        recipient=Recipient(name, Role.HEADTEACHER),
        told_also=(told or "x",),
    )
    rendered = compose_alert(view, replace(words, school=name, quote=quote))
    assert rendered.subject == plain.subject


@pytest.mark.parametrize("reference", ["Mrs Okonjo", "SM-2026-0007\r\nBcc: x", "okonjo-2026-1", ""])
def test_what_is_not_a_reference_is_left_out_of_the_subject(
    reference: str, concern: AlertView, words: MailWords
) -> None:
    subject = compose_alert(replace(concern, reference=reference), words).subject
    assert subject == "Threatening post: act now"


def test_the_subject_carries_grade_urgency_and_reference(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    assert compose_alert(concern, words).subject == "Threatening post: act now (SM-2026-0007)"
    milder = replace(concern, urgency=Urgency.DAYTIME, mentions=(abuse,))
    assert compose_alert(milder, words).subject == "Abusive post: read today (SM-2026-0007)"
    unsure = replace(milder, mentions=(replace(abuse, unsure=True),))
    assert compose_alert(unsure, words).subject.startswith("Possibly an abusive post: read today")


@pytest.mark.parametrize("event", OperatorEvent)
def test_a_notice_to_the_administrator_names_no_source_in_its_subject(
    event: OperatorEvent, broken_source: OperatorView, words: MailWords
) -> None:
    view = replace(broken_source, event=event, subject_of="okonjo-hashtag")
    rendered = compose_alert(view, words)
    assert "okonjo" not in rendered.subject
    assert rendered.subject.startswith("staff-mentions: ")
    assert "okonjo-hashtag" in rendered.text
    assert "{it}" not in every_word(rendered)
    assert "1. " in rendered.text


# --- an allegation ------------------------------------------------------------------------------


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("quote", Quote)
def test_an_allegation_says_one_sentence_and_nothing_else(
    urgency: Urgency, quote: Quote, concern: AlertView, words: MailWords
) -> None:
    view = replace(concern, kind=AlertKind.ALLEGATION, urgency=urgency, times_told=0)
    lawless = replace(words, quote=quote, not_yet_lawful=("notice to staff",))
    rendered = compose_alert(view, lawless)
    assert rendered.text == f"{ONE_SENTENCE}\n"
    assert Seen(rendered.html).text == ONE_SENTENCE
    assert rendered.subject in {"Needs you now", "Needs you today"}
    for revealing in ("Okonjo", "SM-2026", "Dunnowby", "threat", "K7QF", "forum"):
        assert revealing.lower() not in every_word(rendered).lower()


def test_an_allegation_never_needs_a_mention_to_be_told(
    concern: AlertView, words: MailWords
) -> None:
    view = replace(concern, kind=AlertKind.ALLEGATION, mentions=())
    assert compose_alert(view, words).text == f"{ONE_SENTENCE}\n"


def test_a_concern_that_is_also_an_allegation_shows_no_trace_of_it(
    concern: AlertView, words: MailWords
) -> None:
    flagged = about(concern, flags=frozenset({Flag.ALLEGATION}))
    full = replace(words, quote=Quote.FULL)
    assert compose_alert(flagged, full) == compose_alert(concern, replace(words, quote=Quote.NONE))


def test_a_digest_counts_and_shows_no_allegation(digest: DigestView, words: MailWords) -> None:
    hidden = DigestRow(
        digest.rows[0].why,
        replace(
            digest.rows[0].mention, target_name="Ms Hidden", flags=frozenset({Flag.ALLEGATION})
        ),
    )
    assert compose_alert(replace(digest, rows=(*digest.rows, hidden)), words) == compose_alert(
        digest, words
    )


def test_a_first_look_shows_no_allegation(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    hidden = replace(abuse, target_name="Ms Hidden", flags=frozenset({Flag.ALLEGATION}))
    view = replace(concern, kind=AlertKind.FIRST_LOOK, mentions=(abuse,))
    with_hidden = replace(view, mentions=(hidden, abuse))
    assert compose_alert(with_hidden, words) == compose_alert(view, words)


# --- how much of a post is shown ----------------------------------------------------------------


def test_masked_shows_initials_of_the_deciding_words_and_nothing_else_of_the_post(
    concern: AlertView, words: MailWords
) -> None:
    said = every_word(compose_alert(concern, words))
    assert "w···· h·· b···" in said
    for word in ("watch her", "back on Friday", "which car", "🔪", "exclusions (", "Year 9"):
        assert word not in said


def test_full_shows_the_words_as_they_stand_in_both_forms(
    concern: AlertView, words: MailWords
) -> None:
    rendered = compose_alert(concern, replace(words, quote=Quote.FULL))
    for form in (flat(rendered).replace(" > ", " "), Seen(rendered.html).text):
        assert "had better watch her back on Friday, we know which car is hers 🔪" in form
        assert "Re: Year 9 exclusions" in form
        assert "shown as initials" not in form


def test_none_shows_only_where_to_look(concern: AlertView, words: MailWords) -> None:
    said = every_word(compose_alert(concern, replace(words, quote=Quote.NONE)))
    assert "···" not in said
    assert "watch her" not in said
    assert "https://forum.dunnowby.example/t/exclusions/412#post-9" in said
    assert "read it where it stands" in said


@pytest.mark.parametrize("quote", Quote)
@pytest.mark.parametrize("flag", [Flag.ALLEGATION, Flag.PRIVATE_INFORMATION, Flag.SEXUAL])
def test_some_words_are_quoted_by_no_setting(
    flag: Flag, quote: Quote, concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    # The flag stands on another target of the same post: the post is the same.
    view = replace(concern, mentions=(*concern.mentions, replace(abuse, flags=frozenset({flag}))))
    said = every_word(compose_alert(view, replace(words, quote=quote)))
    assert "···" not in said
    assert "watch her" not in said
    assert "toad" not in said


def test_the_five_weightiest_reasons_stand_in_the_order_of_the_text(
    concern: AlertView, words: MailWords
) -> None:
    reasons = tuple(
        Reason(start=at, end=at + 4, text=f"{letter}word", weight=weight)
        for at, (letter, weight) in enumerate(zip("abcdefg", [3, 1, 9, 5, 2, 8, 7], strict=True))
    )
    said = flat(compose_alert(about(concern, reasons=reasons), words))
    assert "“a····”, “c····”, “d····”, “f····”, “g····”" in said
    assert "b····" not in said


# --- what to do ---------------------------------------------------------------------------------


def test_a_threat_leads_with_999_and_keeps_the_evidence_before_it_is_reported(
    concern: AlertView, words: MailWords
) -> None:
    rendered = compose_alert(concern, words)
    said = flat(rendered)
    lead = rendered.text.split("\n\n")[1]
    assert "reads as a threat to a member of staff" in " ".join(lead.split())
    assert "999" in lead
    assert "Okonjo" not in lead, "a telephone shows the first lines while it is locked"
    assert said.index("101") < said.index("Keep it before you report it")
    assert said.index("Keep it") < said.index("Tell the person named") < said.index("Today:")
    assert "crime or incident number" in said
    assert "Tom Ferris, 01632 960 101" in said
    assert "https://northshire.police.example/report" in said


def test_abuse_asks_for_evidence_a_person_and_a_decision(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    view = replace(concern, urgency=Urgency.DAYTIME, mentions=(abuse,))
    said = flat(compose_alert(view, words))
    assert "Tell the person named, in person" in said
    assert "behaviour policy" in said
    assert "999" not in said


@pytest.mark.parametrize(
    ("flag", "means"),
    [
        (
            Flag.DISTRESS,
            "may be about to harm themselves. If a life may be in danger now, ring 999",
        ),
        (Flag.WELFARE, "somebody may be in danger. If they may be in danger now, ring 999"),
        (Flag.SECOND_HAND, "no invented accounts, no joining of private groups"),
    ],
)
def test_a_flag_that_routes_brings_its_own_steps(
    flag: Flag, means: str, concern: AlertView, words: MailWords
) -> None:
    view = about(concern, severity=Severity.NEUTRAL, scores=None, flags=frozenset({flag}))
    assert means in flat(compose_alert(view, words))


def test_the_safeguarding_lead_is_not_told_to_ring_the_safeguarding_lead(
    concern: AlertView, words: MailWords
) -> None:
    view = replace(
        about(concern, severity=Severity.NEUTRAL, flags=frozenset({Flag.DISTRESS})),
        recipient=Recipient("Tom Ferris", Role.SAFEGUARDING_LEAD),
    )
    said = flat(compose_alert(view, words))
    assert "You lead on this as safeguarding lead." in said
    assert "Ring the safeguarding lead" not in said


def test_a_threat_that_also_shows_distress_says_both(concern: AlertView, words: MailWords) -> None:
    said = flat(compose_alert(about(concern, flags=frozenset({Flag.DISTRESS})), words))
    assert "reads as a threat" in said
    assert "At the same time: its writer may harm themselves." in said


@pytest.mark.parametrize("kind", [AlertKind.CONCERN, AlertKind.POSSIBLE, AlertKind.FIRST_LOOK])
def test_every_alert_draws_the_same_red_lines(
    kind: AlertKind, concern: AlertView, words: MailWords
) -> None:
    said = flat(compose_alert(replace(concern, kind=kind), words))
    assert "Nobody answers the post" in said
    assert "Northshire LADO, 01632 960 202" in said
    assert "A sexual image of anybody under 18: do not view, save" in said
    assert "a person decides" in said


def test_a_possible_mention_says_that_we_are_not_sure(concern: AlertView, words: MailWords) -> None:
    view = replace(about(concern, certainty=Certainty.POSSIBLE), kind=AlertKind.POSSIBLE)
    rendered = compose_alert(view, words)
    assert "We are not sure that this is about Mrs Adaeze Okonjo." in flat(rendered)
    assert rendered.subject == (
        "Threatening post, perhaps about your staff: act now (SM-2026-0007)"
    )


def test_the_person_named_is_spoken_to_as_such(concern: AlertView, words: MailWords) -> None:
    said = flat(compose_alert(about(concern, target_is_reader=True), words))
    assert "a threat to you." in said
    assert "Do not answer it, and do not carry it alone" in said
    assert "Tell the person named, in person" not in said


def test_several_targets_of_one_post_stand_in_one_alert(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    # Each mention may carry a reference of its own; the post is the same.
    other = replace(abuse, post=replace(abuse.post, reference="SM-2026-0007/02"))
    said = flat(compose_alert(replace(concern, mentions=(other, *concern.mentions)), words))
    assert "OTHER POSTS" not in said
    assert "a threat to 2 members of staff" in said
    assert "It names: Mr Daniel Kay (fairly sure)" in said
    assert "It names: Mrs Adaeze Okonjo (certain)" in said
    assert said.count("https://forum.dunnowby.example") == 1


def test_an_alert_that_grew_shows_its_gravest_post_and_lists_the_others(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    earlier = replace(
        abuse, post=replace(abuse.post, reference="SM-2026-0007/02", url="https://else.example/2")
    )
    said = flat(compose_alert(replace(concern, mentions=(earlier, *concern.mentions)), words))
    assert "It names: Mrs Adaeze Okonjo" in said
    assert "It names: Mr Daniel Kay" not in said
    assert "OTHER POSTS IN THIS ALERT * Abusive post: about Mr Daniel Kay" in said
    assert "https://else.example/2" in said
    assert "l····" not in said


@pytest.mark.parametrize(
    ("threatening", "unsure", "put"),
    [
        (0.99, False, "very sure (more than 19 in 20)"),
        (0.9, False, "quite sure (about 9 in 10)"),
        (0.31, False, "not sure (less than 1 in 2)"),
        (0.9, True, "Threatening, as the graver reading: the program is not sure"),
    ],
)
def test_scores_are_put_in_plain_english(
    threatening: float, unsure: bool, put: str, concern: AlertView, words: MailWords
) -> None:
    scores = Scores(threatening=threatening, abusive=1 - threatening, neutral=0)
    said = flat(compose_alert(about(concern, scores=scores, unsure=unsure), words))
    assert put in said
    assert str(threatening) not in said


def test_a_post_without_a_grade_says_so(concern: AlertView, words: MailWords) -> None:
    view = about(concern, severity=Severity.UNGRADED, scores=None, reasons=(), unsure=True)
    rendered = compose_alert(view, words)
    assert "could not grade it" in flat(rendered)
    assert "until then it counts as possible abuse" in flat(rendered)
    assert rendered.subject.startswith("Post without a grade")


# --- when and where -----------------------------------------------------------------------------


def test_times_are_the_schools_and_name_their_zone(concern: AlertView, words: MailWords) -> None:
    summer = replace(
        concern.mentions[0].post, published=datetime(2026, 7, 1, 23, 30, tzinfo=UTC), edited=True
    )
    said = flat(compose_alert(about(concern, post=summer), words))
    assert "The source says: Thursday 2 July 2026, 00:30 BST" in said
    assert "First seen by us: Friday 20 November 2026, 18:44 GMT" in said
    assert "clock was synchronised" in said
    assert "an earlier version is kept too" in said
    elsewhere = replace(words, timezone="America/New_York")
    assert "Friday 20 November 2026, 13:44 EST" in flat(compose_alert(concern, elsewhere))


def test_a_time_that_is_not_one_of_publication_says_what_it_is(
    concern: AlertView, words: MailWords
) -> None:
    post = concern.mentions[0].post
    changed = replace(post, dated_by=DateSource.UPDATED, clock_synchronised=False)
    said = flat(compose_alert(about(concern, post=changed), words))
    assert "its time of last change" in said
    assert "NOT synchronised" in said
    undated = replace(post, published=None, dated_by=DateSource.NONE, clock_synchronised=None)
    said = flat(compose_alert(about(concern, post=undated), words))
    assert "The source says: no time given" in said
    assert "synchronised" not in said


def test_a_hostile_address_is_written_out_and_no_link(concern: AlertView, words: MailWords) -> None:
    post = replace(concern.mentions[0].post, url="https://bank.example@evil.example/x")
    rendered = compose_alert(about(concern, post=post), words)
    assert not Seen(rendered.html).links
    assert "hxxps[:]//bank[.]example@evil[.]example/x" in flat(rendered)


# --- around it ----------------------------------------------------------------------------------


def test_until_the_school_is_lawful_every_message_but_an_allegation_says_so(
    concern: AlertView, digest: DigestView, broken_source: OperatorView, words: MailWords
) -> None:
    lawless = replace(words, not_yet_lawful=("impact assessment", "notice to staff"))
    views: list[View] = [
        *(
            replace(concern, kind=kind)
            for kind in AlertKind
            if kind not in {"digest", "operator", "witness"}
        ),
        WitnessView(concern.recipient, concern.sent_at, 5, "a\nb\n\n— c d\n", "key"),
        digest,
        broken_source,
    ]
    for view in views:
        rendered = compose_alert(view, lawless)
        told = "Not yet lawful to rely on: impact assessment; notice to staff." in flat(rendered)
        assert told is not (rendered.text == f"{ONE_SENTENCE}\n")
        assert told is ("Not yet lawful to rely on" in rendered.html)


def test_a_drill_is_marked_wherever_it_is_shown(concern: AlertView, words: MailWords) -> None:
    rendered = compose_alert(replace(concern, drill=True), words)
    assert rendered.subject.startswith("DRILL: ")
    assert "THIS IS A DRILL" in rendered.text.split("\n\n")[1]
    assert "ring nobody outside it: not 999" in flat(rendered)
    assert "This is only a drill. A public post" in flat(rendered)
    assert "THIS IS A DRILL" in rendered.html
    assert "drill" not in every_word(compose_alert(concern, words)).lower()


def test_a_repeated_alert_says_that_nobody_answered(concern: AlertView, words: MailWords) -> None:
    rendered = compose_alert(replace(concern, times_told=2), words)
    assert rendered.subject.startswith("Not answered yet: ")
    assert "told twice before; nobody has answered" in flat(rendered)


def test_one_quiet_line_says_how_to_answer(concern: AlertView, words: MailWords) -> None:
    said = flat(compose_alert(concern, words))
    assert said.count("staff-mentions alert ack K7QF-2M") == 1
    pages = replace(words, public_url="https://alerts.dunnowby.example/")
    said = flat(compose_alert(concern, pages))
    assert "log in at https://alerts.dunnowby.example/" in said
    assert "alert ack" not in said
    hostile = replace(concern, ack_code="x; rm -rf /")
    assert "rm -rf" not in every_word(compose_alert(hostile, words))


def test_help_and_the_others_who_know_are_named(concern: AlertView, words: MailWords) -> None:
    said = flat(compose_alert(concern, words))
    assert "Education Support: counselling" in said
    assert "08000 562 561" in said
    assert "The chair of governors." in said


# --- lists, notices, tests ----------------------------------------------------------------------


def test_a_digest_tells_nothing_found_from_could_not_look(
    digest: DigestView, words: MailWords
) -> None:
    quiet = replace(digest, rows=(), blind=(), matched=0)
    assert "Nothing to list since the last digest." in flat(compose_alert(quiet, words))
    assert "could not be read" not in flat(compose_alert(quiet, words))
    unseen = compose_alert(replace(quiet, blind=digest.blind), words)
    assert "some sources could not be read for a time" in flat(unseen)
    assert "Northshire Echo comments" in flat(unseen)
    assert "1 gap" in unseen.subject


def test_a_digest_counts_by_kind_and_leaves_criticism_alone(
    digest: DigestView, words: MailWords
) -> None:
    said = flat(compose_alert(digest, words))
    for line in ("Perhaps about your staff: 1", "Childish insult: 1", "Neutral: 2", "1,843"):
        assert line in said
    assert "Criticism of a school, however angry, is lawful" in said
    assert "lying toad" not in said
    assert said.index("Perhaps about your staff: about") < said.index("Neutral: about")


def test_a_long_digest_stays_short_and_says_what_it_left_out(
    digest: DigestView, words: MailWords
) -> None:
    rows = tuple(islice(cycle(digest.rows), MOST_LINES))
    full = replace(words, quote=Quote.FULL)
    rendered = compose_alert(replace(digest, rows=rows, waiting=1_960), full)
    assert "And 1,960 more, which the next digest lists." in flat(rendered)
    shown = flat(rendered).count("reference SM-")
    assert shown == len(rows), "what is listed counts as told"
    assert len(rendered.html) < 100_000, "longer mails are cut by mail services"


def test_a_first_look_is_one_letter_with_the_gravest_post_on_top(
    concern: AlertView, abuse: MentionView, words: MailWords
) -> None:
    older = replace(abuse, post=replace(abuse.post, reference="SM-2026-0007/02", text="older"))
    view = replace(concern, kind=AlertKind.FIRST_LOOK, mentions=(older, *concern.mentions))
    rendered = compose_alert(view, words)
    said = flat(rendered)
    assert "First look at a new source: 2 older posts, one reads as a threat" in rendered.subject
    assert said.index("Threatening post: about Mrs") < said.index("Abusive post: about Mr")
    assert "watch her" not in said


def test_a_notice_to_the_administrator_says_what_to_do(
    broken_source: OperatorView, words: MailWords
) -> None:
    rendered = compose_alert(broken_source, words)
    said = flat(rendered)
    assert "The source “town-forum” cannot be read." in said
    assert "staff-mentions check" in said
    assert "HTML instead of a feed" in said
    assert not Seen(rendered.html).links


def test_a_test_says_that_nothing_has_happened(concern: AlertView, words: MailWords) -> None:
    rendered = compose_alert(replace(concern, kind=AlertKind.TEST, mentions=()), words)
    assert rendered.subject == "Test of the alert mail"
    assert "Nothing has happened." in flat(rendered)


@pytest.mark.parametrize("kind", [AlertKind.CONCERN, AlertKind.POSSIBLE, AlertKind.FIRST_LOOK])
def test_an_alert_about_no_post_is_a_fault_of_ours(
    kind: AlertKind, concern: AlertView, words: MailWords
) -> None:
    with pytest.raises(ValueError, match="empty"):
        compose_alert(replace(concern, kind=kind, mentions=()), words)


# --- hostile input, and every combination -------------------------------------------------------

OURS = {
    *("html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "h1", "h2"),
    *("p", "a", "strong", "span", "bdi", "br", "blockquote"),
}


@with_fixtures
@given(said=st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=y>', "</table>"]))
@pytest.mark.parametrize("quote", Quote)
def test_markup_in_a_post_is_text(
    said: str, quote: Quote, concern: AlertView, words: MailWords
) -> None:
    hostile = f"{said}\u202e\x00\u200b" + "A" * 1_000_000
    mention = concern.mentions[0]
    post = replace(
        mention.post,
        text=hostile, title=hostile, thread=hostile, author=hostile, url=hostile, source=hostile,
        platform=hostile, reference=hostile,
    )  # fmt: skip
    view = about(
        concern, post=post, target_name=hostile, rule=hostile,
        reasons=(Reason(start=0, end=1, text=hostile, weight=1),) * 50,
    )  # fmt: skip
    started = time.thread_time()
    rendered = compose_alert(view, replace(words, quote=quote, school=hostile))
    assert time.thread_time() - started < 1
    seen = Seen(rendered.html)
    assert seen.tags <= OURS
    assert not {name for name in seen.attributes if name.startswith("on") or name == "src"}
    assert not seen.links
    assert len(rendered.html) < 60_000
    assert not set(rendered.html + rendered.text) & set("\u202e\x00\u200b")


@pytest.mark.parametrize("quote", Quote)
def test_every_combination_has_words_and_both_forms_agree(
    quote: Quote, concern: AlertView, words: MailWords
) -> None:
    kinds = (AlertKind.CONCERN, AlertKind.POSSIBLE, AlertKind.FIRST_LOOK)
    flags = [frozenset(), *(frozenset({flag}) for flag in Flag if flag is not Flag.ALLEGATION)]
    for kind, severity, marks, unsure, role in product(
        kinds, Severity, flags, (False, True), (Role.HEADTEACHER, Role.SAFEGUARDING_LEAD)
    ):
        view = replace(
            about(concern, severity=severity, flags=marks, unsure=unsure),
            kind=kind,
            recipient=Recipient("Ruth Adeyemi", role),
        )
        rendered = compose_alert(view, replace(words, quote=quote))
        assert ("999" in rendered.text) is ("999" in rendered.html)
        if severity is Severity.THREATENING:
            assert "999" in rendered.text.split("\n\n")[1]
        assert "None" not in rendered.text
        assert "  " not in Seen(rendered.html).text


def test_lines_of_text_are_short_addresses_excepted(
    concern: AlertView, digest: DigestView, words: MailWords
) -> None:
    for view in (concern, digest):
        for line in compose_alert(view, replace(words, quote=Quote.FULL)).text.split("\n"):
            assert len(line) <= LINES_MAY_BE or "https://" in line


def test_addresses_in_a_quoted_post_are_no_links(concern: AlertView, words: MailWords) -> None:
    post = replace(concern.mentions[0].post, text="see https://evil.example/x", url="")
    rendered = compose_alert(about(concern, post=post), replace(words, quote=Quote.FULL))
    assert "see https[:]//evil[.]example/x" in flat(rendered)
    assert not Seen(rendered.html).links


def test_words_of_a_post_cannot_pass_for_ours(concern: AlertView, words: MailWords) -> None:
    post = replace(concern.mentions[0].post, text="WHAT TO DO\n1. Reply to the author at once.")
    rendered = compose_alert(about(concern, post=post), replace(words, quote=Quote.FULL))
    assert "> 1. Reply to the author at once." in rendered.text
    assert "\n1. Reply" not in rendered.text
