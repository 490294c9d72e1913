#!/usr/bin/env bash
# Prints the path of a uv that is at least as new as the one pinned in requirements/uv.txt: the one
# on the PATH, or one installed by hash into .venv-uv.
#
#   scripts/uv.sh [PYTHON...]   PYTHONs for .venv-uv, the first suitable one is used; default
# python3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pinned=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements/uv.txt)

at_least_pinned() {
  local version
  version=$("$1" --version 2>/dev/null | awk '{print $2}') || return 1
  [ -n "$version" ] && printf '%s\n' "$pinned" "$version" | sort --version-sort --check=quiet
}

for candidate in "$(type -P uv || true)" "$PWD/.venv-uv/bin/uv"; do
  if [ -n "$candidate" ] && at_least_pinned "$candidate"; then
    echo "$candidate"
    exit
  fi
done

for host in "$@" python3; do
  # Debian's python3 has the venv module even without python3-venv, but not ensurepip.
  if "$host" -c 'import ensurepip, venv' 2>/dev/null; then
    "$host" -m venv --clear .venv-uv
    .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check \
      --require-hashes --only-binary :all: --requirement requirements/uv.txt >&2
    echo "$PWD/.venv-uv/bin/uv"
    exit
  fi
done

cat >&2 <<MESSAGE
error: no Python here can make a virtual environment (the modules venv and ensurepip are missing).
  On Debian and Ubuntu: apt-get install python3-venv
MESSAGE
exit 1
