# Airflow with this provider, its DAGs and feeds: docker build -t airflow-kaltura .
# The Kaltura sandbox alone: docker build --target sandbox -t kaltura-sandbox .
ARG PYTHON_VERSION=3.12
FROM python:${PYTHON_VERSION}-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 50000 airflow
WORKDIR /opt/airflow

FROM base AS sandbox
COPY include/sandbox /src/sandbox
COPY constraints.txt /src/
RUN pip install --constraint /src/constraints.txt /src/sandbox && install -d -o airflow /data
USER airflow
EXPOSE 8765 8333
ENTRYPOINT ["kaltura-sandbox", "serve", "--data-dir", "/data", "--env-file", "/data/env"]

FROM base AS airflow
ENV AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/plugins
COPY requirements.lock pyproject.toml README.md LICENSE /src/
# Install libraries first. This layer is only rebuilt when the lock file changes.
RUN pip install --require-hashes --requirement /src/requirements.lock
COPY plugins/kaltura_provider /src/plugins/kaltura_provider
RUN pip install --no-deps /src
COPY dags dags
COPY plugins/kaltura_plugin.py plugins/
COPY include/feeds include/feeds
COPY --chmod=755 include/local/supervise.py /usr/local/bin/supervise
# Airflow writes airflow.cfg when it is missing, which a read-only file system does not allow.
RUN install -d -o airflow logs auth && touch airflow.cfg
USER airflow
# No entrypoint: the official Helm chart runs commands such as `bash -c "exec airflow scheduler"`.
CMD ["airflow", "version"]
