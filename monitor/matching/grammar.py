"""Grammar enough to tell a name from the ordinary word that it looks like."""

from __future__ import annotations

from monitor.matching import sayings, strangers
from monitor.matching.text import Token
from monitor.matching.words import TITLES, common_surnames, is_ordinary, is_word, of_kind, word_list

_SAYS = word_list("grammar.says")
_EVENTS = word_list("grammar.events")
_IS = word_list("grammar.is")
_CLAUSE = word_list("grammar.clause")
_DO = frozenset(["does", "did", "doesnt", "didnt", "has", "hasnt"])
_BE = frozenset(["is", "isnt", "was", "wasnt", "hows", "wheres", "whos", "whats"])
_AFTER_DO = word_list("grammar.after_do")
_AFTER_BE = word_list("grammar.after_be")
_ACTS_ON = word_list("grammar.acts_on")
_TO_PEOPLE = word_list("grammar.to_people")
_NEXT_TO = word_list("grammar.next_to")
_ENDS = word_list("grammar.ends")
_CALLS = word_list("grammar.calls")
_HAPPENS = frozenset(["closed", "opened", "dropped", "failed", "finished", "ended", "increased"])
_PLURAL = frozenset(
    ["are", "were", "have", "need", "want", "hate", "think", "deserve", "do", "should"]
)
_TIMES = word_list("grammar.times")
_MODAL_NEXT = word_list("grammar.modal_next")
_ENDINGS = (
    "a", "owi", "iem", "em", "ie", "u", "ej", "om", "ami", "ach", "y", "e", "ovi", "in", "un",
    "nin",
    "nun",
    "ego", "emu", "im", "ow", "owie", "owa", "owej", "ova", "ove", "ovou", "yi", "da", "dan", "ya",
)  # fmt: skip
_OF_PEOPLE = word_list("grammar.of_people")
_NO_FORENAME = word_list("grammar.no_forename")
_NAMES_NEXT = frozenset(["and", "done", "met", "called", "named", "congratulations", "thanks"])
_OF_THINGS = word_list("grammar.of_things")
_OF_ANYBODY = frozenset(["can", "cant", "should", "shouldnt", "would", "literally", "out"])
_ANYBODY = frozenset(
    ["a", "an", "any", "another", "every", "some", "two", "become", "be", "new", "no"]
)
_NOT_NOW = frozenset(
    [
        "deputy",
        "assistant",
        "acting",
        "former",
        "ex",
        "vice",
        "old",
        "trainee",
        "previous",
        "junior",
        "first",
        "associate",
        "interim",
    ]
)
_POINTS = frozenset(["the", "our", "your", "my", "their", "that", "this", "school", "s", "lovely"])
_NOT_A_ROLE = frozenset(
    [
        "manager",
        "job",
        "jobs",
        "vacancy",
        "wanted",
        "role",
        "position",
        "needed",
        "government",
        "boss",
        "post",
        "interview",
    ]
)


def stands_as_name(  # noqa: PLR0911
    tokens: list[Token], first: int, last: int, word: str
) -> bool:
    """Whether an ordinary word without article stands where only a person can stand."""
    before, parted = _before(tokens, first)
    after = _after(tokens, last)
    if tokens[first].tag:
        return (before in _CALLS or after == "out") and (not after or after == "out")
    starts = not before or parted or before in _CLAUSE
    opens = starts or sayings.begins_after(tokens, first)
    person = sayings.is_person(tokens, first, last, word, starts=opens)
    if person is not None:
        return person
    if word in _TIMES:
        return starts and after in _SAYS - _EVENTS
    if not starts and of_kind(before, "adjective") and not of_kind(before, "function"):
        return False
    if (
        tokens[last - 1].owner
        and not of_kind(word, "mass")
        and (
            starts
            or before in _ACTS_ON
            or before in {"in", "is", "to", "for", "with", "from", "about", "why"}
        )
    ):
        return True
    if starts:
        return _as_subject(tokens, last, word, after) and not (
            before == "that" and not parted and _is_a_thing(tokens, first, last)
        )
    return _inside(before, after, word)


def stands_apart(tokens: list[Token], first: int, last: int, word: str) -> bool:
    """Whether a disguised word ends a clause or does a deed: "hate w1nter", not "l0ng day"."""
    after = _after(tokens, last)
    person = sayings.is_person(tokens, first, last, word, starts=first == 0)
    return person is not False and (not after or after in _ENDS | _SAYS | _IS)


