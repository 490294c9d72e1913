#!/usr/bin/env bash
# Proves that a bare Debian 13 runs this project: makes one in a temporary directory, with only the
# packages that the README names, and runs the demo there as an ordinary user, and the tests that
# can differ on its dependency line (clean_room_tests.txt). Needs root, debootstrap and git.
#
#   scripts/clean_room.sh [--all] [--after FILE] [TREE]
#
# --all runs all tests. --after FILE waits, in the prepared room, until the file exists, and fails
# if its folder is removed. TREE is the commit or tree to test, by default HEAD.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

arguments=("$@")
tests=$(sed 's/ *#.*//; /^$/d' scripts/clean_room_tests.txt | paste --serial --delimiters=' ')
after=
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --all)
      tests="tests/e2e tests/component tests/unit tests/engines/test_dataflow.py tests/engines/test_dataflow_run.py"
      ;;
    --after)
      after=$2
      shift
      ;;
    *)
      echo "error: $1 is unknown; expected --all or --after FILE" >&2
      exit 2
      ;;
  esac
  shift
done
tree=${1:-HEAD}
user=guest
home=/home/$user

# This machine's settings for package registries. Caches and directories are left out, because the
# room has none of them.
registry_settings() {
  env | grep -iE '^(pip_|uv_|ssl_cert_|requests_ca_bundle=|curl_ca_bundle=|[a-z]+_proxy=)' |
    grep -vE '^(PIP|UV)_[A-Z_]*(DIR|LINKS)=' || true
}

# Copies the files in those settings, and the usual configuration files, to the same places.
copy_registry_files() {
  local file
  {
    registry_settings | cut -d= -f2-
    printf '%s\n' /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/uv/uv.toml
    printf '%s\n' /etc/ssl/certs/ca-certificates.crt
  } | while read -r file; do
    if [[ $file == /* && -f $file ]]; then
      install -D --mode=644 "$file" "$room$file"
    fi
  done
  for file in .config/pip/pip.conf .pip/pip.conf .config/uv/uv.toml; do
    if [ -f "$HOME/$file" ]; then
      install -D --mode=644 "$HOME/$file" "$room$home/$file"
    fi
  done
}

in_room() { # in_room COMMAND...: as the ordinary user, with a minimal environment
  local settings
  mapfile -t settings < <(registry_settings)
  chroot --userspec="$user:$user" "$room" env --ignore-environment --chdir="$home/skewless" \
    "HOME=$home" LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin "${settings[@]}" "$@"
}

wait_for_file() { # wait_for_file FILE
  until [ -e "$1" ]; do
    [ -d "${1%/*}" ] || { echo "error: ${1%/*} is gone, so $1 will never exist." >&2; return 1; }
    sleep 0.5
  done
}

furnish_and_use() {
  local packages
  mount --bind "$room" "$room" # remove_room sees it while a process is in here
  packages=$(sed '/^#/d' requirements/debian-packages.txt | paste --serial --delimiters=,)
  debootstrap --variant=minbase --include="$packages" trixie "$room" >"$room.log" ||
    { tail -n 20 "$room.log" >&2; return 1; }
  mount -t proc proc "$room/proc"
  mount --rbind /dev "$room/dev"

  chroot "$room" useradd --create-home "$user"
  copy_registry_files
  mkdir "$room$home/skewless"
  git archive "$tree" | tar --extract --directory "$room$home/skewless"
  chroot "$room" chown --recursive "$user:$user" "$home"

  echo "The clean room is ready: $(chroot "$room" cat /etc/debian_version), ${SECONDS} s."
  if [ -n "$after" ]; then
    in_room make bootstrap
    echo "Its environment is ready: ${SECONDS} s."
    wait_for_file "$after"
    echo "It is used from here on: ${SECONDS} s."
  fi
  in_room make demo
  echo "make demo ended in the clean room: ${SECONDS} s."
  in_room make test TESTS="$tests"
  echo "make test ended in the clean room: ${SECONDS} s."
}

# This part runs in separate name spaces: however it ends, its mounts and its processes end with it,
# so that nothing of the host is mounted under the directory that is removed.
if [ -n "${SKEWLESS_CLEAN_ROOM:-}" ]; then
  room=$SKEWLESS_CLEAN_ROOM
  furnish_and_use
  exit
fi

# After an interrupt, killing the keeper kills the processes in the room after a moment. Nothing is
# removed while any process still has the room mounted.
remove_room() {
  local running tries=0
  running=$(jobs -pr)
  [ -z "$running" ] || kill -KILL "$running"
  while grep -qsF " $room" /proc/[0-9]*/mountinfo; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
      echo "error: $room is not removed, because a process still uses it." >&2
      return 1
    fi
    sleep 0.1
  done
  rm -rf --one-file-system "$room" "$room.log"
}

[ "$(id --user)" = 0 ] || { echo "error: the clean room needs root, for chroot and mount." >&2; exit 1; }
room=$(mktemp --directory --tmpdir skewless-room.XXXXXX)
chmod 755 "$room" # mktemp restricts it to root, but the room's user lives in it
SKEWLESS_CLEAN_ROOM=$room unshare --mount --propagation=private --pid --fork --kill-child \
  "${BASH_SOURCE[0]}" "${arguments[@]}" &
trap remove_room EXIT
# In the background, because only `wait` lets a signal through at once.
wait $!
