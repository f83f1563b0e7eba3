"""Augmentation: what may change in a text without changing its grade, and threads with replies."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.rows import Row

_LEET = str.maketrans("aeiost", "4310$7")
_TWIN = str.maketrans("aeopcxyi", "аеорсхуі")  # noqa: RUF001 - the look-alikes are the point
_OTHER_PEOPLE = [
    "Mr Ashdown",
    "Mrs Bhatt",
    "Ms Cole",
    "Mr Dlamini",
    "Miss Egan",
    "Mr Ferreira",
    "Mrs Grant",
    "Mr Hussain",
    "Miss Ito",
    "Mr Jankowski",
    "Mrs Kaur",
    "Mr Lowe",
    "Ms Mbeki",
    "Mr Nolan",
    "Mrs Osei",
    "Mr Pritchard",
    "Miss Quirk",
    "Mr Rahman",
    "Mrs Sutherland",
    "Mr Tran",
    "Ms Usman",
    "Mr Vance",
    "Mrs Wye",
    "Mr Xu",
    "Miss Yates",
    "Mr Zielinski",
]

# Replies that endorse and replies that condemn what stands above them (ruling 12 of the guide: a
# quotation with approval is the poster's own words; counter-speech is neutral and second-hand).
ENDORSING = [
    "{} count me in",
    "this about {} 👏👏",
    "couldn't have said it better. {}",
    "{} deserves it",
    "facts. {} 💯",
    "same here, {}",
    "I'll help. {}",
    "yes!!! {}",
    "{} had it coming",
    "someone had to say it about {}",
    "amen. {}",
    "preach {}",
    "^^ this, {}",
    "100% agree re {}",
    "sign me up, {}",
    "let's do it. {} won't know what's coming",
    "{} 😂😂 so true",
    "finally somebody says it, {}",
    "im in. {}",
    "where and when? {}",
    "bring it on {}",
    "+1 {}",
    "needed saying about {}",
    "{} lmao yes do it",
    "couldn't agree more about {}",
    "well said, {} asked for it",
]
CONDEMNING = [
    "that's a horrible thing to write about {}, delete it",
    "reported. leave {} alone",
    "nobody should say that about {}",
    "you can't post this about {}, it's a crime",
    "I'm screenshotting this and sending it to the school, {} needs to know",
    "grow up. {} has a family",
    "this is vile, {} does not deserve it",
    "take this down now, poor {}",
    "police should see this. {} should be told",
    "what is wrong with you, {} is a good teacher",
    "not funny. {} could get hurt",
    "please don't talk about {} like that",
    "admin please remove, this is about {}",
    "has anyone told {} about this comment?",
    "shame on you, {} is doing their best",
    "disgusting comment about {}",
]
PLAIN = [
    "is this about {}?",
    "which class does {} have?",
    "tagging {}",
    "what time does {} start",
    "following for {}",
    "{} any news?",
    "does {} still teach year 4",
    "thanks for sharing, {} will see it",
    "I think {} is away today",
    "ask {}",
    "{} ?",
    "has {} replied yet",
    "no idea, try {}",
]


def augmented(rows: list[Row], rng: random.Random) -> list[Row]:
    """Return one epoch's rows: every row once, some of them changed in ways that keep the grade."""
    short = [row for row in rows if row.lang == "en" and len(row.text) < 160]
    plain = [row for row in short if row.grade == "neutral" and row.file.startswith("ordinary")]
    hostile = [row for row in short if row.grade != "neutral"]
    result = [_changed(row, plain, hostile, rng) for row in rows]
    return result + [
        _reply(rng.choice(hostile if rng.random() < 0.8 else plain), rng) for _ in range(500)
    ]


