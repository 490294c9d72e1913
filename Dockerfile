# Two images of one environment: `skewless`, which runs the command and serves, and `worker`, the Beam
# SDK harness that Flink, Spark and Dataflow start. docs/images.md describes how to use both.
#
#   docker build --target skewless --tag skewless .
#   docker build --target worker --tag skewless-worker .
#
# A base is pinned by its digest in one argument:
#   --build-arg DEBIAN=docker.io/library/debian:trixie-slim@sha256:…

# Debian 13: the current dependency line needs its glibc and its Python 3.13.
ARG DEBIAN=docker.io/library/debian:trixie-slim
# Only `boot` is copied from it. Its Beam must be the one in requirements/image-py3.13.txt.
ARG BEAM_SDK=docker.io/apache/beam_python3.13_sdk:2.77.0

# ------------------------------------------------------------------- Debian, Python and the libraries
FROM ${DEBIAN} AS environment
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

# They remain, as a record of what is in the image.
COPY requirements/uv.txt requirements/image-py3.13.txt deploy/image/slim.sh /opt/requirements/
# Build tools are installed and removed within this layer, so that no other stage copies their 2.5 GB, and
# uv, which links unpacked files without a cache, writes them once. The lock also pins the build
# requirements of source distributions. Debian's packages are not pinned: it keeps no older versions.
# hadolint ignore=DL3008
RUN tools=(binutils g++ python3-dev python3-venv) \
    && apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 "${tools[@]}" \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all: \
         --requirement /opt/requirements/uv.txt \
    && export UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never \
    && /opt/uv/bin/uv venv --python /usr/bin/python3 --system-site-packages /opt/skewless \
    && /opt/uv/bin/uv pip sync --python /opt/skewless/bin/python --require-hashes \
         --build-constraints /opt/requirements/image-py3.13.txt /opt/requirements/image-py3.13.txt \
    && bash /opt/requirements/slim.sh /opt/skewless \
    && apt-get purge --yes --auto-remove "${tools[@]}" \
    && rm -rf /opt/uv /var/lib/apt/lists/* /var/cache/{apt,debconf,ldconfig} /var/log/*

# ------------------------------------------------------------------------------------ the package
FROM environment AS package
COPY . /source
# Installed in a separate folder with the layout of the environment, so that its layer is small.
RUN /opt/skewless/bin/python -m pip wheel --no-build-isolation --no-deps --no-index \
      --wheel-dir /wheel /source \
    && /opt/skewless/bin/python -m pip install --no-cache-dir --no-compile --no-deps --no-index \
      --find-links /wheel --prefix /package skewless \
    && /opt/skewless/bin/python -m compileall -q --invalidation-mode unchecked-hash \
      -s /package -p /opt/skewless /package/lib \
    && install /source/deploy/image/healthcheck.py /package/bin/healthcheck

# --------------------------------------------------------------------------------- both images
FROM environment AS runtime
RUN useradd --uid 10001 --no-create-home --home-dir /work --shell /usr/sbin/nologin skewless \
    && install --directory --mode 1777 /work
COPY --from=package /package /opt/skewless

# The container may run as any user: files are written to /work, /tmp or a mounted folder.
ENV PATH=/opt/skewless/bin:$PATH \
    HOME=/work \
    USER=skewless \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1
WORKDIR /work

ARG DEBIAN
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.base.name="${DEBIAN}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# --------------------------------------------------------------------------------- the Beam worker
FROM ${BEAM_SDK} AS beam

FROM runtime AS worker
COPY --from=beam /opt/apache/beam/boot /opt/apache/beam/LICENSE /opt/apache/beam/NOTICE \
     /opt/apache/beam/
# The environment is complete: without the first setting, boot makes another one at every start. Without
# the second, TensorFlow Transform turns tf.keras into tf_keras.
ENV RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1 \
    TF_USE_LEGACY_KERAS=0 \
    TF_CPP_MIN_LOG_LEVEL=3
LABEL org.opencontainers.image.title="Skewless Beam worker" \
      org.opencontainers.image.description="Beam's Python SDK harness with Skewless and its libraries"
EXPOSE 50000
# Only Dataflow needs root: it mounts folders that only root may write (docs/images.md).
ARG RUN_AS=10001:10001
USER ${RUN_AS}
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["healthcheck"]
ENTRYPOINT ["/opt/apache/beam/boot"]

# ------------------------------------------------------------------------------------ the pipeline
FROM runtime AS skewless
LABEL org.opencontainers.image.title="Skewless" \
      org.opencontainers.image.description="Train, prove, publish and serve a model from a table"
EXPOSE 8500 8501
ARG RUN_AS=10001:10001
USER ${RUN_AS}
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s CMD ["healthcheck"]
ENTRYPOINT ["skewless"]
CMD ["--help"]
