#!/usr/bin/env bash
# Writes the hash-locked files in requirements/ from setup.py: one for each dependency line and Python.
# Pins that still fit setup.py's ranges are kept; `make lock ARGS=--upgrade` uses the newest
# instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv=$(scripts/uv.sh)

# The header has the make target and nothing of the machine that ran it.
compile() {
  "$uv" pip compile --quiet --python .venv/bin/python --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}

# The platform is the oldest glibc that the line supports. The newest releases of these packages
# have no wheels for it, and building them needs C libraries, so they stay at the last release with
# wheels.
wheels_only=(argon2-cffi-bindings h5py optree pillow pyzmq)
compile setup.py --extra dev --python-version 3.10 --python-platform x86_64-manylinux_2_28 \
  "${wheels_only[@]/#/--only-binary=}" --output-file requirements/compatible-py3.10.txt "$@"
for minor in 3.12 3.13; do
  compile setup.py --extra dev --python-version "$minor" --python-platform x86_64-manylinux_2_39 \
    --output-file "requirements/current-py$minor.txt" "$@"
done
# For the images: what is tested and what the stores need, without tools and requirements of tests.
compile setup.py requirements/image.in --extra duckdb --extra postgresql --extra s3 --extra sqlite \
  --constraint requirements/current-py3.13.txt \
  --python-version 3.13 --python-platform x86_64-manylinux_2_39 \
  --output-file requirements/image-py3.13.txt "$@"
compile requirements/uv.in --python-platform x86_64-manylinux2014 --output-file requirements/uv.txt "$@"
