"""staff-mentions: hears of posts about a school's staff and keeps evidence that stands up."""

__version__ = "0.1.0"
