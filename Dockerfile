# Two images from one file:
#   docker build -t cytostream .                     CPU (the default)
#   docker build -t cytostream:gpu --target gpu .    NVIDIA GPU: CUDA 13 and cuDNN 9
#
# Run with volumes for what must outlive the container:
#   docker run -p 50051:50051 -p 9464:9464 -v models:/var/lib/cytostream/models \
#     -v runs:/var/lib/cytostream/runs -v "$PWD/data:/data:ro" cytostream

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
# test/ and bench/ are part of the same project but not of the image.
RUN npx tsc && npm prune --omit=dev \
  # The runtime libraries of other systems: two thirds of the package.
  && rm -rf node_modules/onnxruntime-node/bin/napi-v6/darwin node_modules/onnxruntime-node/bin/napi-v6/win32
COPY proto ./proto
COPY third_party/inference ./third_party/inference

# The CUDA libraries of ONNX Runtime, beside its own library.
FROM build AS build-gpu
COPY scripts/install-cuda.sh ./scripts/
RUN scripts/install-cuda.sh && rm -r scripts

# NOT PROVEN: no frame has been run on a GPU with this image yet. The libraries link against
# CUDA 13; whether they find cuDNN here and agree with the CPU has to be seen first.
FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04 AS gpu
COPY --from=node:24-bookworm-slim /usr/local/bin/node /usr/local/bin/node
# Ubuntu's image has a user of this id already.
RUN userdel --remove ubuntu && useradd --uid 1000 --create-home node
WORKDIR /app
COPY --from=build-gpu --chown=root:root /app ./
ENV NODE_ENV=production \
    CYTOSTREAM_MODELS_DIR=/var/lib/cytostream/models \
    CYTOSTREAM_RUNS_DIR=/var/lib/cytostream/runs \
    CYTOSTREAM_DATA_ROOTS=/data \
    # Large frames reuse memory instead of mapping it anew: 32 MiB at 35 frames/s instead of 24.
    MALLOC_MMAP_THRESHOLD_=1073741824 \
    MALLOC_TRIM_THRESHOLD_=1073741824
RUN mkdir -p /var/lib/cytostream/models /var/lib/cytostream/runs /data \
  && chown -R node:node /var/lib/cytostream
USER node
EXPOSE 50051 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=5m --start-interval=2s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]

# Last, so that it is what `docker build .` makes.
FROM node:24-bookworm-slim AS cpu
WORKDIR /app
COPY --from=build --chown=root:root /app ./
ENV NODE_ENV=production \
    CYTOSTREAM_MODELS_DIR=/var/lib/cytostream/models \
    CYTOSTREAM_RUNS_DIR=/var/lib/cytostream/runs \
    CYTOSTREAM_DATA_ROOTS=/data \
    # Large frames reuse memory instead of mapping it anew: 32 MiB at 35 frames/s instead of 24.
    MALLOC_MMAP_THRESHOLD_=1073741824 \
    MALLOC_TRIM_THRESHOLD_=1073741824
RUN mkdir -p /var/lib/cytostream/models /var/lib/cytostream/runs /data \
  && chown -R node:node /var/lib/cytostream
USER node
EXPOSE 50051 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=5m --start-interval=2s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
