#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node against the TensorFlow of a pip wheel, which is years newer than
# the one that the package fetches (2.9, CUDA 11.2), into a folder:
#   scripts/tensorflow-native.sh FOLDER              # CPU
#   scripts/tensorflow-native.sh FOLDER tensorflow   # CUDA, as that wheel is built for
# Then: CYTOSTREAM_TENSORFLOW_PACKAGE=FOLDER/node_modules/@tensorflow/tfjs-node, for tests and
# for `serve --engine tensorflow`. Needs pip, a C++ compiler, make and Node.js' headers. Which wheel,
# and its checksums, are in tensorflow-native.txt beside this file.
set -euo pipefail
wheels=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/tensorflow-native.txt
folder=$(mkdir -p "${1:?expected a folder}" && cd "$1" && pwd)
wheel=${2:-tensorflow-cpu}
version=4.22.0

cd "$folder"
[ -f package.json ] || echo '{"private":true}' > package.json
npm i --quiet --ignore-scripts --no-audit --no-fund "@tensorflow/tfjs-node@$version"
package=$folder/node_modules/@tensorflow/tfjs-node

if [ ! -d wheel/tensorflow ]; then
  grep "^$wheel==" "$wheels" > wheel.txt
  python3 -m pip download --no-deps --require-hashes --dest wheel -r wheel.txt
  (cd wheel && python3 -m zipfile -e ./*.whl . && rm ./*.whl)
fi
mkdir -p "$package/deps/lib"
ln -sfn "$folder/wheel/tensorflow/include" "$package/deps/include"
for library in cc framework; do
  found=$folder/wheel/tensorflow/libtensorflow_$library.so.2
  ln -sf "$found" "$package/deps/lib/libtensorflow_$library.so.2"
done
# What the binding links with: the C interface is in the C++ library too.
ln -sf libtensorflow_cc.so.2 "$package/deps/lib/libtensorflow.so"
ln -sf libtensorflow_framework.so.2 "$package/deps/lib/libtensorflow_framework.so"

prefix=$(dirname "$(dirname "$(node -p process.execPath)")")
headers=()
[ -d "$prefix/include/node" ] && headers=(--nodedir="$prefix")
cd "$package"
node "$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js" rebuild "${headers[@]}" \
  --module_name=tfjs_binding --module="$package/lib/napi-v8/tfjs_binding.node" \
  --module_path="$package/lib/napi-v8" --napi_version=8 --napi_build_version=8
node -e 'const tf = require("."); console.log("tensorflow:", tf.getBackend(), tf.tensor1d([1, 2]).sum().dataSync()[0] === 3)'
echo "CYTOSTREAM_TENSORFLOW_PACKAGE=$package"