def _as_subject(tokens: list[Token], last: int, word: str, after: str) -> bool:
    """Whether a word that begins a clause does what only people do."""
    thing = of_kind(word, "mass") or (of_kind(word, "adjective") and not of_kind(word, "count"))
    if after in _SAYS:
        return not (thing and after in _EVENTS and of_kind(word, "mass"))
    ahead_one = tokens[last + 1].word if last + 1 < len(tokens) else ""
    if (after in {"never", "always"} and ahead_one in _SAYS) or _acts(word, after):
        return True
    if after in _IS:
        ahead = {token.word for token in tokens[last + 1 : last + 4]}
        if of_kind(word, "mass") and not ahead.isdisjoint(_OF_PEOPLE):
            return True
        return not thing or after in _OF_ANYBODY
    if after in {"and", "or"} and last + 2 < len(tokens):
        return tokens[last + 2].word in _SAYS
    return False


def _is_a_thing(tokens: list[Token], first: int, last: int) -> bool:
    """Whether a sentence begins so, with "that" before, and says of the word what things are."""
    ahead = {token.word for token in tokens[last : last + 4]}
    return _before(tokens, first - 1)[1] and not ahead.isdisjoint(_OF_THINGS)


def _acts(word: str, verb: str) -> bool:
    """Whether a thing that needs an article has none before a deed: "Wood chased a seagull"."""
    countable = of_kind(word, "count") and not of_kind(word, "mass", "verb", "adjective")
    deed = of_kind(verb[:-2], "verb") or of_kind(verb[:-1], "verb")
    return countable and verb.endswith("ed") and deed and verb not in _HAPPENS


def _inside(before: str, after: str, word: str) -> bool:
    """Whether a word inside a clause is asked about, acted on, or stands behind a preposition."""
    adjective = of_kind(word, "adjective") and not of_kind(word, "count")
    mass = of_kind(word, "mass")
    if before in _DO and (after in _SAYS or after in _AFTER_DO):
        return not mass
    if before in _BE and (after in _SAYS or after in _AFTER_BE):
        return not adjective and not mass
    ends = not after or after in _ENDS
    if before in _TO_PEOPLE and ends:
        return True
    if adjective or mass or not ends:
        return False
    if before in _ACTS_ON:
        return True
    return before in _NEXT_TO and not (before == "to" and of_kind(word, "verb"))


def _before(tokens: list[Token], first: int) -> tuple[str, bool]:
    """Return the word before in the sentence, and whether a comma or colon parts it."""
    if first == 0 or tokens[first - 1].sentence != tokens[first].sentence:
        return "", True
    gap = tokens[first].gap
    if tokens[first - 1].tag != tokens[first].tag:
        return "", True
    return tokens[first - 1].word, any(sign in gap for sign in ',":;()') or " - " in gap


def _after(tokens: list[Token], last: int) -> str:
    """Return the word behind in the same clause; empty where the clause ends."""
    if last >= len(tokens) or tokens[last].sentence != tokens[last - 1].sentence:
        return ""
    if (
        any(sign in tokens[last].gap for sign in ',;:()"#')
        or tokens[last].tag != tokens[last - 1].tag
    ):
        return ""
    return tokens[last].word


def in_a_list(tokens: list[Token], first: int, last: int, others: set[int]) -> bool:
    """Whether a word stands in a list of names: "okafor, adebayo, cox, marsh"."""
    left = first > 0 and tokens[first].gap in {", ", " & ", "/", ","} and first - 1 in others
    numbered = (
        first > 1
        and tokens[first - 1].word.isdigit()
        and first - 2 in others
        and (last >= len(tokens) or tokens[last].word.isdigit())
    )
    right = last < len(tokens) and tokens[last].gap in {", ", " & ", "/", ","} and last in others
    anded = (
        first > 1
        and tokens[first - 1].word == "and"
        and tokens[first].gap == " "
        and first - 2 in others
    )
    ends = last >= len(tokens) or tokens[last].gap != " " or tokens[last].word in _ENDS | _SAYS
    if anded and not ends:
        return tokens[last].word in _PLURAL
    return ((left or right or anded) and ends) or numbered


