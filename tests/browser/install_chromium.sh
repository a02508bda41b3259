#!/usr/bin/env bash
# The browser tests drive a system Chromium: install one where none is found.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
command -v apt-get >/dev/null || { echo "Install Chromium (package 'chromium') for the browser tests." >&2; exit 1; }
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq chromium >/dev/null
