# oncall-bot in an image: two stages, hashed packages, no root, no shell needed, runs on a read-only root.
#
#   docker build -t oncall-bot .
#   docker run --read-only --tmpfs /tmp -v oncall-data:/data -p 8080:8080 --env-file .env oncall-bot
#
# docs/howto/deploy.md has a compose file. To pin the base image, put its digest after the tag.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN ["python", "-m", "venv", "/opt/oncall-bot"]
RUN ["python", "-m", "venv", "/opt/build"]
# Packages first: they change less often than the code.
COPY requirements.lock requirements-build.lock ./
RUN ["/opt/oncall-bot/bin/pip", "install", "--require-hashes", "-r", "requirements.lock"]
RUN ["/opt/build/bin/pip", "install", "--require-hashes", "-r", "requirements-build.lock"]
COPY pyproject.toml README.md LICENSE ./
COPY alembic ./alembic
COPY runbooks ./runbooks
COPY oncall_bot ./oncall_bot
RUN ["/opt/build/bin/pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "/wheels", "."]
# Compiled here, because nothing can be written later; pip itself stays behind.
RUN /opt/oncall-bot/bin/pip install --no-deps --no-index /wheels/*.whl \
 && /opt/oncall-bot/bin/python -m compileall -q /opt/oncall-bot/lib \
 && /opt/oncall-bot/bin/pip uninstall --yes --quiet pip setuptools \
 && mkdir /empty

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="oncall-bot" \
      org.opencontainers.image.description="Pages until somebody answers, finds the runbook, keeps the incident, drafts the postmortem." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/oncall-bot /opt/oncall-bot
# The volume's folder belongs to the user that runs: a new named volume takes this over.
COPY --from=build --chown=10001:10001 /empty /data
ENV PATH=/opt/oncall-bot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    ONCALL_DATABASE_URL=sqlite:////data/oncall.db \
    ONCALL_HOST=0.0.0.0
# Relative paths, such as ONCALL_CONFIG=oncall.yaml, are looked for here.
WORKDIR /data
VOLUME /data
EXPOSE 8080
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('ONCALL_PORT', '8080') + '/-/healthy', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["oncall-bot"]
CMD ["serve"]
