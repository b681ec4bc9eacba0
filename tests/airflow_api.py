"""Airflow's public REST API, as a person with a script uses it."""

from __future__ import annotations

from typing import Any

import requests

from etl.runs.local_airflow import Airflow


def fetch(airflow: Airflow, method: str, path: str, **body: Any) -> Any:
    """One call (``path`` below ``/api/v2/``) as the administrator; raises on 4xx, 5xx."""
    login = {"username": airflow.user, "password": airflow.password}
    token = requests.post(f"{airflow.url}/auth/token", json=login, timeout=30)
    token.raise_for_status()
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    answer = requests.request(method, f"{airflow.url}/api/v2/{path}", json=body or None, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()
