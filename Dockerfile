# One image for every service of docker-compose.yml. Nothing secret is in it; what is installed is decided by hashes.
FROM python:3.11.13-slim-trixie

# For a mirror: --build-arg PIP_INDEX_URL=…; nothing of it stays in the image.
ARG PIP_INDEX_URL

COPY requirements-deploy.lock /tmp/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements-deploy.lock \
    && rm /tmp/requirements-deploy.lock

# Installed in place: migrations, queries and the DAG files are read from the tree beside the code.
COPY . /opt/jiancha
RUN pip install --no-cache-dir --no-deps --no-build-isolation --no-index --editable /opt/jiancha \
    && python -m compileall -q /opt/jiancha \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/jiancha jiancha \
    && install --directory --owner jiancha --group jiancha /var/lib/jiancha

ENV PYTHONPATH=/opt/jiancha \
    PYTHONUNBUFFERED=1 \
    JIANCHA_VAR_DIR=/var/lib/jiancha \
    AIRFLOW_HOME=/var/lib/jiancha/airflow
USER jiancha
WORKDIR /var/lib/jiancha
VOLUME /var/lib/jiancha
CMD ["jiancha", "--help"]
