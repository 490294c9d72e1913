#!/usr/bin/env bash
# Removes what no run needs from an environment, about 0.8 GB of 2.9, and compiles the rest to
# bytecode.
#
#   deploy/image/slim.sh ENVIRONMENT
set -euo pipefail
environment=$1
cd "$environment"/lib/python3.*/site-packages

# Files for building C++ only, including libclang, and symbols that no linker reads. Other
# libraries' wheels were edited after linking, so strip may break them; TensorFlow's were not.
rm -rf tensorflow/include pyarrow/include clang
strip --strip-unneeded tensorflow/lib*.so.2 tensorflow/python/profiler/internal/*_plugin.so

# Libraries' own tests. Only of these, since such a file name does not mean a test in every library
# (scipy/stats/_page_trend_test.py).
find . -type d -name tests -prune -exec rm -rf {} +
find apache_beam keras tensorflow_data_validation tensorflow_model_analysis tensorflow_transform tfx \
  tfx_bsl -name '*_test.py' -delete
find tfx -type d -name testdata -prune -exec rm -rf {} +

# Importing TensorFlow, Beam and TFX without bytecode takes more than twice as long. The bytecode is
# not checked by time stamps, which a layer may change, and is compiled by one process for each
# package: within a process it depends on what was compiled before. Google's clients that no run
# loads are left out, 100 MB.
generated='/(agentplatform|vertexai|google/cloud/(aiplatform|sqladmin))'
printf '%s\0' * | xargs --null --max-procs="$(nproc)" --max-args=1 \
  "$environment/bin/python" -W ignore -m compileall -q --invalidation-mode unchecked-hash -x "$generated"
