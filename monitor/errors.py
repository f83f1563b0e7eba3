"""The error tree, sorted by what to do next.

StaffMentionsError
|- ConfigError            wrong use: print every problem, exit 2
|- SchemaError            the database has another schema: say `migrate`
|- EvidenceError          the log does not verify: say where, touch nothing
|- GradingError           the grader cannot answer: the mention becomes `ungraded`, visibly
|- MoveError              a state may not move so: a fault of ours, nothing was changed
`- RemoteError            another machine is in the way
   |- TransientError      try again at the next turn
   |  `- RateLimitedError after `retry_after`
   |- AuthError           stop the source or channel, tell the administrator
   |- RefusedError        never again for this one thing
   `- MalformedError      not what was promised: keep the cursor, say "broken"
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


class StaffMentionsError(Exception):
    """Everything this program raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where (dotted path, line if known), what, and what to do."""

    file: str
    path: str
    message: str
    line: int | None = None
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.path}: {self.message}" if self.path else self.message
        tail = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}: {what}{tail}"


class ConfigError(StaffMentionsError):
    """The configuration cannot be used; `problems` holds every reason at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class SchemaError(StaffMentionsError):
    """The database is older or newer than this program."""


class EvidenceError(StaffMentionsError):
    """Sealed evidence does not verify, or cannot be sealed."""


class GradingError(StaffMentionsError):
    """The grader cannot give a grade."""


class MoveError(StaffMentionsError):
    """A state was asked to make a move that its table does not allow."""


class RemoteError(StaffMentionsError):
    """Another machine is in the way."""


class TransientError(RemoteError):
    """Worth another try at the next turn."""


class RateLimitedError(TransientError):
    """Worth another try, but not before `retry_after`."""

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AuthError(RemoteError):
    """A key or password is refused: no repeat will help until a person acts.

    `status` is the HTTP status that said so, where one did.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RefusedError(RemoteError):
    """This one thing will never be taken or given; `status` is the HTTP status that said so."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MalformedError(RemoteError):
    """What arrived is not what the source promised."""


def fault(error: Exception) -> str:
    """A fault of ours or a plugin's in words: its kind only, since its own may hold a post's."""
    return f"a fault in the program ({type(error).__name__})"
