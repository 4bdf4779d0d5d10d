#!/usr/bin/env bash
# Runs README's two commands as a stranger does: in a Debian 12 root made by
# mmdebstrap with nothing but git, in namespaces of its own, on a clone of HEAD.
#   tools/fresh.sh [--keep] [demo|test ...]
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
keep=
[ "${1:-}" != --keep ] || { keep=1; shift; }
verbs=("$@")
[ ${#verbs[@]} -gt 0 ] || verbs=(demo test)
[ "$(id -u)" = 0 ] || { echo "fresh: needs root (chroot, mounts)" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "fresh: mmdebstrap is missing; run ./x setup" >&2; exit 1; }
root=$(mktemp -d "${TMPDIR:-/var/tmp}/brume-fresh.XXXXXX")
cleanup() { [ -n "$keep" ] && echo "kept: $root" || rm -rf --one-file-system "$root"; }
trap cleanup EXIT
echo "+ mmdebstrap bookworm -> $root"
mmdebstrap --quiet --variant=minbase --include=git,ca-certificates bookworm "$root"
# The package index as this machine reaches it.
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -r /etc/apt/sources.list* "$root/etc/apt/" 2>/dev/null || true
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
git clone -q "$top" "$root/root/brume"
# Own mount, PID, UTS and IPC namespaces; the network is the machine's.
# shellcheck disable=SC2016
unshare --mount --pid --uts --ipc --fork --mount-proc="$root/proc" -- bash -ec '
  root=$1; shift
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/run"
  [ ! -d /sys/fs/cgroup ] || mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
  exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 TERM="${TERM:-dumb}" bash -ec "cd /root/brume; for verb in $*; do echo \"+ ./x \$verb\"; ./x \$verb; done"
' fresh "$root" "${verbs[@]}"
echo "fresh: ${verbs[*]} passed"
