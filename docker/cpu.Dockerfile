# emomedia on the CPU, on Ubuntu 24.04 (FFmpeg 6.1, Python 3.12). Needs BuildKit.
#
#   docker build -f docker/cpu.Dockerfile -t emomedia:cpu .
#   docker run --rm --user "$(id -u):$(id -g)" -v /path/to/footage:/footage:ro -v /path/to/datasets:/out \
#     emomedia:cpu run /footage/session.toml --out /out
FROM ubuntu:24.04 AS build
COPY docker/install-system.sh /source/docker/
RUN /source/docker/install-system.sh build
COPY . /source
RUN python3 -m venv /opt/emomedia \
    && /opt/emomedia/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source \
    && /opt/emomedia/bin/pip install --no-cache-dir /wheels/*.whl

FROM ubuntu:24.04
LABEL org.opencontainers.image.title="emomedia" \
      org.opencontainers.image.description="Raw footage of two people talking, turned into a dataset of frame-exact clips"
RUN --mount=type=bind,source=docker/install-system.sh,target=/tmp/install-system.sh \
    /tmp/install-system.sh run \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home emomedia
COPY --from=build /opt/emomedia /opt/emomedia
ENV PATH=/opt/emomedia/bin:$PATH
# Ends the build here, not a run, if a shared library of the core is not in this image.
RUN python -c 'import emomedia._core'
USER 10001
ENTRYPOINT ["emomedia"]
CMD ["--help"]