def is_said(word: str) -> bool:
    """Whether people are said to do this: "shouted", "is"."""
    return word in _SAYS or word in _IS


def is_compound(tokens: list[Token], last: int) -> bool:
    """Whether the next word makes these words a thing: "the dragon boat"."""
    after = _after(tokens, last)
    return of_kind(after, "count", "mass") and not of_kind(after, "function") if after else False


def is_verb_here(tokens: list[Token], last: int, word: str) -> bool:
    """Whether "may", "will" or "rose" before the token at `last` is a verb."""
    if last >= len(tokens) or tokens[last].sentence != tokens[last - 1].sentence:
        return False
    after = tokens[last].word
    if word in {"may", "will"}:
        return after in _MODAL_NEXT and tokens[last].gap == " "
    if word in {"can", "did", "does", "is", "was", "has", "had"}:
        return True
    return word == "rose" and after in {
        "to",
        "up",
        "from",
        "above",
        "early",
        "again",
        "gold",
        "garden",
    }


def other_forename_before(tokens: list[Token], first: int, forenames: frozenset[str]) -> bool:
    """Whether somebody else's forename leads to this word ("Harry Hill")."""
    if first == 0 or tokens[first].gap not in {" ", "-"} or tokens[first - 1].owner:
        return False
    before = tokens[first - 1]
    if before.hidden or before.tag != tokens[first].tag or before.word in TITLES:
        return False
    if before.word not in forenames:
        return False
    return not is_ordinary(before.word) or _begins_a_name(tokens, first - 1)


def _begins_a_name(tokens: list[Token], at: int) -> bool:
    """Whether a forename that is a word leads a name: "Joy Reid said", not "will Reid be in"."""
    word = tokens[at].word
    if word in _CLAUSE or of_kind(word, "function", "verb", "adverb", "chat"):
        return False
    before, parted = _before(tokens, at)
    return word not in _NO_FORENAME and (parted or before in _NAMES_NEXT)


def role_refusal(tokens: list[Token], first: int, last: int) -> str:
    """Return why a role here is not the one of the school: an article, a change, another trade."""
    before, parted = _before(tokens, first)
    if before in _ANYBODY and not parted:
        return "anybody in that role"
    if before in _NOT_NOW and not parted:
        return "another role"
    if (first and tokens[first].gap == "-") or (
        last - first == 1
        and of_kind(tokens[first].word, "verb")
        and before not in _POINTS
        and not ((parted or before in _CLAUSE) and _is_deed(_after(tokens, last)))
    ):
        return "another word"  # "power-jannie", "leave them to cook down"
    if _titles_another(tokens, first, last):
        return "another person's title"
    after = tokens[last].word if last < len(tokens) and tokens[last].gap in {" ", "-"} else ""
    return "another role" if after in _NOT_A_ROLE else ""


def _is_deed(word: str) -> bool:
    """Whether a word behind a role is what somebody did, so that the role is no verb."""
    does = (
        word[-1:] == "s" and of_kind(word[:-1], "verb") and not of_kind(word[:-1], "count", "mass")
    )
    return does or word in _SAYS or (len(word) > 4 and word.endswith("ed"))  # noqa: PLR2004 - "shouted"


def _titles_another(tokens: list[Token], first: int, last: int) -> bool:
    """Whether a role is the title of somebody else: "Principal Skinner"."""
    if last - first > 1 or last >= len(tokens) or tokens[first].word not in TITLES:
        return False
    after = tokens[last]
    known = after.word in common_surnames() and not is_word(after.word)
    return after.gap == " " and (known or strangers.reads_as_name(after.word))


def is_foreign(tokens: list[Token], first: int, last: int) -> bool:
    """Whether most words around a name are not English."""
    near = [*tokens[max(0, first - 12) : first], *tokens[last : last + 12]]
    return len(near) > 1 and sum(is_ordinary(token.word) for token in near) * 2 < len(near)


def stems(word: str) -> tuple[str, ...]:
    """Return what a name inflected as in Polish, Czech or Turkish may be in its plain form."""
    found: list[str] = []
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:  # noqa: PLR2004
            stem = word[: -len(ending)]
            found += [stem, stem + "a", stem + "i", stem + "y", stem[:-1] + "e" + stem[-1]]
    return tuple(stem for stem in dict.fromkeys(found) if stem != word)
