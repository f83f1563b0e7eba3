"""The command line: one module a command group, each command a few lines that call `monitor.app`.

Exit 0 done, 1 failed, 2 wrong use or config.
"""

from __future__ import annotations

import os
import sys

import typer
from sqlalchemy.exc import OperationalError

from monitor.cli import (
    alerts,
    backups,
    cases,
    evidence,
    exporting,
    forgetting,
    judging,
    mentions,
    service,
    setup,
    witnesses,
)
from monitor.cli.common import report_error
from monitor.errors import StaffMentionsError

app = typer.Typer(
    name="staff-mentions",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hears of public posts about a school's staff, tells the headteacher, keeps evidence.",
)
for room in (setup, service, judging, backups):
    room.register(app)
exporting.register(evidence.app)
witnesses.register(evidence.app)
forgetting.register(app, evidence.app, cases.case)
app.add_typer(mentions.mention, name="mention")
app.add_typer(cases.case, name="case")
app.add_typer(alerts.alert, name="alert")
app.add_typer(evidence.app, name="evidence")
app.add_typer(witnesses.witness, name="witness")


def main() -> None:
    """Run the command line; errors of ours become one plain sentence each."""
    try:
        app()
    except StaffMentionsError as error:
        sys.exit(report_error(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away; that is no failure of ours. What is left in the
        # buffer has nowhere to go, and Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OperationalError as error:
        sys.exit(report_error(StaffMentionsError(f"the database cannot be used: {error.orig}")))
    except OSError as error:
        sys.exit(report_error(StaffMentionsError(str(error))))
