#!/usr/bin/env bash
# Fetches the npm package google-proto-files that package-lock.json pins,
# verifies its integrity hash and unpacks it into the user's cache.
# Prints the folder that then holds google/. --print only prints it.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
lock="$top/package-lock.json"
version=$(sed -n '/node_modules\/google-proto-files/,/}/s/.*"version": "\([^"]*\)".*/\1/p' "$lock")
url=$(sed -n '/node_modules\/google-proto-files/,/}/s/.*"resolved": "\([^"]*\)".*/\1/p' "$lock")
want=$(sed -n '/node_modules\/google-proto-files/,/}/s/.*"integrity": "sha512-\([^"]*\)".*/\1/p' "$lock")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/brume/google-proto-files-$version"
if [ "${1:-}" = --print ] || [ -e "$cache/google/api/http.proto" ]; then
  echo "$cache"
  exit 0
fi
mkdir -p "$(dirname "$cache")"
work=$(mktemp -d "$cache.XXXXXX")
trap 'rm -rf "$work"' EXIT
curl -fsSL --retry 3 --max-time 180 -o "$work/package.tgz" "$url"
got=$(openssl dgst -sha512 -binary "$work/package.tgz" | openssl base64 -A)
if [ "$got" != "$want" ]; then
  echo "fetch '$url': integrity is sha512-$got, package-lock.json wants sha512-$want" >&2
  exit 1
fi
tar -xzf "$work/package.tgz" -C "$work" --strip-components=1 package/google package/LICENSE
rm "$work/package.tgz"
chmod 755 "$work"
rm -rf "$cache"
mv "$work" "$cache"
trap - EXIT
echo "$cache"
