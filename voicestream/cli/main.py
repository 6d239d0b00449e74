"""The command `voicestream`: one file per command; what a command needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from voicestream import __version__
from voicestream.cli.assessments import assessments
from voicestream.cli.authenticity import authenticity
from voicestream.cli.calibrate import calibrate
from voicestream.cli.card import card
from voicestream.cli.client import client
from voicestream.cli.clients import clients
from voicestream.cli.config import config
from voicestream.cli.demo import demo
from voicestream.cli.doctor import doctor
from voicestream.cli.enrol import enrol
from voicestream.cli.errors import errors
from voicestream.cli.evaluate import evaluate
from voicestream.cli.install import install
from voicestream.cli.keys import keys
from voicestream.cli.models import ModelGroup, models
from voicestream.cli.serve import serve
from voicestream.cli.verify import verify

app = typer.Typer(
    name="voicestream",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""A self-hosted voice server: speech endpoints, summaries and speaker verification.

    First steps:

      voicestream doctor                        is this machine ready?

      voicestream serve                         a server on port 8080

      voicestream client summary talk.wav       stream a file to it

      voicestream enrol me.wav -o me.template   remember a voice

      voicestream verify me.template who.wav    is this the same voice?

      voicestream evaluate trials.txt           how good is the model?

      voicestream calibrate people/             a threshold from your own recordings

    Settings: voicestream config. Errors have numbers: voicestream errors VS1006.
    """,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    pass


app.command(short_help="Run the server.")(serve)
app.add_typer(client)
app.command(short_help="Make a template of a voice.")(enrol)
app.command(short_help="Compare a recording with a template.")(verify)
app.command(short_help="A living voice, or a synthetic or replayed one?")(authenticity)
app.command(short_help="How good is a model on a list of trials?")(evaluate)
app.command(short_help="A threshold from your own recordings.")(calibrate)
app.command(short_help="Recorded people through all endpoints.")(demo)
app.command(short_help="Is this machine ready?")(doctor)
app.command(short_help="The effective settings and who set each.")(config)
cards = typer.Typer(name="models", cls=ModelGroup, invoke_without_command=True, short_help="The cards of the models; more of them.")
cards.callback(subcommand_metavar="[NAME]")(models)
cards.command(hidden=True)(card)
cards.command(short_help="Get the weights of a model that does not come along.")(install)
app.add_typer(cards)
app.add_typer(clients)
app.add_typer(keys)
app.add_typer(assessments)
app.command(short_help="Explain a numbered error.")(errors)


def main() -> None:
    """Entry point of the command."""
    app()