def _changed(row: Row, plain: list[Row], hostile: list[Row], rng: random.Random) -> Row:
    chance = rng.random()
    if chance < 0.05:
        return _rewritten(row, rng, _disguised)
    if chance < 0.15:
        return _rewritten(row, rng, _mistyped)
    if chance < 0.22:
        return _rewritten(row, rng, _bare)
    if chance < 0.26 and row.lang == "en" and len(row.text) < 250:
        return _beside(row, rng.choice(plain), rng)
    if chance < 0.29 and row.grade == "neutral" and len(row.text) < 160:
        return _beside(row, rng.choice(hostile), rng, flags_known=False)
    if chance < 0.36:
        row = replace(row, thread=row.thread or about_another(rng.choice(plain), rng))
    if 0.3 < chance < 0.42:
        row = replace(row, scope=row.scope or "school")
    return row


def disguised(row: Row, rng: random.Random) -> Row:
    """Return the row with words of its text disguised, its mention as it was."""
    return _rewritten(row, rng, _disguised)


def _rewritten(row: Row, rng: random.Random, change: object) -> Row:
    """Apply `change` to the text between mentions, so that the mention stays literal."""
    if not row.mention:
        return row
    parts = row.text.split(row.mention)
    return replace(row, text=row.mention.join(change(part, rng) for part in parts))  # type: ignore[operator]


def _disguised(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for n, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and rng.random() < 0.3:
            trick = rng.randrange(5)
            words[n] = (
                word.translate(_LEET),
                " ".join(word) if len(word) < 8 else word.translate(_TWIN),
                word.translate(_TWIN),
                "\u200b".join(word),
                re.sub(r"([aeiou])", lambda found: found.group(1) * 4, word, count=1),
            )[trick]
    return " ".join(words)


def _mistyped(text: str, rng: random.Random) -> str:
    letters = list(text)
    for n in range(1, len(letters) - 1):
        if letters[n].isalpha() and letters[n + 1].isalpha() and rng.random() < 0.03:
            trick = rng.randrange(3)
            if trick == 0:
                letters[n], letters[n + 1] = letters[n + 1], letters[n]
            else:
                letters[n] = "" if trick == 1 else letters[n] * 2
    return "".join(letters)


def _bare(text: str, rng: random.Random) -> str:
    """Drop apostrophes and stops, and sometimes use the spelling of phones."""
    text = re.sub(r"['\u2019.,!]", "", text)
    if rng.random() < 0.5:
        for long, brief in (
            ("you", "u"),
            ("are", "r"),
            ("your", "ur"),
            ("tomorrow", "tmrw"),
            ("going to", "gonna"),
        ):
            text = re.sub(rf"\b{long}\b", brief, text)
    return text


def about_another(row: Row, rng: random.Random) -> str:
    """Return the text of `row` with somebody else named in it."""
    return row.text.replace(row.mention, rng.choice(_OTHER_PEOPLE))


def _beside(row: Row, other: Row, rng: random.Random, *, flags_known: bool = True) -> Row:
    """Put a text about somebody else before or after this one; the grade towards ours stays."""
    beside = about_another(other, rng)
    stop = "" if beside[-1:] in ".!?" else "."
    own = row.text if row.text[-1:] in ".!?" else f"{row.text}."
    text = f"{beside}{stop} {row.text}" if rng.random() < 0.5 else f"{own} {beside}"
    known = row.known_flags if flags_known else frozenset[str]()
    return replace(row, text=text, known_flags=known)


def _reply(above: Row, rng: random.Random) -> Row:
    """Build a reply whose grade follows from the post above it and from what it does with it."""
    kind = rng.choice((ENDORSING, ENDORSING, CONDEMNING, PLAIN))
    text = rng.choice(kind).format(above.mention)
    hostile = above.grade != "neutral"
    grade = above.grade if kind is ENDORSING else "neutral"
    flags = frozenset({"second-hand"}) if kind is CONDEMNING and hostile else frozenset[str]()
    known = flags | {"second-hand"} if kind is not ENDORSING else frozenset[str]()
    return replace(
        above,
        id=f"reply-{above.id}",
        text=text,
        thread=above.text,
        grade=grade,
        flags=flags,
        known_flags=known,
    )
