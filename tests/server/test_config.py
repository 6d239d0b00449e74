"""Settings: where values come from, in which order, and how wrong ones are told."""

import base64
from pathlib import Path

import pytest

from voicestream import errors
from voicestream.server.config import Settings, decode_key
from voicestream.server.setting_source import SettingsError, load

KEY = bytes(range(32))


def codes(error: SettingsError) -> list[str]:
    return [problem.fault.code for problem in error.problems]


def test_defaults_alone_make_a_server() -> None:
    loaded = load(environ={})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.warnings == ()


def test_each_source_overrides_the_one_below(tmp_path: Path) -> None:
    file = tmp_path / "voicestream.toml"
    file.write_text("port = 1\nidle_s = 2.5\nping_s = 9\nallow_cors = true\n")
    environ = {"SERVER_PORT": "2", "VOICESTREAM_PORT": "3", "VOICESTREAM_IDLE_S": "7", "SERVER_ALLOW_CORS": "FALSE"}
    loaded = load({"port": 4}, environ, file)
    assert (loaded.settings.port, loaded.settings.idle_s, loaded.settings.ping_s, loaded.settings.allow_cors) == (4, 7.0, 9.0, False)
    assert loaded.origins["port"] == "flag --port"
    assert loaded.origins["idle_s"] == "env VOICESTREAM_IDLE_S"
    assert loaded.origins["allow_cors"] == "env SERVER_ALLOW_CORS"
    assert loaded.origins["ping_s"] == f"file {file}"
    assert loaded.origins["host"] == "default"


def test_our_variable_wins_over_the_vendors() -> None:
    assert load(environ={"SERVER_PORT": "2", "VOICESTREAM_PORT": "3"}).settings.port == 3
    assert load(environ={"SERVER_PORT": "2"}).settings.port == 2


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('allowed_origins = ["https://a.example"]\n[configurations]\nmine = "mfcc"\n')
    settings = load(environ={"VOICESTREAM_CONFIG": str(tmp_path / "s.toml")}).settings
    assert settings.allowed_origins == ("https://a.example",)
    assert settings.configurations == {"mine": "mfcc"}


def test_lists_and_tables_from_the_environment() -> None:
    environ = {"VOICESTREAM_ALLOWED_ORIGINS": "https://a, https://b ,", "VOICESTREAM_CONFIGURATIONS": "x=mfcc, y = mfcc"}
    settings = load(environ=environ).settings
    assert settings.allowed_origins == ("https://a", "https://b")
    assert settings.configurations == {"x": "mfcc", "y": "mfcc"}


def test_an_empty_variable_is_an_unset_one() -> None:
    assert load(environ={"VOICESTREAM_PORT": ""}).origins["port"] == "default"


def test_all_problems_are_told_at_once_with_their_origin() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"prot": 1}, {"VOICESTREAM_PORT": "65536", "VOICESTREAM_IDLE_S": "nan", "VOICESTREAM_ALLOW_CORS": "perhaps"})
    assert sorted(codes(caught.value)) == ["VS1001", "VS1002", "VS1002", "VS1002"]
    assert "did you mean 'port'?" in str(caught.value)
    assert "env VOICESTREAM_IDLE_S" in str(caught.value)


@pytest.mark.parametrize(
    "name, value",
    [("port", "٨٠٨٠"), ("port", "-1"), ("idle_s", "1e9"), ("idle_s", "inf"), ("idle_s", 0), ("three_parameter_value", "W"), ("model", "")]
    + [("configurations", "a"), ("job_threads", 1.5), ("message_bytes", 1), ("log_level", "loud"), ("connections", True)],
)
def test_wrong_values(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        load({name: value}, {})
    assert codes(caught.value) == ["VS1002"]
    assert str(caught.value).startswith(f"VS1002 {errors.WRONG_SETTING.sentence}: {name} (flag --")


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_not_toml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load(environ={}, file=file)
    assert codes(caught.value) == ["VS1003"]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"VS1003 .*No such file"):
        load(environ={}, file=tmp_path / "absent.toml")


def test_a_misspelt_variable_is_a_warning_not_an_end() -> None:
    loaded = load(environ={"VOICESTREAM_IDEL_S": "3", "VOICESTREAM_PORT": "tcp://10.0.0.1:8080"})
    assert [warning.fault for warning in loaded.warnings] == [errors.IGNORED_VARIABLE] * 2
    assert "did you mean 'idle_s'?" in str(loaded.warnings[0])
    assert loaded.settings.port == 8080


def test_vendor_components() -> None:
    prefix = "IDRND_VOICESDK_COMPONENTS_"
    settings = load(environ={f"{prefix}VERIFY": "False", f"{prefix}MEDIA": "TRUE", f"{prefix}TEMPLATE_CONVERTER": "true"}).settings
    assert (settings.component_verify, settings.component_media, settings.component_template_converter) == (False, True, True)


