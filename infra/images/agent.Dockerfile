# The agent's image: node and the agent, nothing else; no shell, no package manager, no root user. It needs no file that it may write.
# docker build -f infra/images/agent.Dockerfile -t clustral-agent:0.1.0 .
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace @clustral/agent
RUN node infra/images/gather.ts /out

FROM scratch
COPY --from=build /out /
USER 65532:65532
LABEL org.opencontainers.image.title="clustral-agent" org.opencontainers.image.version="0.1.0"
ENTRYPOINT ["/usr/local/bin/node", "/app/agent/main.ts"]
