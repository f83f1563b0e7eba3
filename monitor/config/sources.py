"""Sources and channels: which plugin, how often, and the plugin's own settings beside it."""

from __future__ import annotations

from pydantic import Field, SerializeAsAny

from monitor.config.fields import MatchText, Part, PastDay, Slug, Whole, YesNo
from monitor.contract import Settings
from monitor.model import Scope


class SourceConfig(Part):
    """One configured place to look; every key not listed here belongs to its connector."""

    name: Slug = Field(description="The table's own name; its cursor belongs to it.")
    kind: Slug = Field(description="Which connector reads it.")
    every_minutes: Whole = Field(
        default=15, ge=1, le=10080, description="Minutes between two turns."
    )
    school: Slug | None = Field(
        default=None,
        description="Id of the school that it is about; with one school and "
        '`scope = "school"`, that school.',
    )
    place: MatchText | None = Field(
        default=None,
        description="The town of a local paper or forum: every post counts as naming it.",
    )
    scope: Scope = Field(
        default=Scope.OPEN,
        description="`school` where everything in it is about the school, else `open`.",
    )
    enabled: YesNo = Field(default=True, description="False stops it without losing its cursor.")
    allow_private_addresses: YesNo = Field(
        default=False, description="True for a server on the school's own network."
    )
    terms_read_on: PastDay | None = Field(
        default=None, description="When somebody read the site's terms and found this allowed."
    )
    settings: SerializeAsAny[Settings] = Field(
        default_factory=Settings, description="The connector's own keys, checked by its class."
    )


class ChannelConfig(Part):
    """One configured way to reach people; every key but `kind` belongs to its alerter."""

    name: Slug = Field(description="The table's own name.")
    kind: Slug = Field(description="Which alerter sends.")
    settings: SerializeAsAny[Settings] = Field(
        default_factory=Settings, description="The alerter's own keys, checked by its class."
    )


FILLED_BY_THE_LOADER = frozenset({"name", "settings"})
"""Fields that no file may give: the table's name, and what the plugin's class made of the rest."""

SOURCE_KEYS = frozenset(SourceConfig.model_fields) - FILLED_BY_THE_LOADER
CHANNEL_KEYS = frozenset(ChannelConfig.model_fields) - FILLED_BY_THE_LOADER
