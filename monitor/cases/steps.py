"""What the procedure asks next, as numbered steps for one concern and one reader.

The order is that of the staff-mentions procedure: "Order of action by grade", and "When the mention
is really a safeguarding matter".
"""

from __future__ import annotations

from monitor.cases.inert import inert
from monitor.cases.letter import Step, Steps
from monitor.cases.views import Contact, Contacts
from monitor.cases.wording import Concern
from monitor.model import Role


def reach(contact: Contact | None) -> str:
    """How to reach somebody, in brackets, as far as the school gave it: " (Sam Lee, 01632 …)"."""
    if contact is None:
        return ""
    given = (contact.name, contact.phone, contact.email, contact.url)
    parts = [part for part in (inert(each, limit=200) for each in given) if part]
    return f" ({', '.join(parts)})" if parts else ""


def steps_for(concern: Concern, contacts: Contacts, reader: Role, *, to_reader: bool) -> Steps:
    """What the procedure asks next, in its order, for this concern and this reader."""
    lead = _safeguarding(contacts, reader)
    police = "your police force's online form" + reach(contacts.police_force)
    tell = (
        Step("Do not answer it,", "and do not carry it alone: speak to somebody you trust today.")
        if to_reader
        else Step("Tell the person named, in person,", "today. They do not answer the post.")
    )
    danger = Step(
        "Danger now? Ring 999.",
        f"Otherwise ring 101 or use {police}. Ask for the crime or incident number; keep it.",
    )
    keep = Step(
        "Keep it before you report it.",
        "The program has kept the text. Photograph the page with its address and the time; "
        "then report it to the platform.",
    )
    steps = {
        Concern.THREAT: (danger, keep, tell, *_after_threat(contacts, lead)),
        Concern.ABUSE: (keep, tell, *_after_abuse()),
        Concern.UNGRADED: (
            Step("Read it where it stands", "and decide what it is."),
            Step("If it threatens anybody,", "ring 999 if there is danger now, otherwise 101."),
            keep,
            tell,
        ),
        Concern.DISTRESS: (
            Step("A life in danger now? Ring 999."),
            Step(
                lead.what, f"{lead.more} Find out whether a pupil wrote it, and who is with them."
            ),
            Step("Be kind.", "Nobody answers, shames or punishes a cry for help online."),
            Step("Keep the text;", "the program has. Follow your safeguarding procedure."),
        ),
        Concern.WELFARE: (
            Step("Somebody in danger now? Ring 999."),
            Step(lead.what, f"{lead.more} Find out who is meant, and whether a child is."),
            Step("Keep the text;", "the program has. Follow your safeguarding procedure."),
        ),
        Concern.SECOND_HAND: (
            Step("Ask who wrote this,", "if you know them, what they saw, and where. Be calm."),
            Step(
                "Do not go looking:",
                "no invented accounts, no joining of private groups. Take police advice first.",
            ),
            Step(
                "When you have the original,", "treat it by what it says: 999 or 101 for a threat."
            ),
            Step(lead.what, f"{lead.more} They hear of it too."),
        ),
        Concern.NEUTRAL: (
            Step("Is it a complaint?", "Then the school's complaints procedure applies."),
            Step("Otherwise log it and close it.", "Criticism, however angry, is lawful."),
        ),
    }[concern]
    return Steps("What the procedure asks next", steps)


def _safeguarding(contacts: Contacts, reader: Role) -> Step:
    if reader is Role.SAFEGUARDING_LEAD:
        return Step("You lead on this as safeguarding lead.")
    return Step("Ring the safeguarding lead", f"now{reach(contacts.safeguarding_lead)}.".lstrip())


def _after_threat(contacts: Contacts, lead: Step) -> tuple[Step, ...]:
    return (
        Step(
            "Make the school safe.",
            "Consider a lockdown or precautions with visitors. If a child may have written it, "
            f"or is named: {lead.what[0].lower()}{lead.what[1:]} {lead.more}".rstrip(),
        ),
        Step(
            "Today:",
            f"tell the chair of governors or the trust{reach(contacts.chair)}, and personnel or "
            f"legal advisers{reach(contacts.hr)}; the union if the person named wishes"
            f"{reach(contacts.union)}. Assess the risk to them, in writing.",
        ),
    )


def _after_abuse() -> tuple[Step, ...]:
    return (
        Step(
            "Today, decide how to respond:",
            "a pupil you know: behaviour policy; a parent you know: invite them to a meeting; a "
            "colleague: disciplinary procedure; nobody you know: the helpline for professionals.",
        ),
        Step(
            "In a week or two,", "ask the person named how they are, and write down what was done."
        ),
    )


def red_lines(contacts: Contacts) -> Steps:
    """What nobody does, whatever the grade; shown in every alert, so it reveals nothing."""
    return Steps(
        "Whatever it says",
        numbered=False,
        steps=(
            Step("Nobody answers the post", "or contacts its author online."),
            Step(
                "If it says that a member of staff harmed a child: stop.",
                "Question nobody, tell nobody else. Ring the local authority designated officer, "
                f"the LADO{reach(contacts.lado)}, straight away, and within one working day.",
            ),
            Step(
                "A sexual image of anybody under 18:",
                "do not view, save, photograph or forward it. Write down its address and tell the "
                "safeguarding lead.",
            ),
        ),
    )
