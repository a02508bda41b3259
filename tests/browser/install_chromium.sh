#!/usr/bin/env bash
# The browser tests drive a system Chromium. The headless shell opens a page in a third of the time, since it draws no
# window around it: where this is a root's machine, as in continuous integration, it is installed beside what there is.
set -euo pipefail
found() {
  for name in "$@"; do command -v "$name" >/dev/null && return 0; done
  return 1
}
get() {
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "$1" >/dev/null 2>&1
}
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
found chromium-headless-shell && exit 0
if found chromium chromium-browser google-chrome && [ -n "$sudo" ]; then exit 0; fi
if command -v apt-get >/dev/null; then
  $sudo apt-get update -qq || true
  get chromium-headless-shell || found chromium chromium-browser google-chrome || get chromium || true
fi
found chromium-headless-shell chromium chromium-browser google-chrome || {
  echo "Install Chromium (package 'chromium-headless-shell' or 'chromium') for the browser tests." >&2
  exit 1
}
