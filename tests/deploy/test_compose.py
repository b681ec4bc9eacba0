"""docker-compose.yml, Dockerfile and locks: valid, pinned, closed, and every word in them means something."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.fernet import Fernet
from packaging.requirements import Requirement
from packaging.version import Version

from etl.settings import ROOT, Settings
from tests.deploy import commands, compose
from tests.deploy.conftest import LOCK, Image, let_in

pytestmark = pytest.mark.xdist_group("compose")
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
SECRETS = {name: f"{name.lower()}0" for name in compose.required()}
FILLED = compose.loaded(SECRETS)
SERVICES: dict[str, dict[str, Any]] = FILLED["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("jiancha:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def problems(document: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_file_is_valid_by_the_compose_specification_before_and_after_its_variables_are_filled_in() -> None:
    assert problems(compose.raw()) == []
    assert problems(FILLED) == []


@pytest.mark.parametrize(
    ("key", "value"), [("comand", ["airflow"]), ("restart", 3), ("healthcheck", {"test": 1}), ("ports", "8080")]
)
def test_a_misspelt_or_mistyped_service_would_not_be_valid(key: str, value: object) -> None:
    broken = copy.deepcopy(FILLED)
    broken["services"]["scheduler"][key] = value
    assert problems(broken)


@pytest.mark.parametrize("name", sorted(compose.required()))
def test_nothing_starts_while_a_secret_is_missing(name: str) -> None:
    with pytest.raises(compose.Missing, match=rf"^{name}: see \.env\.example$"):
        compose.loaded(SECRETS | {name: ""})


def test_the_example_names_every_variable_with_the_default_the_file_has_and_no_secret() -> None:
    asked = compose.variables(compose.FILE.read_text(encoding="utf-8"))
    assert set(compose.example()) == asked
    assert {value for name, value in compose.example().items() if name in compose.required()} == {""}
    # Uncommented as they are, the defaults change nothing.
    assert compose.loaded(SECRETS | {n: v for n, v in compose.example().items() if n not in SECRETS}) == FILLED


def test_secrets_reach_containers_only_through_variables() -> None:
    text = compose.FILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.search(r"(PASSWORD|SECRET|_KEY)\w*:", line.split("{")[0])]
    assert lines
    assert [line for line in lines if not re.search(r': (\$\{|"")', line)] == []
    assert not re.search(r"PASSWORD|SECRET|_KEY|TOKEN", DOCKERFILE)
    assert not let_in(".env")
    assert not let_in("sources.env")
    assert not let_in("var/airflow/passwords.json")


def test_every_image_is_pinned_to_one_version() -> None:
    images = {service["image"] for service in SERVICES.values()} | set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.M))
    assert len(images) == 5
    assert [image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)*$", image)] == []
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")
    assert {service["image"] for service in OURS.values()} == {f"jiancha:{project()['version']}"}


def test_postgresql_18_keeps_its_data_in_the_volume() -> None:
    # The image's PGDATA is /var/lib/postgresql/18/docker; a volume on …/data, as up to 17, would stay empty.
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert set(FILLED["volumes"]) == {"postgres", "state"}


def test_ports_are_open_on_this_machine_only_and_those_of_database_and_broker_not_at_all() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"api-server": ["127.0.0.1:8080:8080"], "mail": ["127.0.0.1:8025:8025"]}


def test_the_image_runs_as_nobody_in_particular_and_no_service_gets_more() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["jiancha"]
    for name, service in OURS.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"user", "privileged", "cap_add", "network_mode", "pid"} & set(service), name


def test_everything_the_dockerfile_copies_is_let_into_the_build() -> None:
    copied = [word for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for word in line.split()]
    assert copied == ["requirements-deploy.lock", "."]
    assert let_in("requirements-deploy.lock")
    assert let_in("sql/migrations/0001_ledger.sql")
    assert not let_in("etl/__pycache__/cli.cpython-311.pyc")
    assert not let_in("tests/conftest.py")


def test_who_waits_for_whom() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
            # A service of a profile may be absent.
            assert not how.get("required", True) or set(SERVICES[other].get("profiles", [])) <= set(
                service.get("profiles", [])
            ), f"{name} waits for {other}"
    assert SERVICES["scheduler"]["depends_on"]["api-server"]["condition"] == "service_healthy"
    assert SERVICES["worker"]["depends_on"]["api-server"]["condition"] == "service_healthy"
    waiting = {name for name, service in OURS.items() if "init" in service.get("depends_on", {})}
    assert waiting == set(OURS) - {"init", "city"}
    assert {SERVICES[name]["depends_on"]["init"]["condition"] for name in waiting} == {"service_completed_successfully"}
    lasting = {name for name, service in SERVICES.items() if service["restart"] == "unless-stopped"}
    assert lasting == {name for name, service in SERVICES.items() if "healthcheck" in service}


def test_profiles_add_the_city_and_celery_and_nothing_else() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"city": ["city"], "redis": ["celery"], "worker": ["celery"]}


def test_the_city_touches_neither_real_sources_nor_the_real_ledger() -> None:
    city, real = SERVICES["city"], SERVICES["scheduler"]
    assert city["env_file"] == []
    assert real["env_file"] == [{"path": "sources.env", "required": False}]
    for name in ("JIANCHA_DATABASE_URL", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "JIANCHA_VAR_DIR"):
        assert "demonstration" in city["environment"][name]
        assert "demonstration" not in real["environment"].get(name, "")
    # Whatever .env says about mail, its mails are caught.
    told = SECRETS | {"JIANCHA_SMTP_HOST": "mail.example.gov.cn", "JIANCHA_SMTP_USER": "real"}
    environment = compose.loaded(told)["services"]["city"]["environment"]
    assert (environment["JIANCHA_SMTP_HOST"], environment["JIANCHA_SMTP_USER"]) == ("mail", "")


def test_every_setting_of_ours_is_a_real_one() -> None:
    named = {name for service in OURS.values() for name in service["environment"] if name.startswith("JIANCHA_")}
    assert named <= {f"JIANCHA_{name.upper()}" for name in Settings.model_fields}
    for service in OURS.values():
        given = {
            name.removeprefix("JIANCHA_").lower(): value
            for name, value in service["environment"].items()
            if name.startswith("JIANCHA_")
        }
        Settings(**given)


def test_every_airflow_variable_is_a_real_option_and_every_command_parses(image: Image) -> None:
    named = {name for service in OURS.values() for name in service["environment"] if name.startswith("AIRFLOW__")}
    options = image.python(
        "from airflow.configuration import conf; from airflow.providers_manager import ProvidersManager\n"
        "ProvidersManager().initialize_providers_configuration()\n"
        "print(*(f'{s}__{o}' for s, d in conf.configuration_description.items() for o in d['options']), sep='\\n')"
    ).splitlines()
    # Every option that may hold a connection has a second one for the asynchronous driver.
    assert {name.removeprefix("AIRFLOW__").lower() for name in named} <= {option.lower() for option in options}
    told = list(commands_of_services())
    assert {command[0] for command in told} == {"airflow", "jiancha"}
    assert commands.unknown(told, image) == []


def commands_of_services() -> Iterator[list[str]]:
    for service in OURS.values():
        command = [str(word) for word in service["command"]]
        yield from commands.in_shell(command[-1]) if command[0] == "sh" else [command]
        check = service.get("healthcheck", {}).get("test", [])
        if check[1:2] == ["airflow"]:
            yield check[1:]


def test_a_command_that_does_not_exist_would_be_noticed(image: Image) -> None:
    wrong = [
        ["airflow", "api-sever"],
        ["airflow", "scheduler", "--skip-serve-log", "x"],
        ["jiancha", "migrate"],
        ["jiancha", "night", "--day", "2026-11-22"],
    ]
    assert commands.unknown(wrong, image) == wrong


def test_the_image_has_what_the_tests_ran_with_and_a_celery_its_provider_can_import() -> None:
    tested, deployed = (pins(ROOT / name) for name in ("requirements.lock", "requirements-deploy.lock"))
    assert {name: version for name, version in deployed.items() if tested.get(name, version) != version} == {}
    assert {"apache-airflow-providers-fab", "apache-airflow-providers-celery", "celery", "setuptools"} <= set(deployed)
    assert Version(deployed["celery"]) < Version("5.7")
    declared = [Requirement(text) for text in project()["optional-dependencies"]["deploy"]]
    assert [str(r.specifier) for r in declared if r.name == "celery"] == ["<5.7"]
    # A small install for `make run`: none of it is in the other lock.
    assert not {"apache-airflow-providers-fab", "celery", "redis", "flask"} & set(tested)


def test_the_image_s_lock_has_hashes_and_no_address() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--find-links|--extra-index", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def project() -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return told


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", path.read_text(encoding="utf-8"), re.M))


def test_the_lines_of_the_how_to_that_make_secrets_fill_in_every_one(tmp_path: Path) -> None:
    how = (ROOT / "docs/how-to/docker-compose.md").read_text(encoding="utf-8")
    block = next(block for block in re.findall(r"```sh\n(.+?)```", how, re.DOTALL) if ".env.example" in block)
    (tmp_path / ".env.example").write_text(compose.EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(["sh", "-euc", block], cwd=tmp_path, check=True)
    made = (tmp_path / ".env").read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in made.splitlines() if re.match(r"[A-Z_]+=", line))
    assert set(values) == compose.required()
    assert len(set(values.values())) == len(values)
    compose.loaded(values)
    Fernet(values.pop("AIRFLOW_FERNET_KEY"))
    assert [name for name, value in values.items() if not re.fullmatch(r"[0-9a-f]{48}", value)] == []
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
