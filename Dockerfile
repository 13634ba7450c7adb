# Airflow with this provider, its DAGs and feeds: docker build -t airflow-kaltura .
# The Kaltura sandbox alone: docker build --target sandbox -t kaltura-sandbox .
# Every library is installed with the hash that its lock file in deploy/image has; `make lock` writes them. A lock file is
# complete, so pip only installs it (--no-deps).
ARG PYTHON_VERSION=3.12
FROM python:${PYTHON_VERSION}-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 50000 airflow
WORKDIR /opt/airflow

FROM base AS wheels
COPY deploy/image/build.lock /src/
RUN pip install --no-deps --require-hashes --requirement /src/build.lock
COPY pyproject.toml README.md LICENSE /src/provider/
COPY plugins/kaltura_provider /src/provider/plugins/kaltura_provider
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels/provider /src/provider
COPY include/sandbox /src/sandbox
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels/sandbox /src/sandbox

FROM base AS sandbox
COPY deploy/image/sandbox.lock /src/
RUN pip install --no-deps --require-hashes --requirement /src/sandbox.lock
COPY --from=wheels /wheels/sandbox /wheels
RUN pip install --no-deps --no-index --find-links /wheels kaltura-sandbox && pip check
RUN install -d -o airflow /data
USER airflow
EXPOSE 8765 8333
ENTRYPOINT ["kaltura-sandbox", "serve", "--data-dir", "/data", "--env-file", "/data/env"]

FROM base AS airflow
ENV AIRFLOW_HOME=/opt/airflow AIRFLOW__CORE__LOAD_EXAMPLES=False
# Install libraries first. This layer is only rebuilt when the lock file changes.
COPY deploy/image/airflow.lock /src/
RUN pip install --no-deps --require-hashes --requirement /src/airflow.lock
COPY --from=wheels /wheels/provider /wheels
RUN pip install --no-deps --no-index --find-links /wheels airflow-provider-kaltura && pip check
COPY dags dags
COPY include/feeds include/feeds
COPY --chmod=755 include/local/supervise.py /usr/local/bin/supervise
# Airflow's Helm chart calls these two.
COPY --chmod=755 deploy/image/entrypoint deploy/image/clean-logs /
# Airflow writes airflow.cfg when it is missing, which a read-only file system does not allow.
RUN install -d -o airflow logs auth && touch airflow.cfg
USER airflow
# No entrypoint: the official Helm chart runs commands such as `bash -c "exec airflow scheduler"`.
CMD ["airflow", "version"]
