#!/usr/bin/env bash
# Puts ONNX Runtime's libraries for CUDA 13 (and TensorRT 10) beside its own: 230 MB from npm,
# which onnxruntime-node's install script would fetch from elsewhere, and for CUDA 12. The
# driver, CUDA 13 and cuDNN 9 come from NVIDIA; at the end this says which of them are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9
runtime_version=1.29.0
# What is run must be what was looked at.
checksums='56cf3254b118ad837ccc4ed8f6d1b23504bbf7ef91b34cbc0b289cb7f10b3037  libonnxruntime_providers_cuda.so
c6a12593396095f5670160e284c35d1700b7708cf3037b7042e2a5200ccae772  libonnxruntime_providers_shared.so
ef6071798a339038ad66c428fb1a809cf8e499bffc3b6870e4e8bc4f4c6a6320  libonnxruntime_providers_tensorrt.so'

if [[ $(uname -sm) != 'Linux x86_64' ]]; then
  echo "expected Linux on x86_64, got $(uname -sm): CUDA is offered nowhere else" >&2
  exit 1
fi
installed=$(node -p "require('onnxruntime-node/package.json').version")
if [[ $installed != "$runtime_version" ]]; then
  echo "expected onnxruntime-node $runtime_version, got $installed: the libraries fit one version only" >&2
  exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" "$package" > /dev/null
tar -xzf "$folder"/*.tgz -C "$folder"
target=$(node -p "require('node:path').join(require.resolve('onnxruntime-node'), '../../bin/napi-v6/linux/x64')")
cd "$folder/package/Plugins/Linux/x64"
sha256sum --check --quiet <<< "$checksums"
install -m 644 libonnxruntime_providers_*.so "$target"
echo "installed in $target"

missing=$(ldd "$target/libonnxruntime_providers_cuda.so" | sed -n 's/^\s*\(\S*\) => not found$/\1/p' | tr '\n' ' ')
folders=${LD_LIBRARY_PATH:-/nowhere}
# cuDNN is opened by its name when a convolution is first run.
if ! { PATH="$PATH:/sbin" ldconfig -p; ls ${folders//:/ }; } 2> /dev/null | grep 'libcudnn\.so\.9\b' > /dev/null; then
  missing+='libcudnn.so.9 '
fi
if [[ -n $missing ]]; then
  echo "not here yet: $missing"
  echo 'the driver (580 or newer), cuda-libraries-13-0 and libcudnn9-cuda-13 have them'
fi
