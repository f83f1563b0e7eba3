"""`python -m monitor.cli` is the command `staff-mentions`."""

from monitor.cli import main

main()
