"""Rows as the very characters that were sealed about them, so that no entry need be opened.

A disclosure is base64url of `["SALT","NAME",VALUE]` (docs/evidence-format.md). With our salts of 16
bytes the first 32 characters are the bracket and the salt; what follows depends on name and value
alone, so it can be written from the row and compared as it stands. Where it is another, nothing is
known yet: `rowcheck` opens the entry, compares the values, and says what differs.

Rows come and go by columns: a list for each field, with one item for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from monitor.evidence.entries import PROGRAM
from monitor.evidence.leaf import Json
from monitor.evidence.verify import BLOB_FIELD, WARC_FIELD
from monitor.storage.written import (
    UnlikeError,
    answers,
    confidences,
    demand_text,
    ends,
    ends_of_few,
    matches,
    moments,
    plain_texts,
    reasons,
    truths,
    whole,
    written,
)

Columns: TypeAlias = Sequence[Sequence[Any]]


class Resealed(NamedTuple):
    """What stands in the entries of some rows.

    `at` are their times (None: no row says it). `own` are the public fields that are hardly ever
    the same in two entries, each with its values in JSON; `public` are the others, named by `says`.
    `ends` are what follows the salts of the disclosures, by name; `blobs` are the digests of those
    that name blobs, likewise.

    `before` is what stands openly before the times (empty: nothing). `few` has all that can follow
    the salts where no row says which. Without the names that are `needed` nothing can be said.
    """

    at: Sequence[bytes] | None
    own: Mapping[bytes, Sequence[bytes]]
    says: tuple[str, ...]
    public: Sequence[tuple[Json, ...]]
    ends: Mapping[str, Sequence[bytes]]
    blobs: Mapping[str, Sequence[str]]
    before: Sequence[bytes] = ()
    few: Mapping[str, frozenset[bytes]] = {}
    needed: frozenset[str] = frozenset()


SYNCHRONISED: Final = "clock.synchronised"
"""What stands in the entry's field `clock` under that name."""

POST: Final = (
    "entry_index", "erased_by", "captured_at", "first_seen_at", "platform", "native_id", "version",
    "source", "url", "title", "text", "thread", "author_handle", "author_name", "author_native_id",
    "author_url", "published", "published_raw", "dated_by", "media_urls_json", "raw_sha256",
    "warc_sha256", "raw_media_type", "raw_offset", "answer_json", "clock_synchronised", "scope",
)  # fmt: skip


def posts(columns: Columns) -> Resealed:
    """The columns of `POST`.

    Raises:
        UnlikeError: none of them was sealed like one of these rows.
    """
    (
        _index, _erased, captured, first_seen, platform, native_id, version,
        source, url, title, text, thread, handle, name, author_id, author_url,
        published, published_raw, dated_by, media, raw_sha256, warc_sha256,
        media_type, offset, answer, synchronised, scope,
    ) = columns  # fmt: skip
    demand_text(
        platform, native_id, version, source, url, title, text, thread, handle, name, author_id,
        author_url, published_raw, dated_by, raw_sha256, warc_sha256, media_type, scope,
    )  # fmt: skip
    words, headings, at = written(text), written(title), moments(captured)
    _demand_versions(headings, words, version)
    authors = list(zip(handle, name, author_id, author_url, strict=True))
    dates = [
        {"as_given": given, "at": None if time is None else f"{time}+00:00", "field": field}
        for given, time, field in zip(published_raw, moments(published), dated_by, strict=True)
    ]
    return Resealed(
        [f"{time}Z".encode() for time in at],
        {
            b'"captured_at":': written([f"{time}+00:00" for time in at]),
            b'"first_seen_at":': written([f"{time}+00:00" for time in moments(first_seen)]),
        },
        ("platform", "scope", "source", SYNCHRONISED),
        list(zip(platform, scope, source, truths(synchronised), strict=True)),
        {
            "answer": ends("answer", answers(answer)),
            "author": ends_of_few("author", authors, _authors),
            "media_urls": ends_of_few("media_urls", media, plain_texts),
            "native_id": ends("native_id", written(native_id)),
            "published": ends("published", written(dates)),
            "raw_media_type": ends_of_few("raw_media_type", media_type),
            "raw_offset": ends("raw_offset", written(whole(offset))),
            "raw_sha256": ends("raw_sha256", written(raw_sha256)),
            "text": ends("text", words),
            "thread": ends_of_few("thread", thread),
            "title": ends("title", headings),
            "url": ends("url", written(url)),
            "version": ends("version", written(version)),
            "warc_sha256": ends("warc_sha256", written(warc_sha256)),
        },
        {BLOB_FIELD: raw_sha256, WARC_FIELD: warc_sha256},
    )


def _authors(authors: Sequence[tuple[str, str, str, str]]) -> list[bytes]:
    return written(
        [
            {"handle": handle, "name": name, "native_id": native_id, "url": url}
            for handle, name, native_id, url in authors
        ]
    )


def _demand_versions(headings: list[bytes], words: list[bytes], versions: Sequence[str]) -> None:
    """Check that the versions of posts are as `Post.version` has them."""
    found = [
        sha256(b"[%b, %b]" % both).hexdigest()[:16] for both in zip(headings, words, strict=True)
    ]
    if found != list(versions):
        raise UnlikeError


