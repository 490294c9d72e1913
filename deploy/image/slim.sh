#!/usr/bin/env bash
# Takes out of an environment what no run needs, about 0.8 GB of 2.9, and compiles the rest to bytecode.
#
#   deploy/image/slim.sh ENVIRONMENT
set -euo pipefail
environment=$1
cd "$environment"/lib/python3.*/site-packages

# What only C++ is built with, libclang too, and symbols that no linker reads. Other libraries' wheels
# were edited after they were linked, which strip may break; TensorFlow's were not.
rm -rf tensorflow/include pyarrow/include clang
strip --strip-unneeded tensorflow/lib*.so.2 tensorflow/python/profiler/internal/*_plugin.so

# Libraries' own tests. Only of these, since a file of such a name is no test in every library
# (scipy/stats/_page_trend_test.py).
find . -type d -name tests -prune -exec rm -rf {} +
find apache_beam keras tensorflow_data_validation tensorflow_model_analysis tensorflow_transform tfx \
  tfx_bsl -name '*_test.py' -delete
find tfx -type d -name testdata -prune -exec rm -rf {} +

# Importing TensorFlow, Beam and TFX without bytecode takes more than twice as long. It is checked by no
# time of day, which a layer may change, and made by one process a package: within a process it depends
# on what was compiled before. Left out are Google's generated clients that no run loads, 100 MB.
generated='/(agentplatform|vertexai|google/cloud/(aiplatform|sqladmin))'
printf '%s\0' * | xargs --null --max-procs="$(nproc)" --max-args=1 \
  "$environment/bin/python" -W ignore -m compileall -q --invalidation-mode unchecked-hash -x "$generated"
