#!/usr/bin/env bash
# Makes .venv: selects the dependency line that this machine can run, installs that line's
# hash-locked file, and adds the `skewless` command. If nothing changed it does nothing, in
# milliseconds.
#
#   SKEWLESS_PYTHON=/path/to/python   use only this interpreter
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# In order of preference: line, the oldest glibc of its wheels, its Pythons.
lines=(
  "current 2.39 3.13 3.12"
  "compatible 2.28 3.10"  # ConnectorX has no wheels for an older one
)

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{print $2}') || glibc=""

at_least() { # at_least VERSION MINIMUM
  [ -n "$1" ] && printf '%s\n' "$2" "$1" | sort --version-sort --check=quiet
}

# Every interpreter of one minor version in the usual places. A name on the PATH may be a pyenv shim
# that does not run, or may have another version than its name, so callers must probe the result.
candidates() { # candidates MINOR
  if [ -n "${SKEWLESS_PYTHON:-}" ]; then
    echo "$SKEWLESS_PYTHON"
    return
  fi
  type -aP "python$1" python3 python || true
  local pyenv=${PYENV_ROOT:-$HOME/.pyenv}
  local managed=${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}
  compgen -G "$pyenv/versions/$1.*/bin/python$1" || true
  compgen -G "$managed/cpython-$1.*/bin/python$1" || true
}

# Prints the version and real path of a working CPython; it is the base interpreter's path, so that
# an activated .venv never becomes its own parent.
probe() { # probe INTERPRETER
  "$1" -c '
import os, sys
if sys.implementation.name == "cpython" and sys.maxsize > 2**32 and "t" not in sys.abiflags:
    base = getattr(sys, "_base_executable", sys.executable)
    print("%d.%d" % sys.version_info[:2], os.path.realpath(base))
' 2>/dev/null
}

find_python() { # find_python MINOR
  local candidate version path
  while read -r candidate; do
    read -r version path < <(probe "$candidate") || continue
    if [ "$version" = "$1" ]; then
      echo "$path"
      return
    fi
  done < <(candidates "$1")
  return 1
}

# Sets line, minor and python from the installed Pythons; fails if none fits.
choose_installed() {
  local oldest_glibc minors entry
  [ "$(uname -sm)" = "Linux x86_64" ] || return 1
  for entry in "${lines[@]}"; do
    read -r line oldest_glibc minors <<<"$entry"
    at_least "$glibc" "$oldest_glibc" || continue
    for minor in $minors; do
      python=$(find_python "$minor") && return
    done
  done
  return 1
}

# Sets line, minor and python to one that uv downloads; fails if it cannot.
choose_downloaded() {
  local oldest_glibc minors entry uv
  if [ -n "${SKEWLESS_PYTHON:-}" ] || [ "$(uname -sm)" != "Linux x86_64" ]; then
    return 1
  fi
  for entry in "${lines[@]}"; do
    read -r line oldest_glibc minors <<<"$entry"
    at_least "$glibc" "$oldest_glibc" || continue
    minor=${minors%% *}
    echo "There is no Python for the $line line; asking uv to download $minor." >&2
    uv=$(scripts/uv.sh) || return 1
    "$uv" python install "$minor" || return 1
    python=$("$uv" python find --managed-python "$minor")
    return
  done
  return 1
}

explain_no_fit() {
  local minor candidate found=""
  for minor in 3.9 3.10 3.11 3.12 3.13 3.14; do
    while read -r candidate; do
      found+="$(probe "$candidate" || echo "none that runs $candidate")"$'\n'
    done < <(candidates "$minor")
  done
  found=$(sort --unique <<<"$found" | sed '/^$/d; s| /| at /|; s/^/    /')
  cat >&2 <<MESSAGE
error: neither dependency line fits this machine.
  Found:
    $(uname -sm), glibc ${glibc:-none}
${found:-    no working Python}
  Needed, on Linux x86_64, one of:
    glibc 2.39 or newer with Python 3.12 or 3.13    (the current line)
    glibc 2.17 or newer with Python 3.10            (the compatible line)
  What to do:
    Debian 13:    apt-get install python3 python3-dev python3-venv
    Ubuntu 24.04: apt-get install python3 python3-dev python3-venv
    elsewhere:    pyenv install 3.10, or uv python install 3.10
    A Python in an unusual place: SKEWLESS_PYTHON=/path/to/python make ...
MESSAGE
}

# pyfarmhash, which TFDV needs, has no wheel; its compiler error would not say what to install.
check_compiler() {
  local header
  header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
  if ! type -P c++ >/dev/null || [ ! -e "$header" ]; then
    echo "error: pyfarmhash is built here and needs a C++ compiler and $header." >&2
    echo "  On Debian and Ubuntu: apt-get install g++ python3-dev" >&2
    return 1
  fi
}

fill_venv() {
  local lock="requirements/$line-py$minor.txt" uv
  uv=$(scripts/uv.sh "$python")
  if [ ! -x .venv/bin/python ] || [ "$(cat .venv/.made-for 2>/dev/null)" != "$PWD $python" ]; then
    "$uv" venv --quiet --clear --prompt skewless --python "$python" .venv
    echo "$PWD $python" >.venv/.made-for
  fi
  # The lock also pins the build requirements of source distributions. Bytecode is compiled now
  # because importing TensorFlow and TFX without it takes more than twice as long.
  "$uv" pip sync --quiet --python .venv/bin/python --require-hashes --build-constraints "$lock" \
    --compile-bytecode "$lock"
  "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

# What .venv depends on: its inputs, and its location, since its scripts contain their own path.
fingerprint=$(
  {
    cat scripts/bootstrap.sh scripts/uv.sh setup.py requirements/*.txt
    echo "$PWD ${glibc:-none} ${SKEWLESS_PYTHON:-}"
  } | sha256sum
)
stamp=.venv/.fingerprint
up_to_date() { [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; }

up_to_date && exit
exec 9<scripts/bootstrap.sh
flock 9 # a second `make` in the same checkout waits for the first, and then has nothing to do
up_to_date && exit

if ! choose_installed && ! choose_downloaded; then
  explain_no_fit
  exit 1
fi
check_compiler
echo "Setting up .venv: the $line line, Python $minor, glibc $glibc." >&2
rm -f "$stamp"
fill_venv
echo "$fingerprint" >"$stamp"