MENTION: Final = (
    "entry_index", "erased_by", "target_kind", "target_id", "certainty", "matches_json",
    "first_look", "platform", "native_id", "version",
)  # fmt: skip
OF_MENTION: Final = ("entry_index", "platform", "native_id", "version")
"""What is needed of the mention's post, and stands after the columns of `MENTION`."""


def mentions(columns: Columns) -> Resealed:
    """The columns of `MENTION` and `OF_MENTION`.

    Raises:
        UnlikeError: as `posts` does.
    """
    _index, _erased, kind, target, certainty, found, first_look, *names = columns[: len(MENTION)]
    post_entry, *of_post = columns[len(MENTION) :]
    if names != of_post:
        raise UnlikeError
    demand_text(kind, target, certainty)
    targets = list(zip(target, kind, strict=True))
    return Resealed(
        None,
        {b'"post_entry":': written(whole(post_entry))},
        ("certainty", "first_look"),
        list(zip(certainty, truths(first_look), strict=True)),
        {
            "matches": ends("matches", matches(found)),
            "target": ends_of_few("target", targets, _targets),
        },
        {},
    )


def _targets(targets: Sequence[tuple[str, str]]) -> list[bytes]:
    return written([{"id": number, "kind": kind} for number, kind in targets])


GRADE: Final = (
    "entry_index", "at", "severity", "unsure", "scores_json", "flags_json", "reasons_json", "by",
    "model", "note",
)  # fmt: skip
OF_GRADE: Final = ("entry_index",)
"""What is needed of the grade's mention, and stands after the columns of `GRADE`."""


def grades(columns: Columns) -> Resealed:
    """The columns of `GRADE` and `OF_GRADE`.

    Raises:
        UnlikeError: as `posts` does.
    """
    _index, at, severity, unsure, scores, flags, why, by, model, note, mention_entry = columns
    demand_text(severity, by, model, note)
    graded_by = [who if who in PROGRAM else "person" for who in by]
    return Resealed(
        [f"{time}Z".encode() for time in moments(at)],
        {b'"mention_entry":': written(whole(mention_entry))},
        ("by", "model"),
        list(zip(graded_by, model, strict=True)),
        {
            "flags": ends_of_few("flags", flags, plain_texts),
            "note": ends_of_few("note", note),
            "person": ends_of_few("person", ["" if who in PROGRAM else who for who in by]),
            "reasons": ends("reasons", reasons(why)),
            "scores": ends("scores", confidences(scores)),
            "severity": ends_of_few("severity", severity),
            "unsure": ends_of_few("unsure", truths(unsure)),
        },
        {},
    )


CASE: Final = ("entry_index", "opened_at", "year", "number", "id", "state", "restricted")
NOTE: Final = ("entry_index", "at", "by", "text", "id", "case_id")
"""All columns are read, those too that are not sealed: a row that cannot be read is in doubt."""


def cases(columns: Columns) -> Resealed:
    """The columns of `CASE`.

    Raises:
        UnlikeError: as `posts` does.
    """
    _index, opened, year, number, *_ = columns
    references = _references(year, number)
    return Resealed(
        [f"{time}Z".encode() for time in moments(opened)],
        {b'"reference":': references},
        (),
        [()] * len(references),
        {},
        {},
    )


def notes(columns: Columns) -> Resealed:
    """The columns of `NOTE`, and those of the note's `CASE`.

    Raises:
        UnlikeError: as `posts` does.
    """
    _index, at, by, text, *_ = columns
    _entry, opened, year, number, *_ = columns[len(NOTE) :]
    demand_text(by, text)
    moments(opened)
    references = _references(year, number)
    return Resealed(
        [f"{time}Z".encode() for time in moments(at)],
        {b'"reference":': references},
        (),
        [()] * len(references),
        {"by": ends_of_few("by", by), "text": ends("text", written(text))},
        {},
    )


def _references(years: Sequence[Any], numbers: Sequence[Any]) -> list[bytes]:
    both = zip(whole(years), whole(numbers), strict=True)
    return [f'"SM-{year}-{number:04d}"'.encode() for year, number in both]


def columns_of(table: str, names: Sequence[str]) -> str:
    """Columns of a table, for a query."""
    return ", ".join(f'{table}."{name}"' for name in names)


MANY: Final[Mapping[str, tuple[Callable[[Columns], Resealed], str]]] = {
    "post.captured": (
        posts,
        f"select {columns_of('t', POST)} from post t",  # noqa: S608 - our own names
    ),
    "mention.matched": (
        mentions,
        f"select {columns_of('t', MENTION)}, {columns_of('p', OF_MENTION)} from"  # noqa: S608, ISC004
        " mention t left join post p on p.id = t.post_id",
    ),
    "mention.graded": (
        grades,
        f"select {columns_of('t', GRADE)}, {columns_of('m', OF_GRADE)} from"  # noqa: S608, ISC004
        " grade t left join mention m on m.id = t.mention_id",
    ),
    "case.opened": (
        cases,
        f"select {columns_of('t', CASE)} from casefile t",  # noqa: S608 - our own names
    ),
    "case.noted": (
        notes,
        f"select {columns_of('t', NOTE)}, {columns_of('c', CASE)} from"  # noqa: S608, ISC004
        " case_note t left join casefile c on c.id = t.case_id",
    ),
}
"""The kinds whose rows are many: how some are sealed, and how they are asked for."""
MARKED: Final = frozenset({"post.captured", "mention.matched"})
"""Those whose rows are marked where they were erased."""
