#!/usr/bin/env bash
# Installs Debian's chromium-common for its SwiftShader, a Vulkan that the CPU computes: the tests of
# WebGPU run on it; without it they are skipped, loudly. Needs Debian and root.
set -euo pipefail

driver=/usr/lib/chromium/vk_swiftshader_icd.json
if [[ ! -e $driver ]]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium-common >/dev/null
fi
[[ -e $driver ]]
echo "$driver is there"
