"""What happens in the demonstration's minute: an invented school, its config, and the posts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.demo.feeds import FeedPost

FORUM, NEWS, BLOG = "town-forum", "school-news", "parents-blog"


@dataclass(frozen=True, slots=True)
class Scene:
    """A post, when it is published (seconds after the start), and what it is about in words."""

    after: float
    about: str
    post: FeedPost


SCRIPT = (
    Scene(0, "a thank-you from last week", FeedPost(
        NEWS, "n1", "PTA", "Summer fair",
        "Thank you Mrs Okonjo and Mr Pell for running the fair!")),
    Scene(0, "a lost scarf", FeedPost(
        FORUM, "f1", "marcus_t", "Lost scarf", "Grey scarf lost outside Larkfield Academy.")),
    Scene(0, "an older insult, there before the watch began", FeedPost(
        FORUM, "f2", "gritbin", "parking again",
        "Mr Pell at Larkfield Academy is a pathetic little worm, everyone despises him.")),
    Scene(0, "a walk", FeedPost(
        BLOG, "b1", "Harriet", "Half term", "We walked to the reservoir and saw a heron.")),
    Scene(8, "a match report (nobody should hear of it at once)", FeedPost(
        NEWS, "n2", "PE", "Under 13s",
        "Miss Adeyemi's under 13s destroyed Harrow Lane 6-1. Miss Adeyemi was shooting all over"
        " the place in the warm-up!")),
    Scene(16, "a complaint, angry but fair (the digest)", FeedPost(
        BLOG, "b2", "Harriet", "Parents' evening",
        "Worst parents' evening ever at Larkfield Academy. Mrs Okonjo had no idea who my son was."
        " A formal complaint is going in.")),
    Scene(24, "abuse of a member of staff", FeedPost(
        FORUM, "f3", "gritbin", "that teacher",
        "Miss Adeyemi at Larkfield Academy is a disgusting fat cow and thick as mince,"
        " everyone make sure she knows it")),
    Scene(32, "a stranger of the same name (nobody)", FeedPost(
        FORUM, "f4", "plumbline", "Boiler",
        "Can recommend Mr Pell the plumber in Aldermoor, fixed our boiler in an hour.")),
    Scene(40, "a veiled threat to a member of staff", FeedPost(
        FORUM, "f5", "nightowl88", "re: detentions",
        "Mr Pell from Larkfield Academy, we know which car is yours and where you park it."
        " Be a shame if your brakes failed on the way home. We'll be waiting at the gates.")),
)  # fmt: skip

EXPECTED_SUBJECTS = ("Threatening post", "Abusive post", "First look")
"""Parts of the subjects of the mails that must have come before the demonstration ends."""


def config_text(place: Path, *, feeds: int, smtp: int) -> str:
    """The config of the demonstration: everything on loopback, mail at any hour."""
    return _CONFIG.format(place=place, feeds=feeds, smtp=smtp)


_CONFIG = """\
# The demonstration's own config; everybody in it is invented.
timezone = "Europe/London"
nation = "england"

[[schools]]
id = "larkfield"
name = "Larkfield Academy"
aliases = ["Larkfield"]
hashtags = ["#larkfieldacademy"]
places = ["Aldermoor", "Quarry Road"]
headteacher = "imogen-tallis"

[[schools.staff]]
id = "imogen-tallis"
name = "Imogen Tallis"
title = "Ms"
roles = ["headteacher"]

[[schools.staff]]
id = "desmond-pell"
name = "Desmond Pell"
title = "Mr"
roles = ["head of year 9"]

[[schools.staff]]
id = "ngozi-okonjo"
name = "Ngozi Okonjo"
title = "Mrs"

[[schools.staff]]
id = "tolu-adeyemi"
name = "Tolu Adeyemi"
title = "Miss"
roles = ["head of PE"]

[[schools.staff]]
id = "gwen-pritchard"
name = "Gwen Pritchard"
title = "Miss"

[[schools.staff]]
id = "farah-siddiqui"
name = "Farah Siddiqui"
title = "Dr"

[[schools.staff]]
id = "kasia-wrona"
name = "Kasia Wrona"
title = "Ms"

[[schools.staff]]
id = "lewis-abernethy"
name = "Lewis Abernethy"
title = "Mr"
roles = ["caretaker"]

[[schools.staff]]
id = "mei-tan"
name = "Tan Mei"
title = "Mrs"

[[schools.staff]]
id = "joel-ashworth"
name = "Joel Ashworth"
title = "Mr"

[[schools.staff]]
id = "ruth-castellan"
name = "Ruth Castellan"
title = "Mrs"

[[people]]
id = "head"
name = "Imogen Tallis"
email = "head@larkfield.example"
staff = "imogen-tallis"

[[people]]
id = "deputy"
name = "Owen Marsh"
email = "deputy@larkfield.example"

[[people]]
id = "chair"
name = "Beatrix Hollins"
email = "chair@governors.example"

[[people]]
id = "it"
name = "Sam Quayle"
email = "it@larkfield.example"

[tell]
headteacher = "head"
deputy = "deputy"
second_person = "chair"
safeguarding_lead = "deputy"
administrator = "it"

[alerts]
day_from = "00:00"   # so that the demonstration shows everything at any hour
day_until = "23:59"

[lawful]
basis = "public-task"
dpia_date = 2026-01-12
staff_notice_on = 2026-02-02
consulted_on = 2026-01-20
consulted_whom = "all staff, in a meeting"
approved_by = "Beatrix Hollins"
review_on = 2099-01-01

[engine]
data_dir = "{place}/kept"

[channels.mail]
kind = "email"
host = "127.0.0.1"
port = {smtp}
security = "none"
from_address = "mentions@larkfield.example"

[sources.school-news]
kind = "feed"
url = "http://127.0.0.1:{feeds}/school-news.xml"
scope = "school"
every_minutes = 1
allow_private_addresses = true

[sources.town-forum]
kind = "feed"
url = "http://127.0.0.1:{feeds}/town-forum.xml"
place = "Aldermoor"
every_minutes = 1
allow_private_addresses = true

[sources.parents-blog]
kind = "feed"
url = "http://127.0.0.1:{feeds}/parents-blog.xml"
every_minutes = 1
allow_private_addresses = true
"""
