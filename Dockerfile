# One image for the server and for the workers. Its steps are tried without Docker by test/deploy.
# Tags are pinned; a registry's digest can be added to each (docker buildx imagetools inspect <tag>).

# The programs that a worker runs, from the pinned Go modules: about ten minutes, and seldom.
FROM golang:1.26.8-bookworm AS tools
ENV CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
COPY tools/helmfile /src/helmfile
RUN cd /src/helmfile && go build -ldflags "-s -w" -o /out/ github.com/helmfile/helmfile
COPY tools/platform /src/platform
RUN cd /src/platform && go build -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1" -o /out/ helm.sh/helm/v4/cmd/helm

FROM node:24.21.0-bookworm-slim AS slipway
WORKDIR /opt/slipway
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY activities ./activities
COPY migrations ./migrations
COPY src ./src
COPY templates ./templates
COPY tools/bundle-workflows.ts ./tools/
COPY workflows ./workflows
RUN node tools/bundle-workflows.ts

FROM node:24.21.0-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/slipway slipway \
 && install --directory --owner=slipway --mode=0700 /var/lib/slipway
COPY --from=tools /out/ /usr/local/bin/
COPY --from=slipway /opt/slipway /opt/slipway
ENV NODE_ENV=production SLIPWAY_TOOLS_DIR=/var/lib/slipway/tools
USER slipway
WORKDIR /var/lib/slipway
# PID 1 must reap what a killed attempt leaves: run it with an init (compose: `init: true`).
ENTRYPOINT ["node", "/opt/slipway/src/main/cli.ts"]
