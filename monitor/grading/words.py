"""Closed word lists of the reading: words that people star out, weld to a name, or cannot avoid."""

from __future__ import annotations


def _words(listed: str) -> list[str]:
    return listed.split()


STARRED = tuple(
    _words(
        "fuck fucker fuckers fucking fucked fuckin motherfucker shit shite shitty shits "
        "bullshit cunt cunts bitch bitches bastard bastards wanker wankers twat twats prick "
        "pricks dick dickhead dickheads cock arse arsehole arseholes ass asshole slut sluts "
        "slag slags whore whores nonce nonces paedo pedo paedos rape rapist kill killed killing "
        "die dead stab stabbed stabbing shoot shot murder knife burn bomb beat hang tits pussy "
        "retard retarded faggot fag paki nigger nigga tranny crap bollocks bloody damn hell "
        "piss pissed sex sexy hate gun"
    )
)
"""Words that people write with stars; a pattern of letters and stars that fits none stays."""

WELDED = frozenset(
    _words(
        "a bald book boycott burn burnbook cancel clown clowns confessions creep cringe dead "
        "die expose exposed exposing fake fan fanclub fanpage fans fat feet fire fired getout "
        "go gossip hate haters hates is isa joke kill leaked leaks liar lies like lookalike "
        "looks meme memes nonce not nudes official out outofcontext paedo parody pervert quotes "
        "real resign rip sack sacked sackthe scum shambles shame smells spotted stan stinks "
        "sucks tea the ugly updates watch"
    )
)
"""What people weld to a name in a handle or a hashtag; none is anybody's name."""

ENGLISH = frozenset(
    _words(
        "a about after again all am an and any are as at aye bare be been before but by can "
        "can't could dat dem did didn't dinnae dis do does don't ever every fae ffs fi for from "
        "get go going gonna got had has have he her here hers him his how i i'd i'm i've id if "
        "im in innit is isn't it it's its ive just like lol man me mine more my nae nah never "
        "no not of off ok on one or our out over please pls she should so some still than "
        "thanks that the their them then there these they this those thx to too u up ur us very "
        "was we wee were what when where who why will wis with won't would ya yeah yer yes you "
        "your"
    )
)
"""Words that hold English sentences together, dialects and phone spelling included."""

BREAKING = frozenset(
    _words("and n & but because cos coz cuz if when while who till until unless where then")
)
"""Words that open another clause."""