def test_old_vendor_variables_give_one_warning() -> None:
    prefix = "IDRND_VOICESDK_"
    environ = {f"{prefix}COMPONENTS_AED": "true", f"{prefix}COMPONENTS_DIARIZATION": "no", f"{prefix}VERIFY_VERIFY_METHODS": "MAP,TI_X_2"}
    loaded = load(environ=environ)
    assert [warning.fault for warning in loaded.warnings] == [errors.IGNORED_VARIABLE]
    assert loaded.settings == Settings()


def test_vendor_configurations_on_offer() -> None:
    loaded = load(environ={"IDRND_VOICESDK_VERIFY_INIT_DATAS": "mic-v2, noctua,strange"})
    assert set(loaded.settings.configurations) == {"mic-v2", "noctua"}
    assert [warning.fault for warning in loaded.warnings] == [errors.UNKNOWN_CONFIGURATION]
    assert "strange" not in str(loaded.warnings[0])


@pytest.mark.parametrize("variable", ["VERIFY_DEFAULT_INIT_DATA", "VERIFY_INIT_DATA"])
def test_vendor_names_of_the_default_model(tmp_path: Path, variable: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text('model = "absent"\n')
    loaded = load(environ={f"IDRND_VOICESDK_{variable}": "verify/TI-mic"}, file=file)
    assert (loaded.settings.model, loaded.origins["model"]) == ("mfcc", f"env IDRND_VOICESDK_{variable}")
    unknown = load(environ={f"IDRND_VOICESDK_{variable}": "unheard-of"})
    assert unknown.settings.model == "mfcc"
    assert [warning.fault for warning in unknown.warnings] == [errors.UNKNOWN_CONFIGURATION]


def test_a_configuration_names_its_model() -> None:
    assert load({"model": "a", "configurations": "a=mfcc"}, {}).settings.model == "mfcc"
    settings = Settings(model="first", configurations={"b": "second"})
    assert (settings.model_of("b"), settings.model_of("first"), settings.model_of("c")) == ("second", "first", None)


def test_a_model_that_is_not_installed_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"configurations": "a=mfcc,b=absent", "model": "c"}, {})
    assert codes(caught.value) == ["VS1002", "VS1002"]
    assert "there is mfcc" in str(caught.value)


@pytest.mark.parametrize("text", [KEY.hex(), base64.b64encode(KEY).decode(), f" {KEY.hex()}\n"])
def test_a_template_key_in_hex_or_base64(text: str) -> None:
    assert decode_key(text) == KEY
    assert load({"template_key": text}, {}).settings.sealing_key() == KEY


def test_a_wrong_template_key_is_refused_and_never_repeated() -> None:
    secret = "c0ffee" * 10
    with pytest.raises(SettingsError) as caught:
        load({"template_key": secret}, {})
    assert codes(caught.value) == ["VS1002"]
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_template_key_is_not_printed() -> None:
    assert KEY.hex() not in repr(load({"template_key": KEY.hex()}, {}).settings)


def test_a_template_key_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY.hex() + "\n")
    assert load({"template_key_file": file}, {}).settings.sealing_key() == KEY
    for wrong in ({"template_key_file": tmp_path / "absent"}, {"template_key_file": file, "template_key": KEY.hex()}):
        with pytest.raises(SettingsError) as caught:
            load(wrong, {})
        assert codes(caught.value) == ["VS1005"]


def test_a_certificate_needs_its_own_key(tmp_path: Path) -> None:
    import trustme

    ours, other = trustme.CA().issue_cert("localhost"), trustme.CA().issue_cert("localhost")
    for name, pair in {"ours": ours, "other": other}.items():
        pair.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.crt")
        pair.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    load({"tls_cert": tmp_path / "ours.crt", "tls_key": tmp_path / "ours.key"}, {})
    for wrong in ({"tls_cert": tmp_path / "ours.crt"}, {"tls_cert": tmp_path / "ours.crt", "tls_key": tmp_path / "other.key"}):
        with pytest.raises(SettingsError) as caught:
            load(wrong, {})
        assert codes(caught.value) == ["VS1004"]


def test_the_data_folder_is_the_setting_else_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().data_path() == tmp_path / "voicestream"
    assert Settings(data_folder=tmp_path / "mine").data_path() == tmp_path / "mine"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")  # the specification: to be ignored
    assert Settings().data_path() == Path.home() / ".local" / "share" / "voicestream"


def test_a_model_that_is_known_but_not_installed_is_another_problem_than_an_unknown_one(tmp_path: Path) -> None:
    for name, code in (("ge2e", "VS3040"), ("fusion", "VS3040"), ("nothing", "VS1002")):
        for given in ({"model": name}, {"configurations": f"x={name}"}):
            with pytest.raises(SettingsError) as caught:
                load({"data_folder": str(tmp_path)} | given, {})
            assert codes(caught.value) == [code]
