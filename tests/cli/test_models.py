import json
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from voicestream.cli.main import app
from voicestream.models.registry import cards


def run(*arguments: str):
    return CliRunner().invoke(app, ["models", *arguments], terminal_width=200)


def test_every_model_has_a_row() -> None:
    result = run()
    assert result.exit_code == 0
    for card in cards():
        assert f" {card.name} " in result.stdout
    assert "790 KB" in result.stdout


def test_one_card_in_full_with_every_figure() -> None:
    result = run("mfcc")
    card = cards()[0]
    assert card.sha256 in result.stdout
    assert result.stdout.count("EER %") == sum(found.metric == "EER %" for found in card.measured)


def test_what_hears_nothing_has_no_rate() -> None:
    assert "analyses at" in run("mfcc").stdout
    assert "analyses at" not in run("spelling").stdout
    assert " 0 kHz" not in run().stdout


@pytest.mark.parametrize("arguments", [("--json",), ("mfcc", "--json")])
def test_programs_get_the_whole_card(arguments: tuple[str, ...]) -> None:
    found = json.loads(run(*arguments).stdout)
    assert (found[0] if isinstance(found, list) else found) == json.loads(json.dumps(asdict(cards()[0])))


def test_an_unknown_name_is_an_error_with_its_number() -> None:
    result = run("nobody")
    assert (result.exit_code, result.stderr.split()[0]) == (2, "VS3001")
