"""One built city a test session."""

from __future__ import annotations

from pathlib import Path

import pytest

from city.build import build


@pytest.fixture(scope="session")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    build(folder, seed=1)
    return folder
