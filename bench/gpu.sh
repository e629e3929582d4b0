#!/usr/bin/env bash
# What this machine's GPU does, beside PyTorch on the same GPU: the engine alone and through the
# server at each batch size, and training. Needs no network, and says so where there is no GPU.
#
#   bench/gpu.sh [--device cuda] [--seconds 2] [--batches 1,8,32,64,128,256] [--python PATH]
#
# Prints a table, and the same as JSON; what was measured is also left in bench/results/gpu.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -f dist/bench/gpu.js ]] || npx tsc
exec node dist/bench/gpu.js "$@"
