#!/usr/bin/env bash
# Installs the third-party clients and servers of test/python/, for the tests that speak with
# them; without them those tests are skipped, loudly. Needs python3 and pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install() {
  local venv=node_modules/.cache/$1
  shift
  [[ -x $venv/bin/python ]] || python3 -m venv "$venv"
  # Compiled as they are imported: most of what comes along never is.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$1"
  shift
  # Each defines the protocol's messages, so that no one process can import two of them.
  for module in "$@"; do "$venv/bin/python" -c "import $module"; done
  echo "installed in $venv"
}
install test-python test/python/requirements.txt tritonclient.grpc mlserver
install test-kserve test/python/requirements-kserve.txt kserve
