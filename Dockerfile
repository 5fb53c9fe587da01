# One image for every service and job: the program `earshot`, without what only a development machine needs.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/earshot
WORKDIR /src
# Nobody reads the place names of telephone numbers and the tests of the numerical libraries: 85 MB.
COPY requirements/services.txt requirements/build.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --quiet --require-hashes -r requirements/build.txt \
 && /opt/earshot/bin/pip install --quiet --require-hashes -r requirements/services.txt \
 && cd /opt/earshot/lib/python3.12/site-packages && rm -r phonenumbers/geodata && find numpy scipy -type d -name tests -prune -exec rm -r {} +
COPY shared shared
COPY services services
RUN for member in shared services/*; do (cd "$member" && /opt/build/bin/python -m hatchling build --target wheel --directory /tmp/wheels) || exit 1; done \
 && /opt/earshot/bin/pip install --quiet --no-deps --no-index /tmp/wheels/*.whl \
 && /opt/earshot/bin/pip uninstall --quiet --yes pip

FROM python:3.12-slim
RUN groupadd --gid 10001 earshot && useradd --uid 10001 --gid earshot --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin earshot
COPY --from=build /opt/earshot /opt/earshot
COPY config /etc/earshot
ENV PATH=/opt/earshot/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TRIM_THRESHOLD_=8388608 \
    PYTHONDONTWRITEBYTECODE=1 EARSHOT_CONFIG_DIR=/etc/earshot
USER earshot
WORKDIR /tmp
ENTRYPOINT ["earshot"]
CMD ["--help"]
