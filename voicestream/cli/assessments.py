"""`voicestream assessments`: results and recordings of assessed speech that are kept."""

from __future__ import annotations

from typing import Annotated

import typer

from voicestream.cli.authority import Json, opened, told
from voicestream.cli.flag import ConfigFile, Pairs, read_settings

assessments = typer.Typer(
    name="assessments",
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="Assessments that are kept.",
    help="""Results and recordings of assessed speech, in the data folder; they go by themselves after `assessment_keep_s`.

    Examples:

      voicestream assessments forget 3f1c9a7e52d04b68ac10
    """,
)


@assessments.callback()
def _group() -> None:
    """A group, though it has one command."""


@assessments.command(short_help="Delete all of a tenant.")
def forget(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="As `voicestream keys list` shows it.")],
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Delete all results and recordings of a tenant, at once: their links lead nowhere from now on."""
    from voicestream.store.result import Results

    with opened(config, pairs) as database:
        count = Results(database, read_settings(config, pairs).settings.data_path()).forget_tenant(tenant)
    told({"tenant": tenant, "results": str(count)}, as_json)
