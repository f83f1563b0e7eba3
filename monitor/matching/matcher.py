"""The matcher: from a post to the people and schools it is about, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from monitor.matching.answer import Explanation, Refused, Threatens, overruled
from monitor.matching.context import Ties, tie_up
from monitor.matching.found import Found, Ref
from monitor.matching.gate import Gate
from monitor.matching.index import Index
from monitor.matching.names import keys_of
from monitor.matching.people import find_people
from monitor.matching.phrases import handle_key
from monitor.matching.refs import find_refs
from monitor.matching.roster import Roster
from monitor.matching.scene import Hit, Refusal
from monitor.matching.tags import join_broken, split_tags
from monitor.matching.text import Reading
from monitor.model import Certainty, Match, Mention, Post, PostField, Scope, Target, TargetKind

_SURE, _LESS_SURE = 0.8, 0.55
# A source about one school that does not say which may be about any school of a small roster.
_FEW_SCHOOLS = 20


class Matcher:
    """Finds the targets of posts. Built once from a roster, never changed, safe in many threads."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._index = Index(roster)
        self._gate = Gate(self._index)

    def match(
        self,
        post: Post,
        *,
        scope: Scope = Scope.OPEN,
        source_school: str | None = None,
        place: str | None = None,
        threatens: Threatens | None = None,
    ) -> tuple[Mention, ...]:
        """Return one mention for each target of a post, people first, in the order of the roster.

        `scope` is SCHOOL where the source is itself about one school; `source_school` is that
        school's id (not needed where the roster has one school). `place` is the town of a source
        that belongs to it. `threatens` tells a threat: with it, a word that was refused as a mere
        word is kept as possible where the post threatens whoever is called so.
        """
        if scope is Scope.OPEN and place is None and not self._may_matter(post):
            return ()
        return self.explain(
            post, scope=scope, source_school=source_school, place=place, threatens=threatens
        ).mentions

    def match_all(
        self,
        posts: Sequence[Post],
        *,
        scope: Scope = Scope.OPEN,
        source_school: str | None = None,
        place: str | None = None,
        threatens: Threatens | None = None,
    ) -> list[tuple[Mention, ...]]:
        """Return what `match` returns for each post of one source, in the order of the posts.

        The posts of an open source are read in one go, which is quicker.
        """
        if scope is not Scope.OPEN or place is not None:
            return [
                self.match(
                    post,
                    scope=scope,
                    source_school=source_school,
                    place=place,
                    threatens=threatens,
                )
                for post in posts
            ]
        texts = [_read_by_gate(post) if post.title or post.thread else post.text for post in posts]
        wanted = {*self._gate.passing(texts), *self._known_among(posts)}
        found: list[tuple[Mention, ...]] = [()] * len(posts)
        for number in wanted:
            found[number] = self.explain(posts[number], threatens=threatens).mentions
        return found

    def _may_matter(self, post: Post) -> bool:
        return self._gate.passes(_read_by_gate(post)) or self._is_known(post)

    def _known_among(self, posts: Sequence[Post]) -> list[int]:
        return [
            number
            for number, post in enumerate(posts)
            if (post.author.handle or post.author.name) and self._is_known(post)
        ]

    def _is_known(self, post: Post) -> bool:
        """Whether a post was written under an account of the roster: that ties it to a school."""
        author = post.author.handle or post.author.name
        return bool(author) and handle_key(author) in self._index.handles

    def wanted(self, text: str) -> bool:
        """Whether `match` could find something in this text in open scope; never wrongly false."""
        return self._gate.passes(text)

    def explain(
        self,
        post: Post,
        *,
        scope: Scope = Scope.OPEN,
        source_school: str | None = None,
        place: str | None = None,
        threatens: Threatens | None = None,
    ) -> Explanation:
        """Return what `match` returns, with the ties of the post and the candidates it refused."""
        fields = {
            PostField.TEXT: post.text, PostField.TITLE: post.title, PostField.THREAD: post.thread,
        }  # fmt: skip
        readings = {field: Reading(words) for field, words in fields.items() if words}
        refs: dict[str, Found] = {}
        for field, reading in readings.items():
            split_tags(reading, self._index)
            if "-" in reading.text:
                join_broken(reading, self._index)
            refs[field.value] = find_refs(reading, self._index)
        ties, mentioned = tie_up(
            refs,
            self._index,
            scoped=self._scoped(scope, source_school),
            place=place,
            author=post.author.handle or post.author.name,
        )
        found = self._conclude(post, readings, refs, ties, mentioned)
        return found if threatens is None else overruled(post, found, threatens)

    def _scoped(self, scope: Scope, source_school: str | None) -> tuple[int, ...]:
        if source_school is not None:
            number = self._index.school_numbers.get(source_school)
            return () if number is None or scope is not Scope.SCHOOL else (number,)
        few = len(self._index.schools) <= _FEW_SCHOOLS
        return tuple(range(len(self._index.schools))) if scope is Scope.SCHOOL and few else ()

    def _conclude(
        self,
        post: Post,
        readings: dict[PostField, Reading],
        refs: dict[str, Found],
        ties: Ties,
        mentioned: set[int],
    ) -> Explanation:
        authors = self._authors(post)
        matches: dict[tuple[TargetKind, int], list[Match]] = defaultdict(list)
        refused: list[Refused] = []
        for field, reading in readings.items():
            if field is PostField.THREAD:
                continue
            found = find_people(reading, self._index, refs[field.value], ties)
            for hit in found.hits:
                if hit.person in authors:
                    continue
                match = self._person_match(hit, field, reading, ties)
                matches[TargetKind.PERSON, hit.person].append(match)
            refused += [
                self._refused(refusal, field, reading, ties, authors) for refusal in found.refusals
            ]
            for ref in refs[field.value].of(mentioned) if mentioned else ():
                if ref.ref.person < 0 and ref.ref.kind != "place" and ref.ref.school in mentioned:
                    match = self._school_match(ref, field, reading, ties)
                    matches[TargetKind.SCHOOL, ref.ref.school].append(match)
        return Explanation(
            tuple(_mention(post, matches[target]) for target in sorted(matches)),
            tuple(refused),
            tuple(
                (self._index.schools[school].id, ties.words(school))
                for school in sorted(ties.schools())
            ),
        )

    def _authors(self, post: Post) -> set[int]:
        """Return the people who wrote the post themselves: author, not subject."""
        found = set()
        for handle in (post.author.handle, post.author.name):
            for ref in self._index.handles.get(handle_key(handle) if handle else "", ()):
                if ref.person >= 0:
                    found.add(ref.person)
        for name in (post.author.name, post.author.handle):
            surnames, forenames = keys_of(name) if name else ((), ())
            for surname in surnames:
                for forename in forenames[:1]:
                    found.update(self._index.named(surname, forename))
        return found

    def _person_match(self, hit: Hit, field: PostField, reading: Reading, ties: Ties) -> Match:
        if hit.first >= 0:
            start, end = _stretch(reading, hit.first, hit.last)
        else:
            start, end = reading.folded.span(hit.start, hit.end)
        person = self._index.people[hit.person]
        rule = f"{hit.rule}+{hit.how}" if hit.how and hit.how != hit.rule else hit.rule
        return Match(
            Target(TargetKind.PERSON, person.id), field, rule, start, end,
            reading.folded.original[start:end], round(hit.confidence, 2),
            ties.words(self._index.school_of(hit.person)),
        )  # fmt: skip

    def _refused(
        self,
        refusal: Refusal,
        field: PostField,
        reading: Reading,
        ties: Ties,
        authors: set[int],
    ) -> Refused:
        start, end = _stretch(reading, refusal.first, refusal.last)
        person = self._index.people[refusal.person]
        context = ties.words(self._index.school_of(refusal.person))
        return Refused(
            Target(TargetKind.PERSON, person.id), field, start, end,
            reading.folded.original[start:end], refusal.why,
            refusal.unless_threat and refusal.person not in authors, context,
        )  # fmt: skip

    def _school_match(self, ref: Ref, field: PostField, reading: Reading, ties: Ties) -> Match:
        start, end = reading.folded.span(ref.start, ref.end)
        school = self._index.schools[ref.ref.school]
        return Match(
            Target(TargetKind.SCHOOL, school.id), field, f"school-{ref.ref.kind}", start, end,
            reading.folded.original[start:end], 0.95, ties.words(ref.ref.school),
        )  # fmt: skip


def _read_by_gate(post: Post) -> str:
    """Return all that a post says, as the gate reads it."""
    if post.title or post.thread:
        return f"{post.title}\n{post.text}\n{post.thread}"
    return post.text


def _stretch(reading: Reading, first: int, last: int) -> tuple[int, int]:
    return reading.folded.span(reading.tokens[first].start, reading.tokens[last - 1].end)


def _mention(post: Post, matches: list[Match]) -> Mention:
    ordered = tuple(
        sorted(matches, key=lambda match: (-match.confidence, match.field, match.start, match.rule))
    )
    best = ordered[0].confidence
    certainty = (
        Certainty.CERTAIN if best >= _SURE
        else Certainty.LESS_SURE if best >= _LESS_SURE
        else Certainty.POSSIBLE
    )  # fmt: skip
    return Mention(post, ordered[0].target, certainty, ordered)
