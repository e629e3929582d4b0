#!/usr/bin/env bash
# What this machine's GPU does, beside PyTorch on the same GPU: the engine alone (in full and half
# precision, with one to four workers, and by TensorRT where that is installed), raw planes that are
# resized on the CPU and in the graph, through the server at each batch size, training with one
# to sixteen steps a call, and a whole epoch with its validation. Needs no network, and says so where there is no GPU. What cannot be
# measured is told, and the rest goes on.
#
#   bench/gpu.sh [--device cuda] [--seconds 2] [--batches 1,8,32,64,128,256]
#                [--precisions full,half] [--workers 1,2,4] [--training-batch 128]
#                [--epoch-frames 4096] [--steps 1,4,8,16] [--python PATH]
#                [--parts engine,resize,server,training,torch]
#
# Prints a table, and the same as JSON; what was measured is also left in bench/results/gpu.json,
# but for --device cpu, which only shows that the script works.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -f dist/bench/gpu.js ]] || npx tsc
exec node dist/bench/gpu.js "$@"
