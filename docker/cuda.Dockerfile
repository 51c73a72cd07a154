# emomedia on NVIDIA GPUs, on Ubuntu 24.04: the base has nvcc, so the core is built with its CUDA parts. Needs BuildKit.
#
#   docker build -f docker/cuda.Dockerfile -t emomedia:cuda .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v /path/to/footage:/footage:ro -v /path/to/datasets:/out \
#     emomedia:cuda run /footage/session.toml --out /out
#
# CUDA 12 and not 13: CTranslate2's packages load CUDA 12's cuBLAS, and drivers from 525 on will do.
ARG CUDA=12.9.1

FROM nvidia/cuda:${CUDA}-devel-ubuntu24.04 AS build
COPY docker/install-system.sh /source/docker/
RUN /source/docker/install-system.sh build
COPY . /source
RUN python3 -m venv /opt/emomedia \
    && /opt/emomedia/bin/pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source \
    && /opt/emomedia/bin/pip install --no-cache-dir /wheels/*.whl

FROM nvidia/cuda:${CUDA}-runtime-ubuntu24.04
LABEL org.opencontainers.image.title="emomedia" \
      org.opencontainers.image.description="Raw footage of two people talking, turned into a dataset of frame-exact clips"
# "video" is what lets the container see the driver's NVDEC and NVENC, which libav loads when asked for them.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,video,utility
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
