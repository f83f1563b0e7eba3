"""Each captured post as an exhibit: where, who, when, what, with what digest, graded how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from monitor.export.redact import Shown
from monitor.export.wording import (
    CERTAINTY,
    ERASED,
    GRADES,
    PROGRAM,
    WITHHELD,
    Speech,
    exact,
    field,
)

MATCHED: Final = "mention.matched"
PICTURED: Final = "page.pictured"
CAPTURED: Final = "post.captured"
GRADED: Final = "mention.graded"


def of_kind(entries: Sequence[Shown], *prefixes: str) -> list[Shown]:
    """The entries whose kind begins so."""
    return [each for each in entries if each.opened.kind.startswith(prefixes)]


def exhibits_of(entries: Sequence[Shown], reference: str, speech: Speech) -> list[dict[str, Any]]:
    mentions: dict[int, list[Shown]] = {}
    for each in of_kind(entries, MATCHED):
        mentions.setdefault(int(str(each.opened.public["post_entry"])), []).append(each)
    grades: dict[int, list[Shown]] = {}
    for each in of_kind(entries, GRADED):
        grades.setdefault(int(str(each.opened.public["mention_entry"])), []).append(each)
    posts = of_kind(entries, CAPTURED)
    pictures = {each.opened.public["post_entry"]: each for each in of_kind(entries, PICTURED)}
    return [
        _exhibit(f"{reference}/{number:02d}", post, mentions.get(post.index, []), grades)
        | _times(post, speech)
        | {"picture": _picture(pictures.get(post.index), speech)}
        | {
            "about": [_about(m, grades.get(m.index, []), speech) for m in mentions[post.index]]
            if post.index in mentions
            else []
        }
        for number, post in enumerate(posts, start=1)
    ]


def _exhibit(
    number: str, post: Shown, mentions: Sequence[Shown], grades: dict[int, list[Shown]]
) -> dict[str, Any]:
    standing = [grades[each.index][-1] for each in mentions if grades.get(each.index)]
    severities = [field(each, "severity") for each in standing]
    order = [*GRADES, WITHHELD, ERASED]
    gravest = min(severities, key=order.index, default="") if severities else ""
    return {
        "number": number,
        "entry": post.index,
        "entries": [post.index, *(each.index for each in mentions)],
        "grade": gravest,
        "platform": field(post, "platform"),
        "source": field(post, "source"),
        "url": field(post, "url"),
        "identity": field(post, "native_id"),
        "version": field(post, "version"),
        "author": _author(post),
        "title": field(post, "title"),
        "text": field(post, "text"),
        "thread": field(post, "thread"),
        "media": _listed(post, "media_urls"),
        "digest": field(post, "raw_sha256"),
        "media_type": field(post, "raw_media_type"),
        "answer": _answer(post),
        "first_look": bool(post.get("first_look")),
        "erased": post.erased,
        "program": field(post, "program"),
        "leaf": post.leaf_hash.hex(),
    }


def _times(post: Shown, speech: Speech) -> dict[str, Any]:
    published = post.get("published")
    claimed, how = field(post, "published") if published is None else "", ""
    if isinstance(published, dict):
        how = str(published.get("as_given") or "")
        at = published.get("at")
        claimed = speech.moment(datetime.fromisoformat(str(at))) if at else "not given"
        if published.get("field") == "updated":
            claimed += " (the time of its last change)"
    seen = post.get("first_seen_at")
    first = datetime.fromisoformat(str(seen)) if seen else post.opened.at
    return {
        "published": claimed,
        "published_as_given": how,
        "first_seen": speech.moment(first),
        "captured": speech.moment(post.opened.at),
        "captured_exact": exact(post.opened.at),
        "clock": _clock(post.get("clock")),
    }


def _picture(entry: Shown | None, speech: Speech) -> dict[str, Any] | None:
    """The picture of the page, where one was taken; its digest is empty where it is withheld."""
    if entry is None or entry.erased:
        return None
    digest = entry.get("picture_sha256")
    return {
        "digest": digest if isinstance(digest, str) else "",
        "entry": entry.index,
        "at": speech.moment(entry.opened.at),
        "notes": _listed(entry, "notes"),
    }


def _clock(state: object) -> str:
    if not isinstance(state, dict):
        return ""
    error = state.get("error_ms")
    if state.get("synchronised"):
        tail = f", error at most {error} ms" if error is not None else ""
        return f"synchronised with network time{tail}"
    if state.get("synchronised") is False:
        return "not synchronised with network time"
    return "not known whether synchronised"


def _author(post: Shown) -> list[list[str]]:
    author = post.get("author")
    if not isinstance(author, dict):
        return [["", field(post, "author")]]
    labels = {"name": "shown as", "handle": "account", "native_id": "account id", "url": "page"}
    rows = [[label, str(author[name])] for name, label in labels.items() if author.get(name)]
    return rows or [["", "not given by the platform"]]


def _answer(post: Shown) -> list[list[str]]:
    answer = post.get("answer")
    if not isinstance(answer, dict):
        shown = field(post, "answer")
        return [["", shown]] if shown else []
    received = answer.get("received_at")
    return [
        ["asked for", str(answer.get("url", ""))],
        ["answered", f"HTTP status {answer.get('status')}, {answer.get('size')} bytes"],
        ["received", exact(datetime.fromisoformat(str(received))) if received else ""],
        ["SHA-256 of the whole answer", str(answer.get("sha256", ""))],
    ]


def _listed(entry: Shown, name: str) -> list[str]:
    value = entry.get(name)
    if isinstance(value, list):
        return [str(each) for each in value]
    shown = field(entry, name)
    return [shown] if shown else []


def _about(mention: Shown, grades: Sequence[Shown], speech: Speech) -> dict[str, Any]:
    target = mention.get("target")
    who = speech.name(target.get("id")) if isinstance(target, dict) else field(mention, "target")
    matches = mention.get("matches")
    found = [
        f"“{match.get('text')}” in the {match.get('field')} (rule {match.get('rule')})"
        for match in (matches if isinstance(matches, list) else [])
        if isinstance(match, dict)
    ]
    certainty = str(mention.opened.public.get("certainty", ""))
    return {
        "who": who,
        "certainty": CERTAINTY.get(certainty, certainty),
        "found": found[:3] or ([shown] if (shown := field(mention, "matches")) else []),
        "entry": mention.index,
        "grades": [_grade(each, speech) for each in grades],
    }


def _grade(entry: Shown, speech: Speech) -> dict[str, Any]:
    severity = field(entry, "severity")
    person = entry.opened.public.get("by") == "person"
    reasons = entry.get("reasons")
    words = [
        f"“{reason.get('text')}”"
        for reason in (reasons if isinstance(reasons, list) else [])
        if isinstance(reason, dict)
    ]
    flags = entry.get("flags")
    model = str(entry.opened.public.get("model", ""))
    by = field(entry, "person") if person else PROGRAM
    return {
        "grade": GRADES.get(severity, severity) + (", unsure" if entry.get("unsure") else ""),
        "by": speech.name(by) if person else f"{PROGRAM} ({model})" if model else PROGRAM,
        "at": speech.moment(entry.opened.at),
        "words": words[:6],
        "flags": [str(flag) for flag in flags if not str(flag).startswith("~")]
        if isinstance(flags, list)
        else [],
        "note": field(entry, "note"),
        "entry": entry.index,
    }
