#!/usr/bin/env bash
# Installs the third-party clients and servers of test/python/requirements.txt, for the tests
# that speak with them; without them those tests are skipped, loudly. Needs python3 and pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=node_modules/.cache/test-python
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r test/python/requirements.txt
# Both define the protocol's messages, so that no one process can import both.
"$venv/bin/python" -c 'import tritonclient.grpc'
"$venv/bin/python" -c 'import mlserver'
echo "installed in $venv"
